"""Asks before something that is not easily undone. Opened, not waited for: the answer is a signal."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 440


class ConfirmDialog(Panel):
    """``answered(bool)`` comes exactly once; Esc and closing mean no. The safe button has the focus."""

    answered = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        question: str,
        text: str,
        *,
        yes_text: str,
        no_text: str = "Cancel",
        is_dangerous: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, question, parent=parent)
        self.setObjectName("confirmDialog")
        self.setAccessibleDescription(text)
        no, yes = QPushButton(no_text), QPushButton(yes_text)
        no.setObjectName("confirmNo")
        yes.setObjectName("confirmYes")
        yes.setProperty("isDanger" if is_dangerous else "isPrimary", True)
        for button in (no, yes):
            button.setAutoDefault(False)
        no.clicked.connect(self.reject)
        yes.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(no)
        row.addWidget(yes)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label(question, "strong", wraps=True))
        column.addWidget(plain_label(text, "text", wraps=True), 1)
        column.addSpacing(6)
        column.addLayout(row)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))
        self.finished.connect(lambda result: self.answered.emit(result == Panel.DialogCode.Accepted.value))
        no.setFocus()
