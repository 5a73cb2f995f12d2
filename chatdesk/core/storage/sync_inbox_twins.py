"""One answer that two copies of a profile ended, each in its own way: the log's takes the place, and what was written
here stands beside it as a version."""

# ruff: noqa: S608 - statements are put together from constants of this module; values are always bound

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.summary import StaleReason
from chatdesk.core.domain.team import ChangeState
from chatdesk.core.storage import branching, summary_staleness, sync_refused, thread_counters, token_counts
from chatdesk.core.storage.change_log import Origin
from chatdesk.core.storage.sync_inbox_messages import Incoming, put_parts, want_files
from chatdesk.core.storage.sync_inbox_rows import MESSAGE_COLUMNS
from chatdesk.core.storage.sync_projection_effects import Effects
from chatdesk.core.storage.sync_registers import driver

#: What says where a message is stays.
_PLACE = frozenset(("id", "thread_id", "parent_id"))
_SET = ", ".join(f"{name} = ?" for name in MESSAGE_COLUMNS if name not in _PLACE)
_OWN = (
    "SELECT 1 FROM changes WHERE entity = ? AND reg = 'content' AND op = 'new' AND mine = 1"
    f" AND state IN ({ChangeState.PENDING.value}, {ChangeState.REFUSED.value}) LIMIT 1"
)


def meet(
    conn: Connection,
    origin: Origin,
    project_id: str,
    met: Sequence[Incoming],
    effects: Effects,
    *,
    waited: bool = False,
) -> list[Incoming]:
    """Let messages of the log take the places of those that are here and that the log does not know. Returns those
    that have to wait, because here they are still being written. ``waited``: these did, and have ended since."""
    raw = driver(conn)
    busy = []
    for each in met:
        message_id = each.rows.id
        status, digest, purged_at = raw.execute(
            "SELECT status, content_digest, purged_at FROM messages WHERE id = ?", (message_id,)
        ).fetchone()
        if not Status(status).is_final:
            busy.append(each)
            continue
        is_own = raw.execute(_OWN, (message_id,)).fetchone() is not None
        if purged_at is not None or not (is_own or waited):
            continue
        if each.rows.is_purged or each.rows.parts_file is not None:
            continue  # what is here says more
        is_same = digest == each.rows.own.content_digest
        if is_same:
            give_up(conn, message_id)
        else:
            made = sync_refused.set_aside(conn, origin, message_id) if is_own else _beside(conn, origin, message_id)
            if made is not None:
                effects.versions.append((each.rows.thread_id, made))
        _take_over(conn, each, effects)
        want_files(raw, project_id, dict(each.rows.own.files), effects)
    return busy


def give_up(conn: Connection, entity: str) -> None:
    """The own change that made this says what the log's does."""
    driver(conn).execute(
        "UPDATE changes SET state = ?, problem = 'copied' WHERE entity = ? AND reg = 'content' AND op = 'new'"
        " AND mine = 1 AND state IN (?, ?)",
        (ChangeState.PRIVATE.value, entity, ChangeState.PENDING.value, ChangeState.REFUSED.value),
    )


def _beside(conn: Connection, origin: Origin, message_id: str) -> str | None:
    raw = driver(conn)
    has_parts = raw.execute("SELECT 1 FROM message_parts WHERE message_id = ? LIMIT 1", (message_id,)).fetchone()
    return None if has_parts is None else branching.copy_beside(conn, origin, message_id)


def _take_over(conn: Connection, each: Incoming, effects: Effects) -> None:
    raw, rows = driver(conn), each.rows
    before = thread_counters.of_messages(conn, [rows.id])
    token_counts.forget(conn, rows.id)
    raw.execute("DELETE FROM message_parts WHERE message_id = ?", (rows.id,))
    put_parts(raw, [rows.own])
    values = [value for name, value in zip(MESSAGE_COLUMNS, rows.message, strict=True) if name not in _PLACE]
    raw.execute(
        f"UPDATE messages SET {_SET}, author_id = ? WHERE id = ?",
        (*values, effects.member(each.author), rows.id),
    )
    if raw.execute("SELECT 1 FROM messages WHERE id = ? AND deleted_at IS NULL", (rows.id,)).fetchone() is not None:
        after = thread_counters.of_messages(conn, [rows.id])
        thread_counters.change_by_difference(conn, rows.thread_id, before, after)
    summary_staleness.mark_message(conn, rows.id, StaleReason.EDITED)
    for gathered in (effects.threads, effects.paths, effects.contexts):
        gathered.add(rows.thread_id)
