"""A field is beside its words where there is room for both, else below them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.widgets.layouts import BesideOrBelow


class Row(QWidget):
    def __init__(self, *, words_px: int | None = None) -> None:
        super().__init__()
        self.words, self.field = QLabel("What this is about, in words that can be wrapped"), QPushButton("Field")
        self.words.setWordWrap(True)
        self.field.setMinimumWidth(100)
        self.field.setMaximumWidth(300)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words)
        row = BesideOrBelow(self, gap_px=10, below_px=6, wanted_px=200, words_px=words_px)
        row.setContentsMargins(0, 4, 0, 4)
        row.add_layout(column)
        row.addWidget(self.field)

    def shown(self, width: int) -> Row:
        self.resize(width, self.layout().heightForWidth(width))
        self.show()
        self.layout().activate()
        return self


@pytest.fixture
def row(qtbot: QtBot) -> Row:
    made = Row()
    qtbot.addWidget(made)
    return made


def test_with_room_the_field_is_beside_the_words_and_not_wider_than_it_may(row: Row) -> None:
    row.shown(500)
    assert row.field.x() >= row.words.geometry().right() + 10
    assert row.field.width() == 245
    assert row.field.geometry().right() == 499
    row.shown(900)
    assert row.field.width() == 300
    assert row.words.width() == 590


def test_without_room_it_is_below_them_and_the_row_is_as_high_as_both(row: Row) -> None:
    row.shown(390)
    assert row.field.x() == 0
    assert row.field.y() == row.words.geometry().bottom() + 1 + 6
    assert row.words.width() == 390
    assert row.height() == row.field.geometry().bottom() + 1 + 4


def test_it_may_be_as_narrow_as_the_wider_of_the_two(row: Row) -> None:
    width = row.layout().minimumSize().width()
    assert width == max(100, row.words.minimumSizeHint().width())
    row.shown(width)
    assert row.field.geometry().right() < width
    assert row.words.height() >= row.words.heightForWidth(width)


def test_it_is_mirrored_where_one_reads_from_the_right(row: Row) -> None:
    row.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    row.shown(500)
    assert row.field.x() == 0
    assert row.words.geometry().right() == 499


def test_words_of_a_given_width_leave_the_rest_to_the_field(qtbot: QtBot) -> None:
    row = Row(words_px=120)
    qtbot.addWidget(row)
    row.field.setMaximumWidth(1000)
    row.shown(400)
    assert row.words.width() == 120
    assert row.field.geometry().left() == 130
    row.shown(320)
    assert row.field.x() == 0, "less than it wants"
    assert row.words.width() == 320


def test_the_height_is_reckoned_once_a_width_until_something_changes(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    row.shown(390)
    layout = row.layout()
    asked: list[int] = []
    place = BesideOrBelow.place
    monkeypatch.setattr(
        BesideOrBelow, "place", lambda self, area, *, is_trial: asked.append(1) or place(self, area, is_trial=is_trial)
    )
    before = [layout.heightForWidth(width) for width in (390, 210, 390, 210)]
    reckoned = len(asked)
    assert reckoned <= 2
    assert before == [layout.heightForWidth(width) for width in (390, 210, 390, 210)]
    assert len(asked) == reckoned
    row.words.setText(row.words.text() * 3)
    layout.activate()
    assert layout.heightForWidth(210) > before[1]
    assert layout.heightForWidth(210) == Row.shown(row, 210).height()
