"""Stores other members' threads and summaries, and changes that wait for something that has not arrived yet."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.storage.chat import shown_path, thread_counters
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.engine.stored_bytes import MOST_IN_FILE, is_bounded
from chatdesk.core.storage.sync.inbox.messages import Outcome, insert_parts, want_files
from chatdesk.core.storage.sync.inbox.page import CONFIRMED, FOREIGN, ORPHANED, WAITS, Page
from chatdesk.core.storage.sync.projection import own_projects, summaries
from chatdesk.core.storage.sync.projection.projection import homes
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
    f" AND +c.state = {ORPHANED}"
)
_STORED: Final = "SELECT n, id, seq, device, dseq, author, kind, op, entity, reg, hlc, body, at FROM changes"
_WAITING: Final = (
    "WITH RECURSIVE waiting(n, seq, entity) AS ("
    "SELECT c.n, c.seq, c.entity FROM json_each(?1) AS come CROSS JOIN changes c ON"
    f" {_WAITS_FOR.format(wanted='come.value')}"
    " UNION SELECT c.n, c.seq, c.entity FROM waiting CROSS JOIN changes c ON"
    f" {_WAITS_FOR.format(wanted='waiting.entity')} ORDER BY 2"
    ") SELECT n FROM waiting"
)


def insert_threads(page: Page, rows: Sequence[PulledChange]) -> dict[str, str]:
    """Insert the threads that do not exist. Returns, by change id, why others were rejected as another project's."""
    raw, project_id, effects = page.raw, page.project_id, page.effects
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
        target = own_projects.made_in(page.conn, page.origin, page.project_id, body)
        if target is None:
            foreign[row.id] = "its project is another's here"
            continue
        created_at = moment(body.get("created_at"), latest_of(row.at)) or 0
        columns = thread_columns(body)
        names = (*_THREAD_COLUMNS, *columns)
        raw.execute(
            f"INSERT INTO threads ({', '.join(names)}) VALUES ({marks(names)})",
            (
                row.entity,
                target,
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
    """Set the creation time of a thread that no logged change created; registers carry all its other values."""
    made = "SELECT 1 FROM changes WHERE entity = ? AND kind = 'thread' AND op = 'new' AND state = ?"
    if raw.execute(made, (row.entity, CONFIRMED)).fetchone() is None:
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
        if is_cut and row.kind == "message":  # the body keeps the author's own times
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


def revive(page: Page, waiting: Iterable[tuple[str, str]]) -> set[str]:
    """Insert empty messages and threads for those that were purged here and that new messages hang below, given as
    (wanted, its thread): they are in the log already, so nobody will send them again. Returns the ids that exist
    again."""
    raw = page.raw
    pairs = dict.fromkeys(waiting)
    made_by: dict[str, tuple[Any, ...]] = {}
    for batch in batches(sorted({wanted for wanted, _ in pairs})):
        for row in raw.execute(
            f"SELECT entity, kind, hlc, device, author, body FROM changes WHERE entity IN ({marks(batch)})"
            " AND reg = 'content' AND op = 'new' AND +project_id = ? AND state = ?",
            (*batch, page.project_id, CONFIRMED),
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
            if not insert_threads(page, [made]):
                back.add(wanted)
        elif kind == "message" and body is None:
            now = page.origin.now()
            is_first = shown_path.tip(page.conn, thread_id) is None
            raw.execute(
                "INSERT INTO messages (id, thread_id, role, status, position, on_path, created_at, deleted_at,"
                " purged_at, hlc, origin_device, author_id) VALUES (?, ?, 'user', 'complete', 0, ?, ?, ?, ?, ?, ?, ?)",
                (wanted, thread_id, int(is_first), now, now, now, hlc, device, page.effects.member(author)),
            )
            back.add(wanted)
    return back


def insert_summary(page: Page, row: PulledChange) -> tuple[str | None, str | None]:
    """Insert a summary. Returns why it is foreign and the id it waits for; at most one of them is not None."""
    raw, project_id = page.raw, page.project_id
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
        author=page.effects.member(row.author),
        hlc=row.hlc,
        device=row.device,
        effects=page.effects,
    )
    return None, None if is_there else _missing_end(raw, body)


def _missing_end(raw: sqlite3.Connection, body: Mapping[str, Any]) -> str:
    """Return the first missing message that a summary covers the range of; the last one is checked first."""
    last = str(body["up_to_message_id"])
    here = raw.execute("SELECT 1 FROM messages WHERE id = ?", (last,)).fetchone()
    return str(body["from_message_id"]) if here is not None else last


def waiting_for(page: Page, arrived: Iterable[str]) -> list[PulledChange]:
    """Return the changes that wait for one of these ids, or for another that does: each after the one it waits for,
    else in the order of the log."""
    if not any_waiting(page.raw, page.project_id):
        return []
    places = page.raw.execute(_WAITING, (json.dumps(sorted(set(arrived))), page.project_id)).fetchall()
    found = {
        row[0]: PulledChange(*(*row[1:10], (), row[10], row[11], b"", row[12]))
        for batch in batches([row[0] for row in places])
        for row in page.raw.execute(f"{_STORED} WHERE n IN ({marks(batch)})", batch)
    }
    return [found[row[0]] for row in places]


def any_waiting(raw: sqlite3.Connection, project_id: str) -> bool:
    """Return whether any change of a project waits."""
    row = raw.execute(
        "SELECT 1 FROM changes WHERE project_id = ? AND state = ? AND seq IS NOT NULL LIMIT 1", (project_id, ORPHANED)
    )
    return row.fetchone() is not None


def record_outcome(page: Page, outcome: Outcome) -> None:
    """Store the result for changes of messages that waited."""
    page.raw.executemany(
        "UPDATE changes SET problem = ? WHERE id = ?",
        [(WAITS + wanted, change_id) for change_id, wanted in outcome.waiting.items()],
    )
    page.raw.executemany(
        "UPDATE changes SET state = ?, problem = NULL, body = CASE WHEN ? THEN NULL ELSE body END WHERE id = ?",
        [
            (CONFIRMED, each.rows.is_exact, each.change.id)
            for each in outcome.done
            if each.change.id not in outcome.waiting
        ],
    )
    page.raw.executemany(
        "UPDATE changes SET state = ?, problem = ? WHERE id = ?",
        [(CONFIRMED, FOREIGN + why, change_id) for change_id, why in outcome.foreign.items()],
    )


def insert_waiting_summary(page: Page, change: PulledChange) -> bool:
    """Insert a summary that waited, if that is possible now. Returns whether it is there."""
    foreign, waits_for = insert_summary(page, change)
    state = CONFIRMED if waits_for is None else ORPHANED
    problem = None if foreign is None else FOREIGN + foreign
    page.raw.execute(
        "UPDATE changes SET state = ?, problem = ? WHERE id = ?",
        (state, problem if waits_for is None else WAITS + waits_for, change.id),
    )
    return foreign is None and waits_for is None


def fill_parts(page: Page, sha256: str, text: str) -> frozenset[str]:
    """Insert the parts of messages that were too large for the log, from the JSON of the file with this SHA-256.
    Returns the messages' ids."""
    raw, conn = page.raw, page.conn
    waiting = raw.execute(
        "SELECT c.id, m.id, m.thread_id, c.hlc, c.device, c.at, m.deleted_at FROM changes c"
        " JOIN messages m ON m.id = c.entity"
        " WHERE c.project_id = ? AND c.state = ? AND c.seq IS NOT NULL AND c.problem = ?",
        (page.project_id, ORPHANED, WAITS + sha256),
    ).fetchall()
    try:
        is_read = bool(waiting) and len(text) <= LONGEST_PARTS and is_bounded(text, MOST_IN_FILE)
        parts = json.loads(text) if is_read else None
    except (ValueError, RecursionError):
        parts = None
    for change_id, message_id, thread_id, hlc, device, at, deleted_at in waiting:
        raw.execute("UPDATE changes SET state = ?, problem = NULL, body = NULL WHERE id = ?", (CONFIRMED, change_id))
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
        want_files(page, dict(own.files))
    return frozenset(row[1] for row in waiting)
