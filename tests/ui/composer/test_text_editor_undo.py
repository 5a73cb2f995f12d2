"""What one Ctrl+Z takes back in the field that a message is typed into."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from chatdesk.ui.composer.text_editor import TextEditor

SENTENCE = "the quick brown fox jumps over the lazy dog"


class _Typist:
    """Types with a pause before each key; the clock is that of the keys."""

    def __init__(self, editor: TextEditor) -> None:
        self._editor = editor
        self._now_ms = 1_000_000

    def type(self, text: str, *, pause_ms: int = 0, each_ms: int = 60) -> None:
        self._now_ms += pause_ms
        for letter in text:
            self._now_ms += each_ms
            event = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)
            event.setTimestamp(self._now_ms)
            QApplication.sendEvent(self._editor, event)


@pytest.fixture
def editor(qapp: QApplication) -> TextEditor:
    return TextEditor()


def _undone(editor: TextEditor) -> list[str]:
    """Return what is left after each undo, until nothing can be undone."""
    left = [editor.toPlainText()]
    while editor.document().isUndoAvailable():
        editor.undo()
        if editor.toPlainText() != left[-1]:
            left.append(editor.toPlainText())
    return left[1:]


def test_a_pause_parts_what_is_undone(editor: TextEditor) -> None:
    typist = _Typist(editor)
    typist.type("First")
    typist.type(" thought.", pause_ms=1_500)
    assert _undone(editor) == ["First", ""]


@pytest.mark.parametrize("each_ms", [30, 60, 100, 250, 900])
def test_steady_typing_is_undone_by_words_not_all_at_once(editor: TextEditor, each_ms: int) -> None:
    _Typist(editor).type(SENTENCE, each_ms=each_ms)
    left = _undone(editor)
    assert len(left) > 1 and left[-1] == ""
    assert all(not each or (SENTENCE.startswith(each) and each.endswith(" ")) for each in left)
    while editor.document().isRedoAvailable():
        editor.redo()
    assert editor.written() == SENTENCE


def test_a_short_text_is_one_step(editor: TextEditor) -> None:
    _Typist(editor).type("so be it")
    assert _undone(editor) == [""]
