"""The editor of an artifact's text: what is saved in it becomes a version, and overwrites nothing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit

from chatdesk.core.texts import tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.long_lines import break_long_lines, join_long_lines

# A text above this is edited with another program: an editor lays out all of its lines.
MOST_CHARACTERS: Final = 400_000
_AT_ONCE: Final = 8_000  # characters that are put in before the window gets its next turn


class ArtifactEditor(QPlainTextEdit):
    """A text editor for one artifact. ``saveRequested`` and ``cancelled`` come from its keys: Ctrl+Enter and Esc."""

    saveRequested = Signal()
    cancelled = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._waiting = ""
        self._original = ""
        self.setObjectName("artifactEditor")
        self.setAccessibleName(tr("Text of the artifact"))
        self.setAccessibleDescription(tr("Ctrl+Enter saves a version, Esc leaves. Tab writes a tab."))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._on_timer_timeout)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def is_loading(self) -> bool:
        """Return whether parts of the text are still to be put in; it can be read until then."""
        return self._timer.isActive()

    @property
    def is_changed(self) -> bool:
        return not self.is_loading and self.text() != self._original

    def load(self, text: str, *, original: str) -> None:
        """Show a text to be edited, a piece at a time. ``original`` is the version that it began from."""
        self._original = original
        self._waiting = break_long_lines(text)
        self.setUndoRedoEnabled(False)
        self.setReadOnly(True)
        self.clear()
        self._timer.start()

    def text(self) -> str:
        return join_long_lines(self.toPlainText())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_control = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.ControlModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and is_control:
            self.saveRequested.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _on_timer_timeout(self) -> None:
        piece, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(piece)
        if not self._waiting:
            self._timer.stop()
            self.setReadOnly(False)
            self.setUndoRedoEnabled(True)
            self.moveCursor(QTextCursor.MoveOperation.Start)

    def _on_theme_changed(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self.setFont(theme.font("code"))
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setStyleSheet(
            f"#artifactEditor {{ background: {tokens.card}; color: {tokens.text}; padding: 6px;"
            f" border: 1px solid {tokens.field_line}; border-radius: {tokens.radius.row}px;"
            f" selection-background-color: {tokens.accent};"
            f" selection-color: {tokens.on_accent}; }}"
            f"#artifactEditor:focus {{ border: 2px solid {tokens.accent}; padding: 5px; }}"
        )
