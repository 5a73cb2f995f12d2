"""Runs the sync of one joined workspace: its sync thread, its file transfer and its presence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import PresenceRow
from chatdesk.core.domain.sharing.team import SyncRound, SyncStatus, Workspace
from chatdesk.core.errors import StorageError
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import rounds, team
from chatdesk.core.storage.sync.store import SyncStore
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.delivery import CATCH_UP_ROWS
from chatdesk.core.sync.errors import TeamParked
from chatdesk.core.sync.event_publisher import SyncEventPublisher
from chatdesk.core.sync.files import FileMover
from chatdesk.core.sync.presence import PresenceBoard
from chatdesk.core.sync.requests import BatchPushed, PageApplied, RoundResult, ViewStored
from chatdesk.core.sync.team_servers import Client
from chatdesk.core.sync.worker import POLL_S, SyncWorker

_log = logging.getLogger(__name__)
MAX_BODY_BLOB: Final = 1024**3


class WorkspaceSync:
    """Syncs one joined workspace. ``open_team`` connects with the address and password of the moment."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        database: Database,
        blobs: BlobStore,
        open_team: Callable[[], Carrier],
        client: Client,
        clock: Clock,
        listener: SyncEventPublisher,
        poll_s: float = POLL_S,
    ) -> None:
        self.workspace = workspace
        self._database = database
        self._listener = listener
        self.board = PresenceBoard(clock)
        self._people: tuple[tuple[object, ...], ...] = ()  # the newest that the listener was told of
        local = SyncStore(
            workspace.id,
            database,
            put_blob=lambda data: blobs.put((data,), max_bytes=MAX_BODY_BLOB).sha256,
        )
        self._files = FileMover(
            workspace.id,
            database=database,
            fill_parts=lambda *file: listener.on_applied(
                local.fill_parts(*file), is_catch_up=False, me=workspace.member_id
            ),
            blobs=blobs,
            open_team=open_team,
            clock=clock,
            on_sent=lambda project_id: self.worker.record_written((project_id,)),
            on_moved=listener.on_files,
        )
        self.worker = SyncWorker(
            workspace,
            local=local,
            open_team=open_team,
            client=client,
            listener=self,
            board=self.board,
            clock=clock,
            poll_s=poll_s,
        )

    def is_for(self, workspace: Workspace | None) -> bool:
        """Return whether this syncs the given workspace, at the same address and as the same member, and did not stop
        because it was parked."""
        mine = self.workspace
        if self.worker.status.code == TeamParked.code:
            return False
        return workspace is not None and (workspace.id, workspace.address, workspace.place, workspace.member_id) == (
            mine.id,
            mine.address,
            mine.place,
            mine.member_id,
        )

    def start(self) -> None:
        self.worker.start()
        self._files.start()

    def fetch_again(self) -> None:
        """Try to fetch missing files again."""
        self._files.start()

    def break_off(self, stuck_s: float) -> None:
        """Abort connections whose current call takes longer than ``stuck_s`` seconds."""
        self.worker.break_off(stuck_s)
        self._files.break_off(stuck_s)

    def ask_to_stop(self) -> None:
        self.worker.ask_to_stop()

    def join(self) -> bool:
        """Wait for the end of both threads, less than two seconds. Returns whether they ended."""
        has_ended = self.worker.join()
        return self._files.stop() and has_ended

    # SyncListener, on the thread of sync

    def on_status(self, status: SyncStatus) -> None:
        self._listener.on_status(status)

    def on_view(self, notice: ViewStored) -> None:
        people = (notice.view.members, notice.view.devices, notice.view.roles)
        if notice.changed or (any(people) and people != self._people):
            self._people = people
            self._listener.on_team(notice.changed)

    def on_page(self, notice: PageApplied, me: str) -> None:
        if notice.applied.wanted_files:
            self._files.start()
        self._listener.on_applied(notice.applied, is_catch_up=notice.total > CATCH_UP_ROWS, me=me)

    def on_pushed(self, notice: BatchPushed) -> None:
        if notice.outcome.refused:
            self._listener.on_counts()

    def on_presence(self, rows: Iterable[PresenceRow], me: str) -> None:
        changed = self.board.replace_others(rows, me=me, name_of=self._listener.name_of)
        if changed:
            self._listener.on_presence(changed)

    def on_round(self, line: SyncRound | None, result: RoundResult | None) -> None:
        if result is not None:
            self._files.start_if_needed()  # the round may have found files to send
        if line is None:
            return
        try:
            self._database.write_now(lambda conn: rounds.add(conn, line), is_durable=False)
        except StorageError as error:
            _log.info("a round was not noted: %s", error.code)
        self._listener.on_counts()

    def on_parked(self) -> None:
        self._listener.on_team(frozenset())

    def count(self) -> tuple[int, int]:
        projects = self._database.read_now(lambda conn: team.shared_projects(conn, self.workspace.id))
        return sum(each.waiting for each in projects), sum(each.refused for each in projects)
