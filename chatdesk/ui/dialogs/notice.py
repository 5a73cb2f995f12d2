"""A message with one button: something a person must have read."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 440


class NoticeDialog(Panel):
    def __init__(
        self, theme: Theme, title: str, text: str, *, button_text: str = "Close", parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, title, parent=parent)
        self.setObjectName("noticeDialog")
        self.setAccessibleDescription(text)
        body = plain_label(text, "text", wraps=True)
        body.setObjectName("noticeText")
        body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons = QHBoxLayout()
        self.buttons.addStretch(1)
        close = QPushButton(button_text)
        close.setObjectName("noticeClose")
        close.clicked.connect(self.accept)
        self.buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label(title, "strong", wraps=True))
        column.addWidget(body, 1)
        column.addSpacing(6)
        column.addLayout(self.buttons)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))
        close.setDefault(True)
        close.setFocus()
