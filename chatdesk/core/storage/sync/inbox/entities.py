"""Stores other members' threads and summaries, and changes that wait for something that has not arrived yet."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.chat import projects, shown_path, thread_counters
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.engine.stored_bytes import MOST_IN_FILE, is_bounded
from chatdesk.core.storage.sync.inbox.messages import Outcome, insert_parts, want_files
from chatdesk.core.storage.sync.projection import summaries
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.projection.projection import Register, homes
from chatdesk.core.storage.sync.projection.values import thread_columns
from chatdesk.core.storage.sync.wire.rows import (
    LONGEST_PARTS,
    PartRows,
    is_id,
    latest_of,
    moment,
    read_object,
    read_parts,
)

_CONFIRMED, _ORPHANED = ChangeState.CONFIRMED.value, ChangeState.ORPHANED.value
# Kind: its table, and the columns that hold times its author said.
_TIMED: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "thread": ("threads", ("created_at",)),
    "message": ("messages", ("created_at", "completed_at")),
    "summary": ("summaries", ("created_at",)),
}
_PART_TIMES: Final = ("started_at", "completed_at")
_THREAD_COLUMNS: Final = ("id", "project_id", "created_at", "last_activity_at", "hlc", "origin_device", "author_id")


# Those with the lowest number come first, and each brings those that wait for it. The plus keeps SQLite to the index of
# ``problem``.
_WAITS_FOR: Final = (
    "c.problem = 'waits:' || {wanted} AND +c.project_id = ?2 AND c.seq IS NOT NULL AND c.op = 'new'"
    f" AND +c.state = {_ORPHANED}"
)
_WAITING: Final = (
    "WITH RECURSIVE waiting(n, seq, entity) AS ("
    "SELECT c.n, c.seq, c.entity FROM json_each(?1) AS come CROSS JOIN changes c ON"
    f" {_WAITS_FOR.format(wanted='come.value')}"
    " UNION SELECT c.n, c.seq, c.entity FROM waiting CROSS JOIN changes c ON"
    f" {_WAITS_FOR.format(wanted='waiting.entity')} ORDER BY 2"
    ") SELECT n FROM waiting"
)


def insert_threads(conn: Connection, project_id: str, rows: Sequence[PulledChange], effects: Effects) -> dict[str, str]:
    """Insert the threads that do not exist. Returns, by change id, why others were rejected as another project's."""
    raw = driver(conn)
    here = homes(raw, "thread", [row.entity for row in rows])
    taken = homes(raw, "project", [row.entity for row in rows])
    foreign: dict[str, str] = {}
    for row in rows:
        home = here.get(row.entity)
        if home is not None:
            if home != project_id:
                foreign[row.id] = "the thread lies in another project"
            else:
                _fill_place(raw, row)
            continue
        body = read_object(row.body)
        if body is None or row.entity in taken:
            foreign[row.id] = "the thread cannot be read" if body is None else "a project has that id"
            continue
        created_at = moment(body.get("created_at"), latest_of(row.at)) or 0
        columns = thread_columns(body)
        names = (*_THREAD_COLUMNS, *columns)
        raw.execute(
            f"INSERT INTO threads ({', '.join(names)}) VALUES ({marks(names)})",
            (
                row.entity,
                project_id,
                created_at,
                created_at,
                row.hlc,
                row.device,
                effects.member(row.author),
                *columns.values(),
            ),
        )
        here[row.entity] = project_id
        effects.new_threads.add(row.entity)
    return foreign


def _fill_place(raw: sqlite3.Connection, row: PulledChange) -> None:
    """Give a thread that nothing in the log made before its time; all else that is said of it are registers."""
    made = "SELECT 1 FROM changes WHERE entity = ? AND kind = 'thread' AND op = 'new' AND state = ?"
    if raw.execute(made, (row.entity, ChangeState.CONFIRMED.value)).fetchone() is None:
        created_at = moment((read_object(row.body) or {}).get("created_at"), latest_of(row.at)) or 0
        raw.execute("UPDATE threads SET created_at = ? WHERE id = ?", (created_at, row.entity))


def bound_again(raw: sqlite3.Connection, rows: Iterable[tuple[PulledChange, int | None]]) -> None:
    """Bound the times of others' changes by the times at which the server has them now, each given with its earlier
    time: a restored server gets changes later, and whoever pulls them only then sees no other time."""
    for row, before in rows:
        if before is None or before == row.at or row.op != "new" or row.is_erased or row.kind not in _TIMED:
            continue
        table, columns = _TIMED[row.kind]
        body, bounds = read_object(row.body) or {}, (latest_of(before), latest_of(row.at))
        is_cut = _bound(raw, table, row.entity, columns, body, bounds)
        parts = body.get("parts") if row.kind == "message" else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and is_id(part.get("id")):
                is_cut |= _bound(raw, "message_parts", part["id"], _PART_TIMES, part, bounds, of=row.entity)
        if is_cut and row.kind == "message":  # only the body says what its author said
            raw.execute("UPDATE changes SET body = ? WHERE id = ? AND body IS NULL", (row.body, row.id))


