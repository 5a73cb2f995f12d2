"""Implements *Check against the server*: lists the changes that a team's log has lost, and lets an owner accept the
loss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import ServerCheck, TeamRole
from chatdesk.core.errors import NotFound
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import misfits
from chatdesk.core.sync.known_teams import KnownTeams
from chatdesk.core.sync.team_servers import TeamServers
from chatdesk.core.texts import Text


class ServerChecks:
    """Asks a server for its lost changes; ``TeamService.checks`` exposes it. ``sync_now`` starts a round of all
    workspaces."""

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
        """Return the losses of the server in the shared projects of a workspace. Raises ``TeamError``."""
        workspace = self._known.workspace(workspace_id)
        shared = await self._database.read(partial(misfits.shared, workspace_id=workspace_id))
        lost = []
        async with self._servers.reach(workspace, self._database.device_id) as server:
            for project_id, name in shared:
                if ranges := await asyncio.to_thread(server.gaps.of, project_id):
                    mine = self._known.shared_project(project_id)
                    may_accept = mine is not None and mine.role is TeamRole.OWNER
                    lost.append(LostChanges(project_id, name, ranges, may_accept))
        accepted = await self._database.read(partial(misfits.accepted_losses, workspace_id=workspace_id))
        return ServerCheck(tuple(lost), accepted)

    async def accept(self, lost: LostChanges) -> None:
        """Accept, as its owner, that a project continues without the changes that the server has lost; every computer
        pulls it again. Raises ``TeamError``."""
        project = self._known.shared_project(lost.project_id)
        if project is None:
            raise NotFound(Text("This project is not shared."))
        workspace = self._known.workspace(project.workspace_id)
        async with self._servers.reach(workspace, self._database.device_id) as server:
            await asyncio.to_thread(server.gaps.accept, lost.project_id, lost.ranges)
        self._sync_now()
