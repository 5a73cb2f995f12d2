"""Runs the actions of the dialog about the address of a workspace's server."""

from __future__ import annotations

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.sync.address import read_address
from chatdesk.core.texts import tr
from chatdesk.ui.features.team.pages.team_server import MoveWorkspaceDialog
from chatdesk.ui.features.team.pages.team_text import address_words
from chatdesk.ui.features.team.team_desk import TeamDesk


class TeamServer:
    """Runs the dialog about a workspace's server."""

    def __init__(self, desk: TeamDesk) -> None:
        self._desk = desk

    async def move(self, workspace_id: str) -> None:
        workspace = await self._desk.workspace(workspace_id)
        dialog = MoveWorkspaceDialog(
            self._desk.theme, workspace.name, workspace.address, read_address, parent=self._desk.parent()
        )

        async def move(address: ServerAddress) -> None:
            await self._desk.team.membership.move(workspace.id, address)
            address_text = address_words(address)
            self._desk.finish(
                dialog, tr("This computer now uses {address} for “{name}”.", name=workspace.name, address=address_text)
            )

        dialog.moveRequested.connect(lambda of: self._desk.do(dialog, lambda: move(of), "move workspace"))
        dialog.open()
