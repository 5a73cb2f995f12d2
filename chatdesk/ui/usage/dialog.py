"""The usage page in a dialog of its own."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.usage.page import UsagePage

_SIZE_PX = (820, 680)


class UsageDialog(Panel):
    """Holds ``page``; Esc closes it."""

    def __init__(self, theme: Theme, page: UsagePage, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Usage", parent=parent)
        self.setObjectName("usageDialog")
        self.page = page
        close = QPushButton("Close")
        close.setObjectName("usageClose")
        close.setAccessibleName("Close")
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label("Usage", "heading"))
        column.addWidget(page, 1)
        column.addLayout(buttons)
        self.fit(*_SIZE_PX)
