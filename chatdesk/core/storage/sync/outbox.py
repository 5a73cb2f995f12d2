"""Queues the changes to be sent, and records the server's answers.

A change is done when it comes back in a pull. Until then it is pending, acknowledged or refused; nothing that a person
wrote is dropped in any of these states.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import UNKNOWN_MIME
from chatdesk.core.domain.sharing.sync_results import PushOutcome
from chatdesk.core.domain.sharing.sync_wire import MAX_BODY_BYTES, PushResult, PushStatus, RelayedChange, WireChange
from chatdesk.core.domain.sharing.team import ChangeState, ShareState
from chatdesk.core.storage.engine.change_log import CONTENT, ERASED, PERSONAL, Origin
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.refused import parent_ids, refuse
from chatdesk.core.storage.sync.wire import bodies
from chatdesk.core.storage.sync.wire.bodies import FileBody

# Puts bytes where attached files are; their sum.
PutBlob = Callable[[bytes], str]

_COLUMNS: Final = "id, dseq, kind, op, entity, reg, parents, hlc, v, body"
# How many rows are looked through at once; bodies of messages are read for that many.
_STEP: Final = 200
# A change that the server is not asked again to take back, in ``problem`` of others' changes.
_RELAYED: Final = "relayed"
_WAITS: Final = "orphan"
_TO_SEND: Final = "to_send"
_PLACE_BITS: Final = 32
# What a change without a body takes, about.
_SMALL_BYTES: Final = 300

_PENDING, _CONFIRMED, _REFUSED = int(ChangeState.PENDING), int(ChangeState.CONFIRMED), int(ChangeState.REFUSED)
_ORPHANED, _ACKNOWLEDGED, _PRIVATE = int(ChangeState.ORPHANED), int(ChangeState.ACKNOWLEDGED), int(ChangeState.PRIVATE)
# In SQL: whether a change is an erasure that the server accepted once, as its seal proves.
_IS_TAKEN_ERASURE: Final = f"(op = 'del' AND reg = '{ERASED}' AND seal IS NOT NULL)"


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
    """Return the next changes to send, by ``dseq``, as ``LocalStore.pending``. Stops before the first change that names
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
        states = _states(conn, project_id, list({file.sha256: None for _, files in texts.values() for file in files}))
        for row in rows:
            entity = row[5]
            if row[6] in PERSONAL:
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
            changes.append(_wire(row[1:11], text))
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
    """Record the server's results of a push, as ``LocalStore.record_push_results``."""
    # What the server has already may be a copy of this profile's, in other words: no number until it was pulled.
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
    said = refuse(conn, origin, project_id, [(result.id, result.status.value) for result in untaken])
    return PushOutcome(
        acknowledged=acknowledged,
        refused=tuple(said),
        is_forked=any(result.status is PushStatus.FORKED for result in results),
    )


def requeue_lost(conn: Connection, project_id: str) -> int:
    """Queue acknowledged changes again that never came back, as ``LocalStore.requeue_lost``."""
    return conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PENDING}, seq = NULL"
        f" WHERE project_id = ? AND state = {_ACKNOWLEDGED} AND mine = 1",
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
    """Start a project over from the beginning of its log, as ``LocalStore.start_over``."""
    conn.exec_driver_sql(
        # Of what was erased only its place can be brought back, and that the server took it; erasures, too, are
        # brought back as taken, so that they hold whatever their author may do by now.
        "UPDATE changes SET state ="
        f" CASE WHEN mine = 1 AND erased = 0 AND NOT {_IS_TAKEN_ERASURE} THEN {_PENDING} ELSE {_ORPHANED} END,"
        " seq = NULL, problem = CASE WHEN problem LIKE 'foreign: %' THEN problem END"
        f" WHERE project_id = ? AND state IN ({_CONFIRMED}, {_ACKNOWLEDGED}, {_ORPHANED})",
        (project_id,),
    )
    renumber(conn, _displaced(conn, project_id))
    conn.exec_driver_sql(
        "UPDATE shared_projects SET seq = 0, chain = NULL,"
        " progress = json_remove(coalesce(progress, '{}'), '$.missing', '$.altered') WHERE project_id = ?",
        (project_id,),
    )
    # The server may have lost the files, too. What it still has is not sent again. What others named, and what was
    # here without coming from them, may be private: who knows its SHA-256 need not have it.
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


