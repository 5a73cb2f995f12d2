"""This profile's side of sync, made of the functions of this package.

Every method is one transaction and blocks, but for ``start_apply``. A round of sync (``core/sync/round``) yields which
of them to call, so that a simulation can stand in for this side and for the team's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_results import Applied, Cursor, PushOutcome, ShareMark, Tending
from chatdesk.core.domain.sharing.sync_wire import Hello, PulledChange, PushResult, TeamView, WireChange
from chatdesk.core.domain.sharing.team import Misfit
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import entering, erasures_in_log, misfits, outbox, parked_workspaces, team
from chatdesk.core.storage.sync import tending as sync_tending
from chatdesk.core.storage.sync.inbox import damage, inbox
from chatdesk.core.storage.sync.inbox.prepare import Prepared, prepare
from chatdesk.core.storage.sync.outbox import PutBlob

# Rows that are entered in one transaction, for which a person's own writes wait at most.
STEP_ROWS: Final = 500

_DEVICE = (
    "SELECT id FROM devices WHERE is_mine = 1"
    " AND NOT EXISTS (SELECT 1 FROM workspaces w WHERE w.id = ? AND w.left_at IS NOT NULL)"
)
_CURSORS = """
SELECT s.project_id, s.seq, s.chain FROM shared_projects s LEFT JOIN projects p ON p.id = s.project_id
WHERE s.workspace_id = ? AND s.state <> 'ended' ORDER BY coalesce(p.last_chat_at, 0) DESC, s.project_id
"""


# A page that is being applied. Calling it waits for the result.
PendingApply: TypeAlias = Callable[[], Applied]


class SyncStore:
    """The stored side of one workspace. Raises ``StorageError``. ``put_blob`` stores bytes as an attached file."""

    def __init__(self, workspace_id: str, database: Database, *, put_blob: PutBlob | None = None) -> None:
        self._workspace_id = workspace_id
        self._db = database
        self._put_blob = put_blob

    def device(self) -> str:
        """Return the id of the device that changes are made under now; empty if the workspace is not to be connected
        to until the person joins it again."""
        return self._db.read_now(lambda conn: str(conn.exec_driver_sql(_DEVICE, (self._workspace_id,)).scalar() or ""))

    def cursors(self) -> list[Cursor]:
        """Return the cursors of the workspace's shared projects, the most recently used first."""
        return self._db.read_now(
            lambda conn: [Cursor(*row) for row in conn.exec_driver_sql(_CURSORS, (self._workspace_id,))]
        )

    def shares(self) -> dict[str, ShareMark]:
        """Return every project that is or was shared with a team, by id; read before a view is requested."""
        return self._db.read_now(team.shares)

    def store_view(self, hello: Hello, view: TeamView, before: Mapping[str, ShareMark]) -> frozenset[str]:
        """Store members, devices and roles; add new projects, end those that are gone. Returns the ids of projects that
        were added or ended. ``before``: what ``shares`` returned before the view was requested. A project whose share
        began or ended here since is left alone: the view may be older than that."""
        touched, read_only = self._db.write_now(
            lambda conn: (
                team.store_view(conn, self._db.origin, hello, view, before=before),
                team.read_only_projects(conn),
            )
        )
        self._db.origin.watch.read_only = read_only
        return touched

    def share_step(self, project_id: str) -> bool:
        """Write the next batch of a project's earlier content into the log. Returns whether more is left."""
        return (
            self._db.write_now(lambda conn: entering.log_batch(conn, self._db.origin, project_id, rows=STEP_ROWS))
            is not None
        )

    def pending(self, project_id: str, *, max_rows: int, max_bytes: int) -> list[WireChange]:
        """Return the next changes to push, by ``dseq``; at least one if there is any, however large."""
        found = self._db.read_now(
            lambda conn: outbox.find_pending(conn, project_id, max_rows=max_rows, max_bytes=max_bytes)
        )
        if not found.needs_writing:
            return list(found.changes)
        return self._db.write_now(
            lambda conn: outbox.pending(
                conn, project_id, max_rows=max_rows, max_bytes=max_bytes, put_blob=self._put_blob
            )
        )

    def record_push_results(self, project_id: str, results: Sequence[PushResult]) -> PushOutcome:
        """Record the server's results of a push: accepted changes are acknowledged (and get its stamp), refused ones
        are kept as refused."""
        return self._db.write_now(lambda conn: outbox.record_push_results(conn, self._db.origin, project_id, results))

    def read_page(self, rows: Sequence[PulledChange]) -> Prepared:
        """Parse pulled rows for ``start_apply``; changes nothing. Never raises: rows are hostile input."""
        return prepare(rows)

    def start_apply(
        self, project_id: str, page: Prepared, *, after: Cursor, erased: Collection[str] | None = None
    ) -> PendingApply:
        """Start to apply a page of ``read_page`` that follows ``after`` without a gap, and to move the cursor, in one
        transaction. It continues while this thread does something else, and ends even if nobody waits for it.
        Rows from the first that does not fit are left out. ``erased``: the placeholders that ``TeamStore.erased``
        returned; others do not fit."""
        return self._db.start_write(
            lambda conn: inbox.apply(conn, self._db.origin, project_id, page, after=after, erased=erased),
            is_durable=False,  # the cursor is part of the transaction, so a page lost in a power cut is pulled again
        )

    def finish_apply(self, applying: PendingApply) -> Applied:
        """Wait until a page is applied. Raises ``HistoryChanged``, with nothing applied, if its first row
        contradicts the local log."""
        return applying()

    def record_misfit(self, project_id: str, misfit: Misfit | None) -> str:
        """Record the misfit of a project's log at the server, and since when; None: all of it fits. Returns the
        sentence that says so."""
        if misfit is None and not self._db.read_now(lambda conn: misfits.sentence_of(conn, project_id)):
            return ""
        return self._db.write_now(lambda conn: misfits.record(conn, project_id, misfit, now=self._db.origin.now()))

    def make_places(self, project_id: str) -> Applied | None:
        """Show, when everything was pulled, what hangs below something that is not in the log. Returns None if there is
        nothing."""
        if not self._db.read_now(lambda conn: damage.needs_places(driver(conn), project_id)):
            return None
        applied = self._db.write_now(lambda conn: inbox.make_places(conn, self._db.origin, project_id))
        return None if applied == Applied() else applied

    def requeue_lost(self, project_id: str) -> int:
        """Queue again the changes that were acknowledged but missing although everything was pulled. Returns how
        many."""
        is_any = self._db.read_now(lambda conn: outbox.has_lost(conn, project_id))
        return self._db.write_now(lambda conn: outbox.requeue_lost(conn, project_id)) if is_any else 0

    def start_over(self, project_id: str) -> None:
        """Start a project over, because the server's history is another one: this member's changes become pending,
        others' orphaned, the cursor 0."""

        def work(conn: Connection) -> None:
            outbox.start_over(conn, project_id)
            erasures_in_log.ask_again(conn, self._db.origin, project_id)

        self._db.write_now(work)

    def tending(self, project_id: str) -> Tending | None:
        """Return the clean-up of a project that this person's computer is to request today, or None."""
        return self._db.read_now(lambda conn: sync_tending.due(conn, self._db.origin, project_id))

    def tended(self, project_id: str, expired: Sequence[tuple[str, str]]) -> None:
        """Record that the server cleaned a project up. ``expired``: the changes that are older than it keeps, as
        (thread, change)."""
        self._db.write_now(lambda conn: sync_tending.tended(conn, self._db.origin, project_id, expired))

    def park(self) -> None:
        """Leave the device to a copy of this profile: no workspace is connected to until the person joins it again."""
        self._db.write_now(lambda conn: parked_workspaces.park_all(driver(conn), self._db.origin.now()))

    def fill_parts(self, project_id: str, sha256: str, data: bytes) -> Applied:
        """Insert the parts of messages that a fetched file holds."""
        text = data.decode("utf-8", "replace")

        def work(conn: Connection) -> Applied:
            filled = inbox.fill_parts(conn, self._db.origin, project_id, sha256, text)
            threads = _threads_of(conn, filled)
            return Applied(threads=threads, paths=threads, contexts=threads)

        return self._db.write_now(work)


def _threads_of(conn: Connection, message_ids: Iterable[str]) -> frozenset[str]:
    return frozenset(
        str(conn.exec_driver_sql("SELECT thread_id FROM messages WHERE id = ?", (each,)).scalar_one())
        for each in message_ids
    )