def _bound(
    raw: sqlite3.Connection,
    table: str,
    row_id: str,
    columns: Sequence[str],
    said: Mapping[str, Any],
    bounds: tuple[int, int],
    *,
    of: str | None = None,
) -> bool:
    """Replace times that have the former bound by those of the new one. Returns whether any said time is cut by it.
    ``of``: the message that a part must be of."""
    is_cut = False
    for column in columns:
        before, after = (moment(said.get(column), latest) for latest in bounds)
        is_cut |= after != moment(said.get(column))
        if before != after:
            raw.execute(
                f"UPDATE {table} SET {column} = ?1 WHERE id = ?2 AND {column} = ?3"
                + ("" if of is None else " AND message_id = ?4"),
                (after, row_id, before, *(() if of is None else (of,))),
            )
    return is_cut


def revive(
    conn: Connection, origin: Origin, project_id: str, waiting: Iterable[tuple[str, str]], effects: Effects
) -> set[str]:
    """Insert empty messages and threads for those that were purged here and that new messages hang below, given as
    (wanted, its thread): they are in the log already, so nobody will send them again. Returns the ids that exist
    again."""
    raw = driver(conn)
    pairs = dict.fromkeys(waiting)
    made_by: dict[str, tuple[Any, ...]] = {}
    for batch in batches(sorted({wanted for wanted, _ in pairs})):
        for row in raw.execute(
            f"SELECT entity, kind, hlc, device, author, body FROM changes WHERE entity IN ({marks(batch)})"
            " AND reg = 'content' AND op = 'new' AND +project_id = ? AND state = ?",
            (*batch, project_id, _CONFIRMED),
        ):
            made_by.setdefault(row[0], row[1:])
    back: set[str] = set()
    for wanted, thread_id in pairs:
        if wanted not in made_by or wanted in back:
            continue
        kind, hlc, device, author, body = made_by[wanted]
        values = read_object(body)
        if kind == "thread" and values is not None and wanted == thread_id:
            made = PulledChange(
                id=wanted, seq=0, device=device, dseq=0, author=author, kind=kind, op="new", entity=wanted,
                reg="content", parents=(), hlc=hlc, body=body, chain=b"", at=0,
            )  # fmt: skip
            insert_threads(conn, project_id, [made], effects)
            back.add(wanted)
        elif kind == "message" and body is None:
            now = origin.now()
            is_first = shown_path.tip(conn, thread_id) is None
            raw.execute(
                "INSERT INTO messages (id, thread_id, role, status, position, on_path, created_at, deleted_at,"
                " purged_at, hlc, origin_device, author_id) VALUES (?, ?, 'user', 'complete', 0, ?, ?, ?, ?, ?, ?, ?)",
                (wanted, thread_id, int(is_first), now, now, now, hlc, device, effects.member(author)),
            )
            back.add(wanted)
    return back


def insert_summary(
    raw: sqlite3.Connection, project_id: str, row: PulledChange, effects: Effects
) -> tuple[str | None, str | None]:
    """Insert a summary. Returns why it is foreign and the id it waits for; at most one of them is not None."""
    body = read_object(row.body)
    thread_id = None if body is None else summaries.thread_of(body)
    if body is None or thread_id is None:
        return "the summary cannot be read", None
    known = homes(raw, "summary", (row.entity,)).get(row.entity)
    if known is not None:
        return (None if known == project_id else "it is of another project"), None
    home = homes(raw, "thread", (thread_id,)).get(thread_id)
    if home is None:
        return None, thread_id
    if home != project_id:
        return "the thread lies in another project", None
    is_there = summaries.insert(
        raw,
        row.entity,
        body | {"created_at": moment(body.get("created_at"), latest_of(row.at))},
        author=effects.member(row.author),
        hlc=row.hlc,
        device=row.device,
        effects=effects,
    )
    return None, None if is_there else _missing_end(raw, body)


def _missing_end(raw: sqlite3.Connection, body: Mapping[str, Any]) -> str:
    """Return the first missing message that a summary covers the range of; the last one is checked first."""
    last = str(body["up_to_message_id"])
    here = raw.execute("SELECT 1 FROM messages WHERE id = ?", (last,)).fetchone()
    return str(body["from_message_id"]) if here is not None else last


class WaitingChange(NamedTuple):
    """A change that waits for something that has not arrived yet."""

    id: str
    kind: str
    entity: str
    hlc: int
    device: str
    author: str | None
    at: int
    seq: int
    body: str | None


def insert_waiting_summary(
    raw: sqlite3.Connection, project_id: str, change: WaitingChange, effects: Effects
) -> list[str]:
    """Insert a summary that waited, if that is possible now. Returns its id then, else nothing."""
    values = read_object(change.body) or {}
    values["created_at"] = moment(values.get("created_at"), latest_of(change.at))
    thread_id = summaries.thread_of(values)
    if thread_id is None or homes(raw, "thread", (thread_id,)).get(thread_id) != project_id:
        return []
    is_there = homes(raw, "summary", (change.entity,)) or summaries.insert(
        raw,
        change.entity,
        values,
        author=effects.member(change.author),
        hlc=change.hlc,
        device=change.device,
        effects=effects,
    )
    if not is_there:
        raw.execute("UPDATE changes SET problem = ? WHERE id = ?", (f"waits:{_missing_end(raw, values)}", change.id))
        return []
    raw.execute("UPDATE changes SET state = ?, problem = NULL WHERE id = ?", (_CONFIRMED, change.id))
    return [change.entity]