def lost_by_server(conn: Connection, project_id: str, *, limit: int) -> list[RelayedChange]:
    """Return others' changes and taken erasures that the server lost, as ``LocalStore.lost_by_server``. Changes that
    arrived and wait for another are not lost."""
    rows = conn.exec_driver_sql(
        f"SELECT n, {_COLUMNS}, device, author, seal, CASE WHEN erased = 1 THEN digest END FROM changes"
        f" WHERE project_id = ? AND state = {_ORPHANED} AND seq IS NULL"
        f" AND (mine = 0 OR erased = 1 OR {_IS_TAKEN_ERASURE}) AND problem IS NULL AND author IS NOT NULL"
        f" AND ({_IS_TAKEN_ERASURE}"
        " OR EXISTS (SELECT 1 FROM shared_projects s WHERE s.project_id = ? AND s.role <> 'viewer'))"
        " ORDER BY n LIMIT ?",
        (project_id, project_id, limit),
    ).all()
    texts = bodies.message_texts(conn, [row[5] for row in rows if _is_message(row) and row[10] is None])
    lost = []
    for row in rows:
        text = row[10]
        if text is None and _is_message(row):
            if row[5] not in texts:
                continue
            text = texts[row[5]][0]
            if len(text.encode()) > MAX_BODY_BYTES:
                text = _large(conn, row[5])[0]
        change = _wire(row[1:11], text)
        lost.append(RelayedChange(replace(change, dseq=_as_made(change.dseq)), *row[11:15]))
    return lost


def record_relay_results(conn: Connection, origin: Origin, project_id: str, results: Sequence[PushResult]) -> None:
    """Record the server's results of a relay. A refused change no longer counts, as nobody else will ever have it; one
    whose parent is missing is offered again later (``offer_again``)."""
    for each in results:
        waits = each.status is PushStatus.ORPHAN and not _is_refused_with_it(conn, each.id)
        if each.status.is_accepted or waits:
            conn.exec_driver_sql(
                f"UPDATE changes SET problem = ? WHERE id = ? AND project_id = ? AND state = {_ORPHANED}",
                (_WAITS if waits else _RELAYED, each.id, project_id),
            )
        else:
            refuse(conn, origin, project_id, [(each.id, each.status.value)])


def offer_again(conn: Connection, workspace_id: str) -> None:
    """Offer others' changes again that the server could not accept before, because their parent was missing."""
    conn.exec_driver_sql(
        f"UPDATE changes SET problem = NULL WHERE state = {_ORPHANED} AND problem = ? AND project_id IN"
        " (SELECT project_id FROM shared_projects WHERE workspace_id = ?)",
        (_WAITS, workspace_id),
    )


def given_up(n: int, dseq: int) -> int:
    """Return the number for a change of others, row ``n``, whose ``dseq`` the server gave to another change: a unique
    one from which ``dseq`` can be computed, because the seal depends on it."""
    return -(n << _PLACE_BITS | dseq) if dseq >> _PLACE_BITS == 0 else -n


def _as_made(dseq: int) -> int:
    return dseq if dseq >= 0 else -dseq & ((1 << _PLACE_BITS) - 1)


def _is_refused_with_it(conn: Connection, change_id: str) -> bool:
    """Return whether the entity, parent or thread of this change was refused, too."""
    found = conn.exec_driver_sql(
        "SELECT 1 FROM changes c LEFT JOIN messages m ON m.id = c.entity"
        " JOIN changes made ON made.entity IN (c.entity, m.parent_id, m.thread_id) AND made.reg = 'content'"
        f" WHERE c.id = ? AND made.id <> c.id AND made.op = 'new' AND made.state = {_REFUSED}",
        (change_id,),
    )
    return found.first() is not None


def _is_message(row: Sequence[Any]) -> bool:
    """Return whether the body of this change, a row of ``n`` and ``_COLUMNS``, is stored in the rows of its message."""
    return bool(row[3] == "message" and row[4] == "new" and row[6] == CONTENT)


def _large(conn: Connection, message_id: str) -> tuple[str, list[FileBody], bytes]:
    """Return the body that is sent, the files that it names, and the bytes of the file with its parts."""
    body = bodies.make_messages(conn, [message_id])[message_id]
    data = body.parts_file()
    made = FileBody("", "", UNKNOWN_MIME, len(data), hashlib.sha256(data).hexdigest())
    return body.text_beside(made), [*body.files, made], data


def _wire(row: Sequence[Any], text: str | None) -> WireChange:
    """Return the change of a row with the columns ``_COLUMNS``."""
    change_id, dseq, kind, op, entity, reg, parents, hlc, v, _body = row
    named = () if parents == "[]" else tuple(parent_ids(parents))
    return WireChange(change_id, dseq, kind, op, entity, reg, named, hlc, text, v)


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
