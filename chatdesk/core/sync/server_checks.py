"""*Check against the server* and *Repair*: compares what this profile has with a team's log, and pulls it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import ServerCheck
from chatdesk.core.events import EventBus, ThreadsChanged
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import replica
from chatdesk.core.sync.known_teams import KnownTeams
from chatdesk.core.sync.server_comparison import ServerComparison
from chatdesk.core.sync.team_servers import TeamServers


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
            return await asyncio.to_thread(comparison.run)

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
