"""Provides team sync to the window and scripts: workspaces, shares, status and presence.

One service serves all workspaces. Each workspace has threads of its own (``workspace_sync``), which the service starts
and stops; coroutines and events belong to the event loop's thread. Values needed during painting (unread counts, roles,
names, presence) are kept in memory, so that a look-up costs one dictionary access.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from functools import partial
from typing import Final

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import Presence, ShareState, SyncPhase, SyncStatus
from chatdesk.core.events import EventBus, TeamChanged
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.sync import sharing, team_notes
from chatdesk.core.sync.computers.keys import ComputerKeys
from chatdesk.core.sync.computers.own_computers import OwnComputers
from chatdesk.core.sync.decisions import TeamDecisions
from chatdesk.core.sync.erasing import Erasing
from chatdesk.core.sync.event_publisher import SyncEventPublisher
from chatdesk.core.sync.known_teams import KnownTeams, TeamRecords
from chatdesk.core.sync.members.membership import Membership
from chatdesk.core.sync.project_sharing import ProjectSharing
from chatdesk.core.sync.server_checks import ServerChecks
from chatdesk.core.sync.team_servers import TeamServers
from chatdesk.core.sync.worker import POLL_S
from chatdesk.core.sync.workspace_sync import WorkspaceSync
from chatdesk.core.system.sleep_watch import SleepWatch

_log = logging.getLogger(__name__)

# A call that takes longer never returns: the server ends its statements sooner.
STUCK_S: Final = 40.0


@dataclass(frozen=True, slots=True)
class SyncTimes:
    """The times of sync: a server is asked after ``poll_s`` although no hint came, and a folder, which tells of each
    change itself, after ``place_poll_s``; a call may take ``stuck_s``."""

    poll_s: float = POLL_S
    stuck_s: float = STUCK_S
    place_poll_s: float = 180.0


class TeamService:
    """Syncs the workspaces of a profile. Made lazily, on the event loop's thread; does nothing before ``start``."""

    def __init__(
        self,
        database: Database,
        repositories: Repositories,
        bus: EventBus,
        clock: Clock,
        *,
        servers: TeamServers,
        blobs: BlobStore,
        keys: ComputerKeys,
        times: SyncTimes = SyncTimes(),
    ) -> None:
        self._database = database
        self._repositories = repositories
        self._bus = bus
        self._clock = clock
        self._servers = servers
        self._blobs = blobs
        self._times = times
        self.known = KnownTeams(database, bus)
        self.records = TeamRecords(database)
        self.sharing = ProjectSharing(
            database, repositories, bus, known=self.known, servers=servers, sync_now=self.sync_now
        )
        self.checks = ServerChecks(database, known=self.known, servers=servers, sync_now=self.sync_now)
        self._syncs: dict[str, WorkspaceSync] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._publisher = SyncEventPublisher(
            repositories, bus, status_of=self.status, name_of=self.known.member_name, refresh=self.known.refresh
        )
        self._membership: Membership | None = None
        self.computers = OwnComputers(database, keys, clock, on_changed=self._on_membership)
        self._starting = asyncio.Lock()
        self._has_closed = threading.Event()

    async def start(self) -> None:
        """Read the known state and start to sync every joined workspace, if any. Safe to call again, as after joining
        one."""
        async with self._starting:
            if self._has_closed.is_set():
                return
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
                self._publisher.start(self._loop)
                threading.Thread(target=self._watch_connections, name="team-watch", daemon=True).start()
            await self.known.refresh()
            if self._database.is_read_only:
                return
            self._database.log_watch.listener = self._on_written
            await self._database.write(sharing.doubt_wishes)  # left by a killed process
            await self._match_workspaces()

    async def look_up(self) -> None:
        """Read the known state without starting to sync, as for a command that only asks."""
        await self.known.refresh()

    @property
    def erasing(self) -> Erasing:
        """The service that erases single threads and messages for everybody."""
        return Erasing(self._repositories, self._bus)

    @property
    def decisions(self) -> TeamDecisions:
        """The service for what needs a person: refused changes, notes."""
        return TeamDecisions(self._database, self._bus, self._clock, self._publisher.on_counts, self.sync_now)

    @property
    def membership(self) -> Membership:
        """The service for creating, joining and leaving workspaces, and for inviting."""
        if self._membership is None:
            self._membership = Membership(
                self._database, self._servers.passwords, self._clock, on_changed=self._on_membership
            )
        return self._membership

    # The state of sync

    def status(self, workspace_id: str) -> SyncStatus:
        """Return the current status of a workspace; ``SyncPhase.OFF`` for an unknown one. Cheap."""
        sync = self._syncs.get(workspace_id)
        return SyncStatus(workspace_id, SyncPhase.OFF) if sync is None else sync.worker.status

    def statuses(self) -> tuple[SyncStatus, ...]:
        """Return the current status of all workspaces. Cheap."""
        return tuple(sync.worker.status for sync in self._syncs.values())

    def sync_now(self, workspace_id: str | None = None) -> None:
        """Start a round at once, in every workspace if ``workspace_id`` is None. Also to be called when the network
        changed or the computer woke up. Cheap, and from any thread."""
        for id_, sync in tuple(self._syncs.items()):
            if workspace_id in (None, id_):
                sync.worker.request_round()
                sync.fetch_again()

    # Unread and presence

    async def mark_read(self, thread_id: str) -> None:
        """Mark all messages of a thread as read. Publishes ``UnreadChanged`` if that changes anything."""
        if thread_id not in self.known.state.unread or self._database.is_read_only:
            return
        await self._database.write(lambda conn: team_notes.mark_read(conn, thread_id), is_durable=False)
        await self.known.refresh()

    def set_presence(self, project_id: str | None, thread_id: str | None, *, is_typing: bool = False) -> None:
        """Set the person's position; None: in no shared project. Updates are throttled, so that this may be called with
        every key. Cheap."""
        project = self.known.state.projects.get(project_id) if project_id is not None else None
        is_here = project is not None and project.state is not ShareState.ENDED
        for id_, sync in self._syncs.items():
            if is_here and project is not None and id_ == project.workspace_id:
                is_due = sync.board.stand(project_id, thread_id, is_typing=is_typing)
            else:
                is_due = sync.board.stand(None, None, is_typing=False)
            if is_due:
                sync.worker.send_presence()

    def presence(self, project_id: str) -> tuple[Presence, ...]:
        """Return the other people in a project, by name. Cheap."""
        project = self.known.state.projects.get(project_id)
        sync = self._syncs.get(project.workspace_id) if project is not None else None
        return () if sync is None else sync.board.at(project_id)

    async def close(self) -> None:
        """Stop syncing, within two seconds. Safe to call twice."""
        if self._has_closed.is_set():
            return
        self._has_closed.set()
        self._database.log_watch.listener = None
        for sync in self._syncs.values():
            sync.ask_to_stop()
        await self._publisher.close()
        await asyncio.gather(*map(self._end, self._syncs.values()))

    # Starting and stopping the sync of workspaces

    async def _match_workspaces(self) -> None:
        """Start the sync of joined workspaces; stop it for those that were left or have another address now."""
        for id_, sync in tuple(self._syncs.items()):
            if not sync.is_for(next((each for each in self.known.state.synced if each.id == id_), None)):
                del self._syncs[id_]
                sync.ask_to_stop()
                await self._end(sync)
        for workspace in self.known.state.synced:
            if workspace.id not in self._syncs:
                sync = self._syncs[workspace.id] = WorkspaceSync(
                    workspace,
                    database=self._database,
                    blobs=self._blobs,
                    open_team=partial(self._servers.open, workspace),
                    client=self._servers.client,
                    clock=self._clock,
                    listener=self._publisher,
                    poll_s=self._times.place_poll_s if workspace.place else self._times.poll_s,
                )
                sync.start()

    def _watch_connections(self) -> None:
        """Abort calls that hang, since a network may swallow everything and report nothing, and sync after a sleep of
        the computer. On a thread of its own: a window that nobody uses is not woken by it."""
        stuck_s = self._times.stuck_s
        sleep = SleepWatch(self._clock, lambda _missing_s: self.sync_now(), every_s=stuck_s / 2)
        while not self._has_closed.wait(stuck_s / 2):
            sleep.look()
            for sync in tuple(self._syncs.values()):
                sync.break_off(stuck_s)

    async def _end(self, sync: WorkspaceSync) -> None:
        if not await asyncio.to_thread(sync.join):
            _log.info("the sync of workspace %s did not end in time; it changes nothing more", sync.workspace.id)

    async def _on_membership(self, _workspace_id: str) -> None:
        """Start and stop sync as needed after a workspace was joined, left, or got another address."""
        await self.start()
        self._bus.publish(TeamChanged())
        self.sync_now()

    def _on_written(self, projects: frozenset[str]) -> None:
        """Wake sync after a commit; runs on the writing thread."""
        state = self.known.state
        for id_, sync in tuple(self._syncs.items()):
            own = [each for each in projects if state.workspace_of(each) == id_]
            if own:
                sync.worker.record_written(own)
