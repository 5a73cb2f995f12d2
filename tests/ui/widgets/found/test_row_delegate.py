"""Rows of what was found: as high as what is painted in them, with the found word in sight at any width."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

import chatdesk.ui
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.found.found_list import FoundList
from chatdesk.ui.widgets.found.row_delegate import around_marks
from chatdesk.ui.widgets.found.rows import FoundRow, RowKind

_LONG = "words before it " * 9 + "zanzibar" + " and words after it" * 20
_AT = _LONG.index("zanzibar")
_MARKS = ((_AT, _AT + 8),)
_ROWS = [
    FoundRow(RowKind.HEADING, "h", "Messages"),
    FoundRow(RowKind.HIT, "1", "Title", below=_LONG, below_marks=_MARKS, aside="yesterday"),
    FoundRow(RowKind.HIT, "2", _LONG, _MARKS, "archived · 12 Oct 2025", "file-text"),
    FoundRow(RowKind.NOTE, "n", _LONG),
    FoundRow(RowKind.ALL, "a", "All results", aside="5"),
]


def _list(qtbot: QtBot, theme: Theme, rows: list[FoundRow], width: int, height: int) -> FoundList:
    field = QLineEdit()
    qtbot.addWidget(field)
    made = FoundList(theme, field, object_name="found", side_px=8)
    qtbot.addWidget(made)
    made.resize(width, height)
    made.show_rows(rows)
    made.show()
    return made


@pytest.mark.parametrize("scale", [0.75, 1.0, 2.0])
def test_the_height_of_a_row_depends_on_no_width(qtbot: QtBot, theme: Theme, scale: float) -> None:
    theme.set_scale(scale)
    heights = set()
    for width in (90, 244, 620, 1_400):
        made = _list(qtbot, theme, _ROWS, width, 90)  # low, so that a scroll bar comes
        made.grab()
        heights.add(tuple(made.visualRect(made.model().index(number, 0)).height() for number in range(len(_ROWS))))
        edges = [made.visualRect(made.model().index(number, 0)) for number in range(len(_ROWS))]
        assert all(upper.bottom() < lower.top() for upper, lower in pairwise(edges))
        assert made.rows_height_px == sum(rect.height() for rect in edges)
    theme.set_scale(1.0)
    assert len(heights) == 1
    one, two = heights.copy().pop()[2], heights.pop()[1]
    assert one >= theme.line_px("text") and two >= theme.line_px("text") + theme.line_px("muted")


def test_no_delegate_asks_for_a_width_to_say_how_high_a_row_is() -> None:
    """A scroll bar that comes later makes the list narrower, and the rows overlap."""
    found = []
    for path in Path(chatdesk.ui.__path__[0]).rglob("*.py"):
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(each, ast.FunctionDef) and each.name in ("sizeHint", "height_of") and len(each.args.args) > 1:
                names = {node.attr for node in ast.walk(each) if isinstance(node, ast.Attribute)}
                found += [path.name] if names & {"width", "viewport", "horizontalAdvance"} else []
    assert found == []


@pytest.mark.parametrize("width", [60, 120, 228, 580])
@pytest.mark.parametrize("at", [0, 30, _AT, 5_000])
def test_the_found_word_is_in_sight(theme: Theme, width: int, at: int) -> None:
    font = theme.font("muted")
    text = ("x y " * 2_000)[:at] + "zanzibar" + " z" * 400
    shown, marks = around_marks(text, ((at, at + 8), (at + 10, at + 11)), font=font, width=width)
    start, end = marks[0]
    assert shown[start:end] == "zanzibar"
    assert QFontMetricsF(font).horizontalAdvance(shown[:start]) <= width * 0.85
    assert shown.startswith("…") is (shown[:20] != text[:20])


def test_a_word_that_is_longer_than_the_list_shows_its_beginning(qtbot: QtBot, theme: Theme) -> None:
    shown, marks = around_marks("a " * 100 + "b" * 900, ((200, 1_100),), font=theme.font("text"), width=100)
    assert len(shown) <= 600 and shown[slice(*marks[0])].startswith("bbb")
    made = _list(qtbot, theme, [FoundRow(RowKind.HIT, "1", "b" * 900, ((0, 900),), "today")], 100, 90)
    assert not made.grab().isNull()


def test_without_marks_the_beginning_is_shown(theme: Theme) -> None:
    assert around_marks("word " * 400, (), font=theme.font("text"), width=80) == (("word " * 400)[:600], ())


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("text", ["plain", "\u0645\u0631\u062d\u0628\u0627", "\U0001f600 word\nanother"])
def test_any_letters_are_painted_in_both_directions(
    qtbot: QtBot, theme: Theme, direction: Qt.LayoutDirection, text: str
) -> None:
    row = FoundRow(RowKind.HIT, "1", text * 30, ((0, 3),), "today", below=text * 30, below_marks=((3, 5),))
    made = _list(qtbot, theme, [row], 244, 200)
    made.setLayoutDirection(direction)
    image = made.viewport().grab().toImage()
    colours = {image.pixel(x, y) for x in range(image.width()) for y in range(52)}
    assert len(colours) > 8, "there is text"
