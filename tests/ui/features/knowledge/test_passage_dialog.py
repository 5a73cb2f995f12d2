"""The dialog of a passage, by keys: text, and pages of a PDF."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QPlainTextEdit
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.knowledge import FileState, FoundPassage, KnowledgeSource, KnownFile, Passage, SourceKind
from chatdesk.core.domain.pdf_page import PdfPage
from chatdesk.ui.features.knowledge.passage_dialog import PassageDialog
from chatdesk.ui.theme.theme import Theme

_FOLDER = KnowledgeSource("a", "p", SourceKind.FOLDER, "/srv/handbook")
_FILE = KnownFile(1, "a", "leave.pdf", FileState.READ, mime="application/pdf")


def _passage(at: int, text: str, page: int) -> FoundPassage:
    return FoundPassage(at, _FILE, _FOLDER, at, Passage(at * 100, at * 100 + len(text), text, page))


_AROUND = [_passage(0, "Before.", 4), _passage(1, "Thirty days.", 4), _passage(2, "After.", 5)]


def _page(number: int, *, height: int = 2_000, lit: tuple[tuple[int, int, int, int], ...] = ()) -> PdfPage:
    return PdfPage(number, 9, 400, height, b"\xff" * 4 * 400 * height, f"Text of page {number}.", lit, (0, 4))


def _lit_words(field: QPlainTextEdit) -> list[str]:
    document, lit = field.document(), []
    for block in range(document.blockCount()):
        found = document.findBlockByNumber(block)
        for each in found.textFormats():
            if each.format.background().style() is not Qt.BrushStyle.NoBrush:  # type: ignore[attr-defined]
                lit.append(found.text()[each.start : each.start + each.length])  # type: ignore[attr-defined]
    return lit


def _opened(theme: Theme, qtbot: QtBot, *, has_pages: bool) -> tuple[PassageDialog, list[tuple[int, int]]]:
    dialog = PassageDialog(theme, "leave.pdf, page 4", _AROUND, lit=(100, 112), can_open=True, has_pages=has_pages)
    qtbot.addWidget(dialog)
    asked: list[tuple[int, int]] = []
    dialog.pageRequested.connect(lambda number, width_px: asked.append((number, width_px)))
    dialog.open()
    if has_pages:
        qtbot.waitUntil(lambda: bool(asked))
    return dialog, asked


def _button(dialog: PassageDialog, name: str) -> QAbstractButton:
    found = dialog.findChild(QAbstractButton, name)
    assert isinstance(found, QAbstractButton)
    return found


def test_a_passage_is_lit_in_its_text(theme: Theme, qtbot: QtBot) -> None:
    dialog, asked = _opened(theme, qtbot, has_pages=False)
    assert dialog.text.toPlainText() == "Page 4\nBefore.\n\nThirty days.\n\nPage 5\nAfter."
    assert _lit_words(dialog.text) == ["Thirty days."] and dialog.text.isReadOnly() and dialog.text.isVisible()
    assert not dialog.unsaved() and not asked


def test_the_page_of_the_passage_is_asked_for_and_shown_where_it_is_lit(theme: Theme, qtbot: QtBot) -> None:
    dialog, asked = _opened(theme, qtbot, has_pages=True)
    assert [number for number, _ in asked] == [4] and asked[0][1] > 300 and dialog.page.isVisible()
    dialog.show_page(_page(4, lit=((50, 1_200, 100, 20),)))
    assert dialog.page.verticalScrollBar().value() > 900
    picture = dialog.page.paper.grab().toImage()
    assert picture.pixelColor(300, 1_210) == QColor("white") != picture.pixelColor(90, 1_210)
    assert dialog.page.accessibleName() == "leave.pdf, page 4, page 4 of 9"
    assert dialog.page.accessibleDescription() == dialog.text.toPlainText() == "Text of page 4."
    assert dialog.where.text() == "Page 4 of 9"


@pytest.mark.parametrize(
    ("key", "modifier", "scrolled", "number"),
    [
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, "start", 5),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, "start", 3),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, "start", 3),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, "end", None),
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, "start", None),
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.NoModifier, "end", 5),
        (Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, "end", 5),
        (Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, "start", None),
        (Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier, "start", 5),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier, "end", 3),
    ],
)
def test_keys_turn_the_page_where_no_more_of_it_is_hidden(
    key: Qt.Key, modifier: Qt.KeyboardModifier, scrolled: str, number: int | None, theme: Theme, qtbot: QtBot
) -> None:
    dialog, asked = _opened(theme, qtbot, has_pages=True)
    dialog.show_page(_page(4))
    bar = dialog.page.verticalScrollBar()
    bar.setValue(0 if scrolled == "start" else bar.maximum())
    asked.clear()
    dialog.page.setFocus()
    qtbot.keyClick(dialog.page, key, modifier)
    assert [each for each, _ in asked] == ([] if number is None else [number])


def test_a_page_turned_back_is_shown_from_its_end(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _opened(theme, qtbot, has_pages=True)
    dialog.show_page(_page(4))
    qtbot.keyClick(dialog.page, Qt.Key.Key_PageUp)
    dialog.show_page(_page(3))
    assert dialog.page.verticalScrollBar().value() == dialog.page.verticalScrollBar().maximum()


def test_buttons_turn_and_end_with_the_pages(theme: Theme, qtbot: QtBot) -> None:
    dialog, asked = _opened(theme, qtbot, has_pages=True)
    assert not _button(dialog, "pageOn").isEnabled()  # nobody knows yet how many there are
    dialog.show_page(_page(4))
    for number in (5, 6, 7, 8, 9):
        qtbot.keyClick(_button(dialog, "pageOn"), Qt.Key.Key_Space)
        dialog.show_page(_page(number))
    assert [each for each, _ in asked] == [4, 5, 6, 7, 8, 9] and not _button(dialog, "pageOn").isEnabled()
    qtbot.keyClick(_button(dialog, "pageBack"), Qt.Key.Key_Space)
    assert asked[-1][0] == 8 and _button(dialog, "pageBack").isEnabled()


def test_a_page_that_was_left_meanwhile_is_not_shown(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _opened(theme, qtbot, has_pages=True)
    dialog.show_page(_page(4))
    qtbot.keyClick(dialog.page, Qt.Key.Key_Right)
    qtbot.keyClick(dialog.page, Qt.Key.Key_Right)
    dialog.show_page(_page(5))
    assert dialog.where.text() == "Page 6 of 9" and "page 4" in dialog.text.toPlainText()
    dialog.show_failure(5, "It is damaged.")
    assert not dialog.problem.isVisible() and dialog.page.isVisible()


def test_a_page_is_made_larger_and_smaller_within_bounds(theme: Theme, qtbot: QtBot) -> None:
    dialog, asked = _opened(theme, qtbot, has_pages=True)
    dialog.show_page(_page(4))
    fits = asked[0][1]
    for _ in range(20):
        qtbot.keyClick(dialog.page, Qt.Key.Key_Plus)
    assert asked[-1] == (4, fits * 3)
    for _ in range(20):
        qtbot.keyClick(_button(dialog, "pageSmaller"), Qt.Key.Key_Space)
    assert asked[-1] == (4, round(fits / 2))


def test_the_text_of_the_page_is_a_view_of_its_own(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _opened(theme, qtbot, has_pages=True)
    dialog.show_page(_page(4))
    qtbot.keyClick(_button(dialog, "pageText"), Qt.Key.Key_Space)
    assert dialog.text.isVisible() and not dialog.page.isVisible() and _lit_words(dialog.text) == ["Text"]
    qtbot.keyClick(dialog.text, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert dialog.where.text() == "Page 5 of 9"
    dialog.show_page(_page(5))
    assert dialog.text.toPlainText() == "Text of page 5."
    qtbot.keyClick(_button(dialog, "pageText"), Qt.Key.Key_Space)
    assert dialog.page.isVisible()


def test_where_a_page_cannot_be_drawn_its_text_stands_with_the_reason(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _opened(theme, qtbot, has_pages=True)
    dialog.show_failure(4, "It is damaged and cannot be drawn.")
    assert dialog.text.isVisible() and _lit_words(dialog.text) == ["Thirty days."]
    assert dialog.problem.text() == "It is damaged and cannot be drawn."


def test_a_later_page_that_cannot_be_drawn_has_no_text_of_another(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _opened(theme, qtbot, has_pages=True)
    dialog.show_page(_page(4))
    qtbot.keyClick(dialog.page, Qt.Key.Key_Right)
    dialog.show_failure(5, "It is damaged.")
    assert dialog.text.isVisible() and not dialog.text.toPlainText()
    qtbot.keyClick(_button(dialog, "pageOn"), Qt.Key.Key_Space)
    dialog.show_page(_page(6))
    assert dialog.page.isVisible() and not dialog.problem.isVisible()
