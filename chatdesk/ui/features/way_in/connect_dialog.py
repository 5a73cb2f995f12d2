"""*Add a provider…*: the same fields as on the first screen, over the window."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.features.way_in.connect_provider import ConnectProvider
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (600, 300)


class ConnectDialog(Panel):
    """``manageRequested`` asks for the page of all providers in its place."""

    manageRequested = Signal()

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Add a provider", parent=parent)
        self.setObjectName("connectDialog")
        self.connection = ConnectProvider(theme)
        manage = QPushButton("All Providers…")
        manage.setObjectName("connectManage")
        cancel = QPushButton("Cancel")
        cancel.setObjectName("connectCancel")
        for button in (manage, cancel):
            button.setAccessibleName(button.text())
            button.setAutoDefault(False)
        manage.clicked.connect(self._on_manage_clicked)
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(manage)
        row.addStretch(1)
        row.addWidget(cancel)
        hint = "Paste the key of a provider, or choose a server of your own. It is tested before it is kept."
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label(self.windowTitle(), "strong"))
        column.addWidget(plain_label(hint, "muted", wraps=True))
        column.addWidget(self.connection, 0, Qt.AlignmentFlag.AlignTop)
        column.addStretch(1)
        column.addLayout(row)
        self.fit(*_SIZE_PX)
        self.connection.begin()

    def _on_manage_clicked(self) -> None:
        self.reject()
        self.manageRequested.emit()
