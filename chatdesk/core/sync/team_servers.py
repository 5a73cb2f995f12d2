"""Connects to the servers of workspaces, with the address and password of the moment, and closes connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chatdesk.core.domain.sharing.team import Workspace
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.members.team_passwords import TeamPasswords
from chatdesk.core.sync.team_store.postgres import TeamStore, connect

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Client:
    """The name and version of this computer's ChatDesk, as they are sent to the server."""

    name: str
    version: str


class TeamServers:
    """Opens connections as this computer. ``open_place`` opens the folder of a workspace that is one."""

    def __init__(
        self,
        passwords: TeamPasswords,
        client: Client,
        open_place: Callable[[Workspace], Carrier],
    ) -> None:
        self.passwords = passwords
        self.client = client
        self._open_place = open_place

    def open(self, workspace: Workspace) -> Carrier:
        """Connect, on a thread of sync. Raises ``TeamError``."""
        return self._open_place(workspace) if workspace.place else self._connect(workspace)

    def _connect(self, workspace: Workspace) -> TeamStore:
        return self.passwords.open_with(
            workspace.id, workspace.address, lambda password: connect(workspace.address, password)
        )

    @asynccontextmanager
    async def reach(self, workspace: Workspace, device_id: str) -> AsyncIterator[TeamStore]:
        """Connect for a few calls that a person waits for. Raises ``TeamError``."""
        server = await asyncio.to_thread(self._connect, workspace)
        try:
            await asyncio.to_thread(server.hello, device_id, name=self.client.name, version=self.client.version)
            yield server
        finally:
            await asyncio.to_thread(server.close)


def close_quietly(team: Carrier | None) -> None:
    """Close a connection, if there is one. A failure is only logged, because the connection is gone either way."""
    if team is None:
        return
    try:
        team.close()
    except Exception as error:  # noqa: BLE001 - see above
        _log.info("closing a connection failed: %s", type(error).__name__)
