"""Shares projects with a workspace, and ends that for everybody or for this person."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from chatdesk.core.domain.sharing.team import EndReason, ShareCount, ShareState, TeamRole
from chatdesk.core.errors import NotFound, NotPossible
from chatdesk.core.events import EventBus, ProjectDeleted, TeamChanged, ThreadsChanged
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.sync import erased_project, sharing, team
from chatdesk.core.sync.known_teams import KnownTeams
from chatdesk.core.sync.members.server_calls import recorded_wish
from chatdesk.core.sync.team_servers import TeamServers
from chatdesk.core.texts import Text


class ProjectSharing:
    """The use cases of sharing projects; ``TeamService.sharing`` exposes it. ``sync_now`` starts a round of a
    workspace."""

    def __init__(
        self,
        database: Database,
        repositories: Repositories,
        bus: EventBus,
        *,
        known: KnownTeams,
        servers: TeamServers,
        sync_now: Callable[[str], None],
    ) -> None:
        self._database = database
        self._repositories = repositories
        self._bus = bus
        self._known = known
        self._servers = servers
        self._sync_now = sync_now

    async def share_count(self, project_id: str) -> ShareCount:
        """Return how much would be sent if the project were shared."""
        return await self._database.read(lambda conn: sharing.count(conn, project_id))

    async def share(self, project_id: str, workspace_id: str) -> None:
        """Share a project with a workspace; sending continues by itself, across restarts. Needs the server. Raises
        ``TeamError``, ``NotPossible``, ``StorageError``."""
        workspace = self._known.workspace(workspace_id)
        known = self._known.shared_project(project_id)
        if known is not None and known.state is not ShareState.ENDED and known.workspace_id != workspace_id:
            raise NotPossible(
                Text("This project is shared with another workspace already."),
                next_step=Text("Stop sharing it there first."),
            )
        await self._repositories.projects.get(project_id)
        async with self._servers.reach(workspace, self._database.device_id) as server:
            # The server first: it may refuse, and the same request twice does no harm.
            head = await asyncio.to_thread(server.shares.create, project_id)
        origin = self._database.origin
        role = TeamRole(head.role)

        def start_share(conn: Connection) -> None:
            there = team.shared_project(conn, project_id)
            # The thread of sync may have seen it first, and has added it then.
            if there is None or there.state is ShareState.ENDED:
                sharing.start(conn, origin, project_id, workspace_id, role, head.channel, joined_seq=head.seq)

        await self._database.write(start_share)
        await self._known.refresh()
        self._bus.publish(TeamChanged())
        self._sync_now(workspace_id)

    async def unshare(self, project_id: str, *, and_erase: bool = False) -> None:
        """End the share for all members as its owner, or leave it as another member; a private copy stays here.
        ``and_erase``, for owners: it is removed from the server and from all computers that sync. Needs the server.
        Raises ``TeamError``, ``NotPossible``, ``StorageError``."""
        project = self._known.shared_project(project_id)
        if project is None or project.state is ShareState.ENDED:
            raise NotPossible(Text("This project is not shared."))
        is_owner = project.role is TeamRole.OWNER
        if and_erase and not is_owner:
            raise NotPossible(Text("Only owners erase a project."), next_step=Text("Ask one of its owners."))
        reason = EndReason.UNSHARED if is_owner else EndReason.LEFT
        workspace, device = self._known.workspace(project.workspace_id), self._database.device_id
        async with self._known.ending(project_id):
            async with self._servers.reach(workspace, device) as server:
                end = server.shares.end if is_owner else server.shares.leave
                async with recorded_wish(self._database, lambda conn: sharing.record_wish(conn, project_id, reason)):
                    await asyncio.to_thread(server.shares.erase if and_erase else end, project_id)
            if and_erase:
                await self._database.write(lambda conn: erased_project.erase(conn, self._database.origin, project_id))
                await self._publish_erasure(project_id)
            else:
                await self._database.write(lambda conn: sharing.end(conn, project_id, reason))
        self._bus.publish(TeamChanged())
        self._sync_now(project.workspace_id)

    async def _publish_erasure(self, project_id: str) -> None:
        with contextlib.suppress(NotFound):  # swept already
            self._bus.publish(ProjectDeleted(await self._repositories.projects.get(project_id)))
        self._bus.publish(ThreadsChanged(None))