def waiting_for(raw: sqlite3.Connection, project_id: str, arrived: Iterable[str]) -> list[WaitingChange]:
    """Return the changes that wait for one of these ids, or for another that does: each after the one it waits for,
    else in the order of the log."""
    if not any_waiting(raw, project_id):
        return []
    places = raw.execute(_WAITING, (json.dumps(sorted(set(arrived))), project_id)).fetchall()
    numbers = [row[0] for row in places]
    found = {
        row[0]: WaitingChange(*row[1:])
        for batch in batches(numbers)
        for row in raw.execute(
            f"SELECT n, id, kind, entity, hlc, device, author, at, seq, body FROM changes WHERE n IN ({marks(batch)})",
            batch,
        )
    }
    return [found[number] for number in numbers]


def any_waiting(raw: sqlite3.Connection, project_id: str) -> bool:
    """Return whether any change of a project waits."""
    row = raw.execute(
        "SELECT 1 FROM changes WHERE project_id = ? AND state = ? AND seq IS NOT NULL LIMIT 1", (project_id, _ORPHANED)
    )
    return row.fetchone() is not None


def record_outcome(raw: sqlite3.Connection, outcome: Outcome, *, waits: str, foreign: str) -> None:
    """Store the result for changes of messages that waited."""
    fresh = set(outcome.fresh)
    problems = [(waits + wanted, change_id) for change_id, wanted in outcome.waiting.items()]
    done = []
    for each in outcome.done:
        file = each.rows.parts_file
        if file is not None and each.rows.id in fresh:
            problems.append((waits + file[0], each.change_id))
        else:
            done.append((_CONFIRMED, each.rows.is_exact, each.change_id))
    raw.executemany("UPDATE changes SET problem = ? WHERE id = ?", problems)
    raw.executemany(
        "UPDATE changes SET state = ?, problem = NULL, body = CASE WHEN ? THEN NULL ELSE body END WHERE id = ?", done
    )
    for change_id, why in outcome.foreign.items():
        raw.execute("UPDATE changes SET state = ?, problem = ? WHERE id = ?", (_CONFIRMED, foreign + why, change_id))


def registers_of(raw: sqlite3.Connection, project_id: str, arrived: Iterable[str]) -> set[Register]:
    """Return the registers that the log has changes of, for entities that have arrived only now."""
    return {
        (row[0], row[1], row[2])
        for batch in batches(sorted(set(arrived)))
        for row in raw.execute(
            f"SELECT DISTINCT kind, entity, reg FROM changes WHERE entity IN ({marks(batch)}) AND op <> 'new'"
            " AND +project_id = ?",
            (*batch, project_id),
        )
    }


def refresh_project(conn: Connection, project_id: str) -> None:
    """Update when the project was last used."""
    projects.refresh_last_chat(conn, project_id)


def fill_parts(conn: Connection, project_id: str, problem: str, text: str, effects: Effects) -> list[str]:
    """Insert the parts of the messages that wait with this ``problem``. Returns their ids."""
    raw = driver(conn)
    waiting = raw.execute(
        "SELECT c.id, m.id, m.thread_id, c.hlc, c.device, c.at, m.deleted_at FROM changes c"
        " JOIN messages m ON m.id = c.entity"
        " WHERE c.project_id = ? AND c.state = ? AND c.seq IS NOT NULL AND c.problem = ?",
        (project_id, _ORPHANED, problem),
    ).fetchall()
    try:
        is_read = bool(waiting) and len(text) <= LONGEST_PARTS and is_bounded(text, MOST_IN_FILE)
        parts = json.loads(text) if is_read else None
    except (ValueError, RecursionError):
        parts = None
    for change_id, message_id, thread_id, hlc, device, at, deleted_at in waiting:
        raw.execute("UPDATE changes SET state = ?, problem = NULL, body = NULL WHERE id = ?", (_CONFIRMED, change_id))
        try:
            own = read_parts(
                parts if isinstance(parts, list) else [],
                message_id=message_id,
                hlc=hlc,
                device=device,
                latest=latest_of(at or 0),
            )
        except (ValueError, RecursionError, TypeError, OverflowError):
            own = PartRows(content_digest=digest(()))
        before = thread_counters.of_messages(conn, [message_id])
        raw.execute("DELETE FROM message_parts WHERE message_id = ?", (message_id,))
        insert_parts(raw, [own])
        raw.execute(
            "UPDATE messages SET char_count = ?, line_count = ?, content_digest = ? WHERE id = ?",
            (own.char_count, own.line_count, own.content_digest, message_id),
        )
        if deleted_at is None:
            after = thread_counters.of_messages(conn, [message_id])
            thread_counters.change_by_difference(conn, thread_id, before, after)
        want_files(raw, project_id, dict(own.files), effects)
    return [row[1] for row in waiting]
