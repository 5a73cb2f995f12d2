"""The actions behind the dialogs about a workspace's server: an upgrade of the database, another address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.domain.sharing.team import ServerAddress, Workspace
from chatdesk.core.sync.address import read_address
from chatdesk.core.sync.members.membership import Membership
from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_policy import WorkspacePolicyDialog
from chatdesk.ui.features.team.pages.team_server import MoveWorkspaceDialog, UpgradeDatabaseDialog
from chatdesk.ui.features.team.pages.team_text import address_words
from chatdesk.ui.theme.theme import Theme


class TeamServer:
    """Runs the dialogs about a workspace's server. ``find`` gives a workspace by its id, ``do`` runs what a dialog
    asked for and says there what failed, ``show_text`` shows a text on the team page or in the window, ``parent`` is
    what a dialog opens over."""

    def __init__(
        self,
        theme: Theme,
        membership: Membership,
        *,
        find: Callable[[str], Awaitable[Workspace]],
        do: Callable[[TaskPanel, Callable[[], Awaitable[None]], str], None],
        show_text: Callable[[str], None],
        parent: Callable[[], QWidget],
    ) -> None:
        self._theme = theme
        self._membership = membership
        self._find = find
        self._do = do
        self._show_text = show_text
        self._parent = parent

    async def upgrade(self, workspace_id: str) -> None:
        workspace = await self._find(workspace_id)
        dialog = UpgradeDatabaseDialog(self._theme, workspace.name, workspace.address, parent=self._parent())

        async def upgrade(user: str, password: str) -> None:
            await self._membership.upgrade(workspace.id, user=user, password=password)
            if isValid(dialog):
                dialog.accept()
            self._show_text(tr("The database of “{name}” is up to date.", name=workspace.name))

        dialog.upgradeRequested.connect(lambda *of: self._do(dialog, lambda: upgrade(*of), "upgrade database"))
        dialog.open()

    async def decide_policy(self, workspace_id: str) -> None:
        workspace = await self._find(workspace_id)
        policy = await self._membership.administration.policy(workspace_id)
        members = len(await self._membership.administration.members(workspace_id))
        dialog = WorkspacePolicyDialog(self._theme, workspace.name, policy, members=members, parent=self._parent())

        async def save(changed: Mapping[str, str | int]) -> None:
            if changed:
                await self._membership.administration.set_policy(workspace_id, changed)
                self._show_text(tr("The rights and limits of “{name}” apply from now on.", name=workspace.name))
            if isValid(dialog):
                dialog.accept()

        dialog.policyRequested.connect(lambda changed: self._do(dialog, lambda: save(changed), "workspace policy"))
        dialog.open()

    async def move(self, workspace_id: str) -> None:
        workspace = await self._find(workspace_id)
        dialog = MoveWorkspaceDialog(
            self._theme, workspace.name, workspace.address, read_address, parent=self._parent()
        )

        async def move(address: ServerAddress) -> None:
            await self._membership.move(workspace.id, address)
            if isValid(dialog):
                dialog.accept()
            self._show_text(
                tr(
                    "This computer now uses {address} for “{name}”.",
                    name=workspace.name,
                    address=address_words(address),
                )
            )

        dialog.moveRequested.connect(lambda of: self._do(dialog, lambda: move(of), "move workspace"))
        dialog.open()
