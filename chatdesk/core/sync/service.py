"""Team sync as a window and scripts see it: workspaces, shares, status and presence.

One service serves all workspaces. Each workspace has threads of its own (``workspace_sync``), which the service starts
and stops; coroutines and events belong to the event loop's thread. What is looked up while something is painted (unread
counts, roles, names, presence) is kept in memory, so that a look-up costs one dictionary access.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import (
    EndReason,
    Presence,
    ServerAddress,
    ServerCheck,
    ShareCount,
    SharedProject,
    ShareState,
    SyncPhase,
    SyncRound,
    SyncStatus,
    TeamDevice,
    TeamMember,
    TeamRole,
    Workspace,
)
from chatdesk.core.errors import NotFound, NotPossible
from chatdesk.core.events import (
    EventBus,
    ProjectDeleted,
    TeamChanged,
    ThreadsChanged,
    UnreadChanged,
)
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.sync import erased_project, files, replica, sharing, team, team_notes
from chatdesk.core.sync.decisions import TeamDecisions
from chatdesk.core.sync.erasing import Erasing
from chatdesk.core.sync.event_publisher import SyncEventPublisher
from chatdesk.core.sync.noted_wish import noted_wish
from chatdesk.core.sync.server_comparison import ServerComparison
from chatdesk.core.sync.team_passwords import TeamPasswords
from chatdesk.core.sync.team_state import TeamState
from chatdesk.core.sync.worker import POLL_S, Client
from chatdesk.core.sync.workspace_sync import WorkspaceSync

if TYPE_CHECKING:
    from chatdesk.core.storage.engine.connection import Connection
    from chatdesk.core.sync.membership import Membership
    from chatdesk.core.sync.team_store.postgres import PostgresTeamStore

T = TypeVar("T")
_log = logging.getLogger(__name__)

#: A call that takes longer goes into a hole: the server ends its statements sooner.
STUCK_S: Final = 40.0

#: Runs until it is cancelled and calls its argument when this computer slept.
SleepWatching = Callable[[Callable[[float], None]], Coroutine[Any, Any, None]]


class TeamService:
    """Syncs the workspaces of a profile. Made lazily, on the event loop's thread; does nothing before ``start``.

    ``connect`` reaches a server, on a thread; ``watch_sleep`` reports that connections may be dead.
    """

    def __init__(
        self,
        database: Database,
        repositories: Repositories,
        bus: EventBus,
        clock: Clock,
        *,
        passwords: TeamPasswords,
        blobs: BlobStore,
        client: Client,
        connect: Callable[[ServerAddress, str], PostgresTeamStore] | None = None,
        watch_sleep: SleepWatching | None = None,
        poll_s: float = POLL_S,
        stuck_s: float = STUCK_S,
    ) -> None:
        self._database = database
        self._repositories = repositories
        self._bus = bus
        self._clock = clock
        self._passwords = passwords
        self._blobs = blobs
        self._client = client
        self._connect = connect or _connect
        self._watch_sleep = watch_sleep
        self._poll_s = poll_s
        self._stuck_s = stuck_s
        self._state = TeamState()
        self._syncs: dict[str, WorkspaceSync] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._publisher = SyncEventPublisher(
            repositories, bus, status_of=self.status, name_of=self.member_name, refresh=self._refresh
        )
        self._membership: Membership | None = None
        self._ended: dict[str, SharedProject] = {}
        self._ending: set[str] = set()  # by this person, just now
        self._let_in: dict[str, SharedProject] = {}
        self._starting = asyncio.Lock()
        self._refreshing = asyncio.Lock()
        self._is_closed = False

    async def start(self) -> None:
        """Read the known state and begin to sync every joined workspace; does nothing where there is none. Safe to call
        again, as after joining one."""
        async with self._starting:
            if self._is_closed:
                return
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
                self._publisher.begin(self._loop)
                self._publisher.run(self._watch_calls, "watch calls")
                if self._watch_sleep is not None:
                    watching = partial(self._watch_sleep, lambda _missing_s: self.sync_now())
                    self._publisher.run(watching, "watch for sleep")
            await self._refresh()
            if self._database.is_read_only:
                return
            self._database.log_watch.listener = self._on_written
            await self._database.write(sharing.doubt_wishes)  # those of a process that was killed
            await self._match_workspaces()

    async def look_up(self) -> None:
        """Read the known state without beginning to sync, as for a command that only asks."""
        await self._refresh()

    @property
    def erasing(self) -> Erasing:
        """The service that erases single threads and messages for everybody."""
        return Erasing(self._repositories, self._bus)

    @property
    def decisions(self) -> TeamDecisions:
        """The service for what needs a person: refused changes, disagreements, notes."""
        return TeamDecisions(
            self._database, self._repositories, self._bus, self._clock, self._publisher.on_counts, self.sync_now
        )

    @property
    def membership(self) -> Membership:
        """The service for creating, joining and leaving workspaces, and for inviting."""
        if self._membership is None:
            from chatdesk.core.sync.membership import Membership

            self._membership = Membership(self._database, self._passwords, self._clock, on_changed=self._on_membership)
        return self._membership

    # How it stands

    async def workspaces(self) -> tuple[Workspace, ...]:
        """Return the joined workspaces, the oldest first."""
        return tuple(await self._database.read(team.workspaces))

    async def parked(self) -> tuple[Workspace, ...]:
        """Return the workspaces of a restored profile that are not connected to before they are joined again."""
        return tuple(await self._database.read(team.parked))

    def status(self, workspace_id: str) -> SyncStatus:
        """Return the current status of a workspace; ``SyncPhase.OFF`` for an unknown one. Cheap."""
        sync = self._syncs.get(workspace_id)
        return SyncStatus(workspace_id, SyncPhase.OFF) if sync is None else sync.worker.status

    def statuses(self) -> tuple[SyncStatus, ...]:
        """Return the current status of all workspaces. Cheap."""
        return tuple(sync.worker.status for sync in self._syncs.values())

    def sync_now(self, workspace_id: str | None = None) -> None:
        """Begin a round at once, in every workspace if ``workspace_id`` is None. Also to be called when the network
        changed or the computer woke up. Cheap."""
        for id_, sync in self._syncs.items():
            if workspace_id in (None, id_):
                sync.worker.request_round()
                sync.fetch_again()

    async def rounds(self, workspace_id: str, limit: int = 100) -> tuple[SyncRound, ...]:
        """Return the log of rounds, the newest first."""
        return tuple(await self._database.read(lambda conn: team.rounds(conn, workspace_id, limit=limit)))

    async def check(self, workspace_id: str) -> ServerCheck:
        """Compare everything this profile has pulled with the server, change by change. Raises ``TeamError``."""
        workspace = self._workspace(workspace_id)
        async with self._server(workspace) as server:
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
            await self._database.write(partial(replica.take_anew, project_id=project_id))
        self._bus.publish(ThreadsChanged(None))
        self.sync_now()

    # People and projects

    async def members(self, workspace_id: str) -> tuple[TeamMember, ...]:
        """Return the members as of the last round, including removed ones, because they wrote messages."""
        return tuple(await self._database.read(lambda conn: team.members(conn, workspace_id)))

    async def devices(self, workspace_id: str) -> tuple[TeamDevice, ...]:
        """Return the devices as of the last round."""
        return tuple(await self._database.read(lambda conn: team.devices(conn, workspace_id)))

    def member_name(self, member_id: str) -> str:
        """Return the name to show for an author's id, or a general word for an unknown one. Cheap."""
        return self._state.name_of(member_id)

    async def projects(self) -> tuple[SharedProject, ...]:
        """Return all projects that are or were shared."""
        return tuple(await self._database.read(team.shared_projects))

    def take_ended(self) -> tuple[SharedProject, ...]:
        """Return the projects that stopped being shared since ``start``, each only once, to tell the person."""
        ended, self._ended = self._ended, {}
        return tuple(ended.values())

    def take_let_in(self) -> tuple[SharedProject, ...]:
        """Return the private copies that are open to this person again and wait for *Share…*, each only once."""
        let_in, self._let_in = self._let_in, {}
        return tuple(each for each in let_in.values() if self._is_waiting_for_share(each.project_id))

    def _is_waiting_for_share(self, project_id: str) -> bool:
        now = self._state.projects.get(project_id)
        return now is not None and now.is_let_in

    def shared_project(self, project_id: str) -> SharedProject | None:
        """Return the share of a project; None for a private one. Counters are as of the last round. Cheap."""
        return self._state.projects.get(project_id)

    async def share_count(self, project_id: str) -> ShareCount:
        """Return how much would be sent if the project were shared."""
        return await self._database.read(lambda conn: sharing.count(conn, project_id))

    async def share(self, project_id: str, workspace_id: str) -> None:
        """Share a project with a workspace; sending continues by itself, across restarts. Needs the server. Raises
        ``TeamError``, ``NotPossible``, ``StorageError``."""
        workspace = self._workspace(workspace_id)
        known = self._state.projects.get(project_id)
        if known is not None and known.state is not ShareState.ENDED and known.workspace_id != workspace_id:
            raise NotPossible(_SHARED_ELSEWHERE, next_step="Stop sharing it there first.")
        await self._repositories.projects.get(project_id)
        async with self._server(workspace) as server:
            # The server first: it may say no, and being told twice is nothing to it.
            head = await asyncio.to_thread(server.create_project, project_id)
        origin = self._database.origin
        role = TeamRole(head.role)

        def begin(conn: Connection) -> None:
            there = team.shared_project(conn, project_id)
            # The thread of sync may have heard of it first, and has taken it up then.
            if there is None or there.state is ShareState.ENDED:
                sharing.begin(conn, origin, project_id, workspace_id, role, head.channel, joined_seq=head.seq)

        await self._database.write(begin)
        await self._refresh()
        self._bus.publish(TeamChanged())
        self.sync_now(workspace_id)

    async def unshare(self, project_id: str, *, and_erase: bool = False) -> None:
        """End the share for everybody as its owner, or leave it as anybody else; a private copy stays here.
        ``and_erase``, for owners: nothing of it stays, neither on the server nor on any computer that syncs. Needs the
        server. Raises ``TeamError``, ``NotPossible``, ``StorageError``."""
        project = self._state.projects.get(project_id)
        if project is None or project.state is ShareState.ENDED:
            raise NotPossible("This project is not shared.")
        is_owner = project.role is TeamRole.OWNER
        if and_erase and not is_owner:
            raise NotPossible("Only owners erase a project.", next_step="Ask one of its owners.")
        reason = EndReason.UNSHARED if is_owner else EndReason.LEFT
        self._ending.add(project_id)  # the server may tell its end before it is written here, and not by whom
        try:
            async with self._server(self._workspace(project.workspace_id)) as server:
                end = server.end_project if is_owner else server.leave_project
                async with noted_wish(self._database, lambda conn: sharing.note_wish(conn, project_id, reason)):
                    await asyncio.to_thread(server.erase_project if and_erase else end, project_id)
            if and_erase:
                await self._database.write(lambda conn: erased_project.erase(conn, self._database.origin, project_id))
                await self._tell_erased(project_id)
            else:
                await self._database.write(lambda conn: sharing.end(conn, project_id, reason))
        finally:
            await self._refresh()
            self._ending.discard(project_id)
            if (now := self._state.projects.get(project_id)) and now.state is ShareState.ENDED:
                self._ended[project_id] = now
        self._bus.publish(TeamChanged())
        self.sync_now(project.workspace_id)

    async def _tell_erased(self, project_id: str) -> None:
        with contextlib.suppress(NotFound):  # swept already
            self._bus.publish(ProjectDeleted(await self._repositories.projects.get(project_id)))
        self._bus.publish(ThreadsChanged(None))

    async def set_role(self, project_id: str, member_id: str, role: TeamRole | None) -> None:
        """Set a member's role in a project; None removes the member. Raises ``TeamError``, ``NotPossible``."""
        await self.membership.set_role(project_id, member_id, role)

    # Unread and presence

    def unread(self) -> Mapping[str, int]:
        """Return how many messages of others are unread, by thread; threads without any are left out. Cheap."""
        return self._state.unread

    async def mark_read(self, thread_id: str) -> None:
        """Mark all messages of a thread as read. Publishes ``UnreadChanged`` if that changes anything."""
        if thread_id not in self._state.unread or self._database.is_read_only:
            return
        await self._database.write(lambda conn: team_notes.mark_read(conn, thread_id), is_durable=False)
        await self._refresh()

    def set_presence(self, project_id: str | None, thread_id: str | None, *, is_typing: bool = False) -> None:
        """Set the person's position; None: in no shared project. Updates are throttled, so that this may be called with
        every key. Cheap."""
        project = self._state.projects.get(project_id) if project_id is not None else None
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
        project = self._state.projects.get(project_id)
        sync = self._syncs.get(project.workspace_id) if project is not None else None
        return () if sync is None else sync.board.at(project_id)

    def file_state(self, sha256: str) -> str:
        """Return why an attached file is not here: "fetching", "missing", or "" if it is here or not shared. Cheap."""
        state = self._state.files.get(sha256)
        return {files.TO_FETCH: "fetching", files.MISSING: "missing"}.get(state or "", "")

    async def close(self) -> None:
        """Stop syncing, within two seconds. Safe to call twice."""
        if self._is_closed:
            return
        self._is_closed = True
        self._database.log_watch.listener = None
        for sync in self._syncs.values():
            sync.ask_to_stop()
        await self._publisher.close()
        await asyncio.gather(*map(self._end, self._syncs.values()))

    # Which workspaces are synced

    async def _match_workspaces(self) -> None:
        """Start the sync of joined workspaces; stop it for those that were left or have another address now."""
        for id_, sync in tuple(self._syncs.items()):
            if not sync.is_for(self._state.workspace(id_)):
                del self._syncs[id_]
                sync.ask_to_stop()
                await self._end(sync)
        for workspace in self._state.workspaces:
            if workspace.id not in self._syncs:
                sync = self._syncs[workspace.id] = WorkspaceSync(
                    workspace,
                    database=self._database,
                    blobs=self._blobs,
                    open_team=partial(self._open, workspace),
                    client=self._client,
                    clock=self._clock,
                    listener=self._publisher,
                    poll_s=self._poll_s,
                )
                sync.start()

    async def _watch_calls(self) -> None:
        """Abort calls that hang: a network may swallow everything and report nothing."""
        while True:
            await asyncio.sleep(self._stuck_s / 4)
            for sync in tuple(self._syncs.values()):
                sync.break_off(self._stuck_s)

    async def _end(self, sync: WorkspaceSync) -> None:
        if not await asyncio.to_thread(sync.join):
            _log.info("the sync of workspace %s did not end in time; it changes nothing more", sync.workspace.id)

    async def _on_membership(self, _workspace_id: str) -> None:
        """Called after a workspace was joined, left, or got another address."""
        await self.start()
        self._bus.publish(TeamChanged())
        self.sync_now()

    def _workspace(self, workspace_id: str) -> Workspace:
        workspace = self._state.workspace(workspace_id)
        if workspace is None:
            raise NotPossible("This profile is not in that workspace.", next_step="Join it in Settings, Team sync.")
        return workspace

    def _open(self, workspace: Workspace) -> PostgresTeamStore:
        """Connect, on a thread of sync. Raises ``TeamError``."""
        return self._passwords.open_with(
            workspace.id, workspace.address, lambda password: self._connect(workspace.address, password)
        )

    @asynccontextmanager
    async def _server(self, workspace: Workspace) -> AsyncIterator[PostgresTeamStore]:
        """A connection for a few calls that a person waits for."""
        server = await asyncio.to_thread(self._open, workspace)
        try:
            device = self._database.device_id
            await asyncio.to_thread(server.hello, device, name=self._client.name, version=self._client.version)
            yield server
        finally:
            await asyncio.to_thread(server.close)

    # What is known

    async def _refresh(self) -> None:
        """Read the state that is kept in memory, and publish what differs."""
        async with self._refreshing:  # what was read first would else replace what was read last
            before, self._state = self._state, await self._database.read(TeamState.read)
            self._database.log_watch.read_only = self._state.read_only
            ended = self._state.ended_since(before)
            self._ended |= {key: each for key, each in ended.items() if key not in self._ending}
            self._let_in |= self._state.let_in_since(before)
        if self._state.differs_in_people(before):
            self._bus.publish(TeamChanged())
        if self._state.unread != before.unread:
            self._bus.publish(UnreadChanged(self._state.unread))

    def _on_written(self, projects: frozenset[str]) -> None:
        """Called on the writing thread after a commit."""
        state = self._state
        for id_, sync in tuple(self._syncs.items()):
            own = [each for each in projects if each in state.projects and state.projects[each].workspace_id == id_]
            if own:
                sync.worker.note_written(own)


_SHARED_ELSEWHERE = "This project is shared with another workspace already."


def _connect(address: ServerAddress, password: str) -> PostgresTeamStore:
    from chatdesk.core.sync.team_store.postgres import connect

    return connect(address, password)
