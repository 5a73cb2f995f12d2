"""Implements a dialog's field for longer plain text, limited to the storable length. Tab leaves it."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QKeyEvent

from chatdesk.core.texts import shown
from chatdesk.ui.qt.composing_field import ComposingField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX
from chatdesk.ui.widgets.long_lines import break_long_lines, join_long_lines


class TextField(ComposingField):
    """A plain-text field for dialogs. ``most`` characters can be pasted at a time. ``is_one_value``: the text is one
    value, such as a code, so that Enter goes on (``entered``) and Shift+Enter begins a line."""

    entered = Signal()

    def __init__(self, theme: Theme, *, name: str, object_name: str, most: int, is_one_value: bool = False) -> None:
        super().__init__()
        self._is_one_value = is_one_value
        self._most = most
        tokens = theme.tokens
        self.setObjectName(object_name)
        self.setAccessibleName(shown(name))
        self.setTabChangesFocus(True)
        self.setFont(theme.font("text"))
        self.setStyleSheet(
            f"QPlainTextEdit {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.field_line};"
            f" border-radius: {tokens.radius.row}px; padding: 3px 5px; placeholder-text-color: {tokens.muted};"
            f" selection-background-color: {tokens.accent}; selection-color: {tokens.on_accent}; }}"
            f"QPlainTextEdit:focus {{ border: {FOCUS_RING_PX}px solid {tokens.accent}; padding: 2px 4px; }}"
        )

    def written(self) -> str:
        """Return the text that the person wrote: the field holds very long lines in pieces."""
        return join_long_lines(self.toPlainText())

    def show_written(self, text: str) -> None:
        """Replace all text, without a step to undo."""
        self.setPlainText(break_long_lines(text))

    def replace_written(self, text: str) -> None:
        """Replace all text as one step to undo."""
        cursor = self.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(break_long_lines(text))
        self.setTextCursor(cursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self._is_one_value and is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.entered.emit()
            return
        super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText() and not self.isReadOnly():
            self.textCursor().insertText(break_long_lines(source.text()[: self._most]))
            self.ensureCursorVisible()
