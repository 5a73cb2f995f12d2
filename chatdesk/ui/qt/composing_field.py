"""Shows a placeholder in a plain-text field as long as nothing is written or composed there."""

from __future__ import annotations

from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget


class ComposingField(QPlainTextEdit):
    """Shows its placeholder as long as nothing is written or composed. Qt would draw it below a word that an input
    method composes, which is not in the document yet."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.has_preedit = False
        self._placeholder = ""

    def setPlaceholderText(self, text: str) -> None:
        self._placeholder = text
        super().setPlaceholderText("" if self.has_preedit else text)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self.has_preedit = bool(event.preeditString())
        self.setPlaceholderText(self._placeholder)
        super().inputMethodEvent(event)
