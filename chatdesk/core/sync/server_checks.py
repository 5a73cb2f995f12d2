"""*Check against the server* and *Repair*: compares what this profile has with a team's log, and pulls it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import ServerCheck, TeamRole, Workspace
from chatdesk.core.errors import NotFound
from chatdesk.core.events import EventBus, ThreadsChanged
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import check as sync_check
from chatdesk.core.storage.sync import replica
from chatdesk.core.sync.known_teams import KnownTeams
from chatdesk.core.sync.server_comparison import ServerComparison
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
        bus: EventBus,
        clock: Clock,
        *,
        known: KnownTeams,
        servers: TeamServers,
        sync_now: Callable[[], None],
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._known = known
        self._servers = servers
        self._sync_now = sync_now

    async def check(self, workspace_id: str) -> ServerCheck:
        """Compare everything this profile has pulled with the server, change by change. Raises ``TeamError``."""
        workspace = self._known.workspace(workspace_id)
        async with self._servers.reach(workspace, self._database.device_id) as server:
            comparison = ServerComparison(
                self._database.read_now, server, workspace, clock=self._clock, folder=self._database.path.parent
            )
            found = await asyncio.to_thread(comparison.run)
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

    async def repair(self, check: ServerCheck) -> None:
        """Rebuild and fetch again what ``check`` found to differ from the team's log. Local writing stays; everything
        of these projects is pulled again, with progress in ``status``. Raises ``StorageError``."""
        origin = self._database.origin
        for project_id in check.repairable:
            found = await self._database.read(partial(replica.registers, project_id=project_id))
            for some in replica.steps(found):
                project = partial(replica.project_again, origin=origin, project_id=project_id, registers=some)
                await self._database.write(project)
            await self._database.write(partial(replica.start_over_quietly, project_id=project_id))
        self._bus.publish(ThreadsChanged(None))
        self._sync_now()
