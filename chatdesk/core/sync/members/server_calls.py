"""Finds the workspaces that this profile has joined, and calls their servers in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from chatdesk.core.domain.sharing.team import Workspace
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import sharing, team
from chatdesk.core.sync.members.joining import connect
from chatdesk.core.sync.members.membership_errors import NotJoined
from chatdesk.core.sync.members.team_passwords import TeamPasswords
from chatdesk.core.sync.team_store.administration import Administration

T = TypeVar("T")


class ServerCalls:
    """Calls the servers of joined workspaces with the passwords that are kept for them."""

    def __init__(self, database: Database, passwords: TeamPasswords) -> None:
        self._database = database
        self._passwords = passwords

    async def find(self, workspace_id: str) -> Workspace:
        """Return a joined workspace. Raises ``NotJoined``."""
        wanted = checked_id(workspace_id)
        for each in await self._database.read(team.workspaces):
            if each.id == wanted:
                return each
        raise NotJoined

    async def run(self, workspace: Workspace, work: Callable[[Administration], T]) -> T:
        """Run ``work`` in a thread with a connection of its own. Raises ``TeamError``."""

        def run() -> T:
            with self.connect(workspace) as server:
                return work(server)

        return await asyncio.to_thread(run)

    def connect(self, workspace: Workspace) -> Administration:
        """Connect to the server of a workspace. Blocks. Raises ``TeamError``."""
        return self._passwords.open_with(workspace.id, workspace.address, partial(connect, workspace.address))


@asynccontextmanager
async def recorded_wish(database: Database, record: Callable[[Any], None]) -> AsyncIterator[None]:
    """Record the wish before the server is asked inside the block. If that fails, perhaps only the server's answer was
    lost: the wish counts until the server names the project again."""
    await database.write(record)
    try:
        yield
    except BaseException:
        await database.write(sharing.doubt_wishes)
        raise
