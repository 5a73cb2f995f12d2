"""*Add a provider…*: the same fields as on the first screen, over the window."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.features.first_screen.connect_provider import ConnectProvider
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 600


class ConnectDialog(FormPanel):
    """A dialog that connects a provider. ``manageRequested`` asks for the page of all providers in its place."""

    manageRequested = Signal()

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Add a provider"), object_name="connectDialog", width_px=_WIDTH_PX, parent=parent)
        self.connection = ConnectProvider(theme)
        hint = tr("Paste the key of a provider, or choose a server of your own. It is tested before it is kept.")
        self.add_text(hint)
        self.body.addWidget(self.connection)
        self.add_button(push_button(tr("All providers…"), "connectManage", self._on_manage_clicked), is_first=True)
        self.add_button(push_button(tr("Cancel"), "connectCancel", self.reject))
        self.connection.focus_first_field()

    def _on_manage_clicked(self) -> None:
        self.reject()
        self.manageRequested.emit()
