"""*Check against the server*: compares what this profile has with a team's log, and lets an owner accept its losses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import ServerCheck, TeamRole, Workspace
from chatdesk.core.errors import NotFound
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import check as sync_check
from chatdesk.core.sync.known_teams import KnownTeams
from chatdesk.core.sync.server_comparison import compare
from chatdesk.core.sync.team_servers import TeamServers
from chatdesk.core.texts import Text

if TYPE_CHECKING:  # loaded only where there is a team
    from chatdesk.core.sync.team_store.postgres import PostgresTeamStore


class ServerChecks:
    """Compares the server with this profile on request; ``TeamService.checks`` exposes it. ``sync_now`` starts a round
    of all workspaces."""

    def __init__(
        self,
        database: Database,
        *,
        known: KnownTeams,
        servers: TeamServers,
        sync_now: Callable[[], None],
    ) -> None:
        self._database = database
        self._known = known
        self._servers = servers
        self._sync_now = sync_now

    async def check(self, workspace_id: str) -> ServerCheck:
        """Compare everything this profile has pulled with the server, change by change. Raises ``TeamError``."""
        workspace = self._known.workspace(workspace_id)
        async with self._servers.reach(workspace, self._database.device_id) as server:
            found = await asyncio.to_thread(compare, self._database.read_now, server, workspace_id)
            lost = await self._lost(workspace, server)
        accepted = await self._database.read(partial(sync_check.accepted_losses, workspace_id=workspace_id))
        return replace(found, lost=lost, accepted=accepted)

    async def lost(self, workspace_id: str) -> tuple[LostChanges, ...]:
        """Return the losses of the server in the shared projects. Raises ``TeamError``."""
        workspace = self._known.workspace(workspace_id)
        async with self._servers.reach(workspace, self._database.device_id) as server:
            return await self._lost(workspace, server)

    async def accept(self, lost: LostChanges) -> None:
        """Let a project go on without what the server has lost of it, as its owner; every computer pulls it again.
        Raises ``TeamError``."""
        project = self._known.shared_project(lost.project_id)
        if project is None:
            raise NotFound(Text("This project is not shared."))
        workspace = self._known.workspace(project.workspace_id)
        async with self._servers.reach(workspace, self._database.device_id) as server:
            await asyncio.to_thread(server.gaps.accept, lost.project_id, lost.ranges)
        self._sync_now()

    async def _lost(self, workspace: Workspace, server: PostgresTeamStore) -> tuple[LostChanges, ...]:
        logs = await self._database.read(partial(sync_check.held, workspace_id=workspace.id))
        found = []
        for log in logs:
            shared = self._known.shared_project(log.project_id)
            if ranges := await asyncio.to_thread(server.gaps.of, log.project_id):
                may_accept = shared is not None and shared.role is TeamRole.OWNER
                found.append(LostChanges(log.project_id, log.name, ranges, may_accept))
        return tuple(found)
