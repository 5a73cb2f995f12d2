"""Queues the changes to be sent, and records the server's answers.

A change is done when it comes back in a pull. Until then it is pending, acknowledged or refused; nothing that a person
wrote is dropped in any of these states.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import UNKNOWN_MIME
from chatdesk.core.domain.sharing.sync_results import PushOutcome
from chatdesk.core.domain.sharing.sync_wire import MAX_BODY_BYTES, PushResult, PushStatus, WireChange
from chatdesk.core.domain.sharing.team import ChangeState, ShareState
from chatdesk.core.storage.engine.change_log import CONTENT, PERSONAL, Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import is_own_log
from chatdesk.core.storage.engine.plain_text import object_in
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.refused import parent_ids, refuse
from chatdesk.core.storage.sync.registers import member_of
from chatdesk.core.storage.sync.wire import bodies
from chatdesk.core.storage.sync.wire.bodies import FileBody

# Puts bytes where attached files are; their sum.
PutBlob = Callable[[bytes], str]

_COLUMNS: Final = "id, dseq, kind, op, entity, reg, parents, hlc, v, body, device, digest, erased"
# How many rows are looked through at once; bodies of messages are read for that many.
_STEP: Final = 200
# A value of ``problem``: the server lost the entity of the change, which may come back.
_WAITS: Final = "orphan"
_TO_SEND: Final = "to_send"
# The approximate size of a change without a body.
_SMALL_BYTES: Final = 300

_PENDING, _CONFIRMED, _REFUSED = int(ChangeState.PENDING), int(ChangeState.CONFIRMED), int(ChangeState.REFUSED)
_ORPHANED, _ACKNOWLEDGED, _PRIVATE = int(ChangeState.ORPHANED), int(ChangeState.ACKNOWLEDGED), int(ChangeState.PRIVATE)
# In SQL: whether a change makes something that the server had, and lost when it was restored.
_IS_LOST: Final = f"made.op = 'new' AND made.reg = '{CONTENT}' AND made.state = {_ORPHANED} AND made.seq IS NULL"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The result of ``find_pending``. ``private``: changes that are not for others; ``gone``: messages that were purged
    before they were sent; ``files``: (SHA-256, bytes) of files that were not queued yet; ``blob``: the content of a
    file that is still to be created. If any of these is set, call ``store_found`` and then ``find_pending`` again."""

    changes: tuple[WireChange, ...] = ()
    private: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    files: tuple[tuple[str, int], ...] = ()
    blob: bytes | None = None

    @property
    def needs_writing(self) -> bool:
        return bool(self.private or self.gone or self.files or self.blob)


def pending(
    conn: Connection, project_id: str, *, max_rows: int, max_bytes: int, put_blob: PutBlob | None = None
) -> list[WireChange]:
    """Return the next changes to send, by ``dseq``, as ``SyncStore.pending``. Stops before the first change that names
    a file still to be sent: the changes of a device keep their order."""
    while True:
        found = find_pending(conn, project_id, max_rows=max_rows, max_bytes=max_bytes)
        is_noted = found.needs_writing and store_found(conn, project_id, found, put_blob=put_blob)
        if found.changes or not is_noted:
            return list(found.changes)


def find_pending(conn: Connection, project_id: str, *, max_rows: int, max_bytes: int) -> Outgoing:
    """Return the next changes to send without writing anything, so that it can run in a read transaction."""
    state = conn.exec_driver_sql("SELECT state FROM shared_projects WHERE project_id = ?", (project_id,)).scalar()
    if state != ShareState.SHARED:
        return Outgoing()
    is_own = is_own_log(driver(conn), project_id)
    changes: list[WireChange] = []
    private: list[str] = []
    gone: list[str] = []
    size, after = 0, -1
    while len(changes) < max_rows:
        # The index of project and state holds ``n``, too, and rows get it in the order of ``dseq``.
        rows = conn.exec_driver_sql(
            f"SELECT n, {_COLUMNS} FROM changes WHERE project_id = ? AND state = {_PENDING} AND n > ?"
            " ORDER BY n LIMIT ?",
            (project_id, after, min(_STEP, max_rows)),
        ).all()
        if not rows:
            break
        after = rows[-1][0]
        texts = bodies.message_texts(conn, [row[5] for row in rows if _is_message(row)])
        lost = _below_lost(conn, project_id, [row[1] for row in rows])
        device = conn.exec_driver_sql("SELECT id FROM devices WHERE is_mine = 1").scalar_one()
        states = _states(conn, project_id, list({file.sha256: None for _, files in texts.values() for file in files}))
        for row in rows:
            entity = row[5]
            if row[6] in PERSONAL and not is_own:
                private.append(row[1])
                continue
            files: list[FileBody] = []
            text, blob = row[10], None
            if _is_message(row) or entity in gone:
                if entity not in texts or entity in gone:
                    gone.append(entity)
                    continue
                text, files = texts[entity]
                if len(text) > MAX_BODY_BYTES or len(text) * 4 > MAX_BODY_BYTES < len(text.encode()):
                    text, files, blob = _large(conn, entity)
                    states |= _states(conn, project_id, [file.sha256 for file in files])
            if any(states.get(file.sha256, _TO_SEND) == _TO_SEND for file in files):
                # Those that are known are only waited for.
                untold = {file.sha256: file.size_bytes for file in files if file.sha256 not in states}
                is_made = blob is None or hashlib.sha256(blob).hexdigest() in states
                return Outgoing(
                    tuple(changes), tuple(private), tuple(gone), tuple(untold.items()), None if is_made else blob
                )
            size += len(text) if text else _SMALL_BYTES
            if len(changes) >= max_rows or (changes and size > max_bytes):
                return Outgoing(tuple(changes), tuple(private), tuple(gone))
            changes.append(_wire(row[1:], text, device, is_gone=row[1] in lost))
    return Outgoing(tuple(changes), tuple(private), tuple(gone))


