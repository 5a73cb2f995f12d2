"""Asks what becomes of a temporary chat that is about to end: once, and only where it holds something."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 460
_QUESTION = "Keep the temporary chat?"
_TEXT = "Nothing of it is stored. Keep it as a thread like any other, or let it go for good."


class TemporaryDialog(Panel):
    """``answered(is_kept)`` comes once, when one of the two was chosen; Esc and *Cancel* leave everything as it is. The
    button that loses nothing has the focus."""

    answered = Signal(bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, _QUESTION, parent=parent)
        self.setObjectName("temporaryDialog")
        self.setAccessibleDescription(_TEXT)
        cancel, forget, keep = (QPushButton(text) for text in ("Cancel", "Do not keep", "Keep"))
        row = QHBoxLayout()
        row.addStretch(1)
        for button, name in ((cancel, "temporaryCancel"), (forget, "temporaryForget"), (keep, "temporaryKeep")):
            button.setObjectName(name)
            button.setAutoDefault(False)
            row.addWidget(button)
        forget.setProperty("isDanger", True)
        keep.setProperty("isPrimary", True)
        cancel.clicked.connect(self.reject)
        forget.clicked.connect(lambda: self._answer(is_kept=False))
        keep.clicked.connect(lambda: self._answer(is_kept=True))
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label(_QUESTION, "strong", wraps=True))
        column.addWidget(plain_label(_TEXT, "text", wraps=True), 1)
        column.addSpacing(6)
        column.addLayout(row)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))
        keep.setFocus()

    def _answer(self, *, is_kept: bool) -> None:
        self.accept()
        self.answered.emit(is_kept)
