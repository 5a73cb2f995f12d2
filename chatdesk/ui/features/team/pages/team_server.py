"""Shows *Address…*: a new address for the server of a workspace."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_address import AddressFields, ReadAddress
from chatdesk.ui.theme.theme import Theme

_MOVE_PX: Final = 560


class MoveWorkspaceDialog(TaskPanel):
    """A dialog that changes the address of a workspace. ``moveRequested`` has the new address; the login stays."""

    moveRequested = Signal(object)

    def __init__(
        self,
        theme: Theme,
        workspace: str,
        address: ServerAddress,
        read_address: ReadAddress,
        *,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            tr("Where “{workspace}” is reached", workspace=workspace),
            object_name="teamMoveDialog",
            width_px=_MOVE_PX,
            parent=parent,
        )
        words = tr(
            "For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. "
            "Your login stays; your other computers and the other members move for themselves."
        )
        self.add_text(words, "text")
        self.address = AddressFields(read_address, asks_login=False)
        self.address.show_address(address, "")
        self._was = self.address.address()
        self.body.addWidget(self.address)
        self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.move_button = self.add_button(
            push_button(tr("Use this address"), "teamMoveYes", self._move, is_primary=True)
        )
        self.address.changed.connect(self._refresh)
        for field in (self.address.host, self.address.port, self.address.database):
            field.returnPressed.connect(self._move)
        self._refresh()
        self.address.host.setFocus()
        self.address.host.selectAll()

    def _refresh(self) -> None:
        self.move_button.setEnabled(self.address.is_complete and self.address.address() != self._was)

    def _move(self) -> None:
        if self.move_button.isEnabled() and not self.is_busy:
            self.show_busy(tr("Looking for the workspace…"))
            self.moveRequested.emit(self.address.address())