def store_found(conn: Connection, project_id: str, found: Outgoing, *, put_blob: PutBlob | None) -> bool:
    """Store the findings of ``find_pending``. Returns whether there were any."""
    if found.private:
        conn.exec_driver_sql(
            f"UPDATE changes SET state = {_PRIVATE} WHERE id = ? AND state = {_PENDING}",
            [(each,) for each in found.private],
        )
    if found.gone:
        conn.exec_driver_sql(
            f"UPDATE changes SET state = {_PRIVATE} WHERE entity = ? AND project_id = ? AND state = {_PENDING}",
            [(each, project_id) for each in found.gone],
        )
    files = dict(found.files)
    if found.blob is not None:
        files.pop(hashlib.sha256(found.blob).hexdigest(), None)
        if put_blob is not None:
            files[put_blob(found.blob)] = len(found.blob)
    if files:
        conn.exec_driver_sql(
            "INSERT INTO shared_files (project_id, sha256, state, size_bytes) VALUES (?, ?, 'to_send', ?)"
            " ON CONFLICT (project_id, sha256) DO NOTHING",
            [(project_id, sha256, size) for sha256, size in files.items()],
        )
    return bool(found.private or found.gone or files)


def record_push_results(
    conn: Connection, origin: Origin, project_id: str, results: Sequence[PushResult]
) -> PushOutcome:
    """Record the server's results of a push, as ``SyncStore.record_push_results``."""
    # A row that the server already has may come from a copy of this profile, with another text, so it gets no number
    # before it is pulled.
    taken = [
        (result.seq if result.status is PushStatus.OK else None, result.hlc, result.id)
        for result in results
        if result.status.is_accepted
    ]
    acknowledged = 0
    if taken:
        acknowledged = conn.exec_driver_sql(
            f"UPDATE changes SET state = {_ACKNOWLEDGED}, seq = ?, hlc = coalesce(?, hlc),"
            f" problem = NULL WHERE id = ? AND state IN ({_PENDING}, {_REFUSED})",
            taken,
        ).rowcount
    untaken = [result for result in results if not result.status.is_accepted and result.status is not PushStatus.FORKED]
    said = refuse(
        conn,
        origin,
        project_id,
        [(result.id, result.status.value) for result in untaken if not _is_kept(conn, project_id, result)],
    )
    return PushOutcome(
        acknowledged=acknowledged,
        refused=tuple(said),
        is_forked=any(result.status is PushStatus.FORKED for result in results),
    )


def requeue_lost(conn: Connection, project_id: str) -> int:
    """Queue acknowledged changes again that never came back, as ``SyncStore.requeue_lost``."""
    return conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PENDING}, seq = NULL WHERE project_id = ? AND state = {_ACKNOWLEDGED}",
        (project_id,),
    ).rowcount


def has_lost(conn: Connection, project_id: str) -> bool:
    """Return whether ``requeue_lost`` would change anything."""
    return (
        conn.exec_driver_sql(
            f"SELECT 1 FROM changes WHERE project_id = ? AND state = {_ACKNOWLEDGED} LIMIT 1", (project_id,)
        ).first()
        is not None
    )


def start_over(conn: Connection, project_id: str) -> None:
    """Start a project over from the beginning of its log, as ``SyncStore.start_over``. What this member wrote on any
    computer is sent again, and nothing else."""
    me = member_of(driver(conn), project_id)
    conn.exec_driver_sql(
        f"UPDATE changes SET state = CASE WHEN mine = 1 OR author = ? THEN {_PENDING} ELSE {_ORPHANED} END,"
        " seq = NULL, problem = CASE WHEN problem LIKE 'foreign: %' THEN problem END"
        f" WHERE project_id = ? AND state IN ({_CONFIRMED}, {_ACKNOWLEDGED}, {_ORPHANED})",
        (me, project_id),
    )
    renumber(conn, _displaced(conn, project_id))
    conn.exec_driver_sql(
        "UPDATE shared_projects SET seq = 0, chain = NULL,"
        f" progress = json_remove({object_in('progress')}, '$.misfit', '$.misfit_since') WHERE project_id = ?",
        (project_id,),
    )
    # The server may have lost the files, too. Files that it still has are not sent again. A file that others named, but
    # did not send, may be private: knowing a SHA-256 does not prove having the file.
    conn.exec_driver_sql(
        "UPDATE shared_files SET state = 'to_send', done = 0"
        " WHERE project_id = ? AND (state = 'sent' OR (state = 'here' AND done > 0))"
        " AND (SELECT role FROM shared_projects s WHERE s.project_id = shared_files.project_id) <> 'viewer'",
        (project_id,),
    )


