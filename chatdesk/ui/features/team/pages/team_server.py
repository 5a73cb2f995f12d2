"""About the server of a workspace: bringing its database up to date, and reaching it at another address."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.texts import Text, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_address import AddressFields, ReadAddress
from chatdesk.ui.features.team.pages.team_text import address_words
from chatdesk.ui.theme.theme import Theme

_UPGRADE_PX: Final = 520
_MOVE_PX: Final = 560
# Said on the page where an upgrade can be done.
OUTDATED: Final = Text(
    "This version of ChatDesk brings a newer form of the team's database. Everyone can go on working "
    "with the present one until you upgrade it."
)


class UpgradeDatabaseDialog(TaskPanel):
    """A dialog that upgrades the server's database. ``upgradeRequested`` has the login that set the database up, and
    its password."""

    upgradeRequested = Signal(str, str)

    def __init__(self, theme: Theme, workspace: str, address: ServerAddress, *, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            tr("Upgrade the database of “{workspace}”", workspace=workspace),
            object_name="teamUpgradeDialog",
            width_px=_UPGRADE_PX,
            parent=parent,
        )
        words = tr(
            "The upgrade happens in one step or not at all, and members go on working. Older versions of "
            "ChatDesk go on too, or ask to be updated; what is written in those waits until then. Make a backup "
            "of the database first."
        )
        self.add_text(words, "text")
        self.add_text(tr("The database is {address}.", address=address_words(address)), "text")
        self.user = _field("teamUpgradeUser", tr("User who set the database up"))
        self.password = _field("teamUpgradePassword", tr("Password of that user"))
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        for field in (self.user, self.password):
            label = plain_label(field.accessibleName(), "text", wraps=True)
            label.setBuddy(field)
            self.body.addWidget(label)
            self.body.addWidget(field)
            field.textChanged.connect(self._refresh)
            field.returnPressed.connect(self._upgrade)
        hint = tr(
            "Not your own login, but the owner of the database, who may create roles. The password is used once "
            "and not kept."
        )
        self.add_text(hint)
        self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.upgrade_button = self.add_button(
            push_button(tr("Upgrade"), "teamUpgradeYes", self._upgrade, is_primary=True)
        )
        self._refresh()
        self.user.setFocus()

    def _refresh(self) -> None:
        self.upgrade_button.setEnabled(bool(self.user.text().strip() and self.password.text()))

    def _upgrade(self) -> None:
        if self.upgrade_button.isEnabled() and not self.is_busy:
            self.show_busy(tr("Upgrading the database…"))
            self.upgradeRequested.emit(self.user.text().strip(), self.password.text())


class MoveWorkspaceDialog(TaskPanel):
    """A dialog that changes the address of a workspace. ``moveRequested`` has the new address; who logs in stays."""

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


def _field(object_name: str, name: str) -> QLineEdit:
    return named(QLineEdit(), object_name, name)