def renumber(conn: Connection, numbers: Iterable[int]) -> None:
    """Give these rows of own changes, by ``n``, the next numbers in the sequence of this device."""
    for n in numbers:
        device, dseq = conn.exec_driver_sql(
            "UPDATE devices SET next_dseq = next_dseq + 1 WHERE is_mine = 1 RETURNING id, next_dseq - 1"
        ).one()
        conn.exec_driver_sql("UPDATE changes SET device = ?, dseq = ? WHERE n = ?", (device, dseq, n))


def _displaced(conn: Connection, project_id: str) -> list[int]:
    """Return the rows of own changes to send that had to give their number to another change."""
    rows = conn.exec_driver_sql(
        f"SELECT n FROM changes WHERE project_id = ? AND state = {_PENDING} AND mine = 1 AND dseq < 0 ORDER BY n",
        (project_id,),
    )
    return [row.n for row in rows]


def offer_again(conn: Connection, workspace_id: str) -> None:
    """Queue changes again that belong to something that the server lost."""
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PENDING}, problem = NULL WHERE state = {_ORPHANED} AND problem = ?"
        " AND project_id IN (SELECT project_id FROM shared_projects WHERE workspace_id = ?)",
        (_WAITS, workspace_id),
    )


def _is_kept(conn: Connection, project_id: str, result: PushResult) -> bool:
    """Keep a change out of the list of refused ones: a placeholder has nothing to show, and a change below a lost one
    waits until that comes back. Returns whether it is either."""
    if result.status is PushStatus.ORPHAN and _below_lost(conn, project_id, [result.id]):
        state, problem = _ORPHANED, _WAITS
    else:
        state, problem = _PRIVATE, result.status.value
        if conn.exec_driver_sql("SELECT 1 FROM changes WHERE id = ? AND erased = 1", (result.id,)).first() is None:
            return False
    conn.exec_driver_sql("UPDATE changes SET state = ?, problem = ? WHERE id = ?", (state, problem, result.id))
    return True


def _below_lost(conn: Connection, project_id: str, change_ids: Sequence[str]) -> set[str]:
    """Return those of these changes that belong to, or hang below, something that the server had and lost."""
    any_lost = f"SELECT 1 FROM changes made WHERE made.project_id = ? AND made.state = {_ORPHANED} AND made.seq IS NULL"
    if conn.exec_driver_sql(f"{any_lost} LIMIT 1", (project_id,)).first() is None:
        return set()
    return {
        row[0]
        for batch in batches(change_ids)
        for row in conn.exec_driver_sql(
            "SELECT c.id FROM changes c LEFT JOIN messages m ON m.id = c.entity"
            " LEFT JOIN summaries s ON s.id = c.entity"
            " JOIN changes made ON made.entity IN (c.entity, m.parent_id, m.thread_id, s.thread_id)"
            f" WHERE c.id IN ({marks(batch)}) AND made.id <> c.id AND {_IS_LOST}",
            tuple(batch),
        )
    }


def _is_message(row: Sequence[Any]) -> bool:
    """Return whether the body of this change, a row of ``n`` and ``_COLUMNS``, is stored in the rows of its message."""
    return bool(row[3] == "message" and row[4] == "new" and row[6] == CONTENT and not row[13])


def _large(conn: Connection, message_id: str) -> tuple[str, list[FileBody], bytes]:
    """Return the body that is sent, the files that it names, and the bytes of the file with its parts."""
    body = bodies.make_messages(conn, [message_id])[message_id]
    data = body.parts_file()
    made = FileBody("", "", UNKNOWN_MIME, len(data), hashlib.sha256(data).hexdigest())
    return body.text_beside(made), [*body.files, made], data


def _wire(row: Sequence[Any], text: str | None, own_device: str, *, is_gone: bool) -> WireChange:
    """Return the change of a row with the columns ``_COLUMNS``."""
    change_id, dseq, kind, op, entity, reg, parents, hlc, v, _body, device, digest, is_erased = row
    named = () if parents == "[]" else tuple(parent_ids(parents))
    if dseq < 0:  # the server gave its number to another change
        device, dseq = change_id, 0
    return WireChange(
        change_id,
        dseq,
        kind,
        op,
        entity,
        reg,
        named,
        hlc,
        text,
        v,
        device=None if device == own_device else device,
        erased=digest if is_erased else None,
        is_gone=is_gone,
    )


def _states(conn: Connection, project_id: str, sums: Sequence[str]) -> dict[str, str]:
    """Return the state of each of these files that is known in this project."""
    return {
        row[0]: row[1]
        for batch in batches(sums)
        for row in conn.exec_driver_sql(
            f"SELECT sha256, state FROM shared_files WHERE project_id = ? AND sha256 IN ({marks(batch)})",
            (project_id, *batch),
        )
    }
