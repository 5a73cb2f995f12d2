"""Reads messages: pages of the shown path by keyset, single ones, versions, and the way from the root."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.core.errors import InvalidInput, MessageNotFound, ThreadNotFound
from chatdesk.core.storage.chat.shown_path import NEXT_DOWN, find_node
from chatdesk.core.storage.engine.connection import driver, fetch_all
from chatdesk.core.storage.engine.rows import MESSAGE_COLUMNS, messages_from
from chatdesk.core.texts import Text

_SHOWN = f"SELECT {MESSAGE_COLUMNS} FROM messages m WHERE m.thread_id = ? AND m.on_path = 1 AND m.deleted_at IS NULL"

_BOUNDS = """
SELECT CAST(t.shown_count AS INTEGER), CAST(t.message_count AS INTEGER),
  (SELECT CAST(min(position) AS INTEGER) FROM messages WHERE thread_id = t.id AND on_path = 1 AND deleted_at IS NULL),
  (SELECT CAST(max(position) AS INTEGER) FROM messages WHERE thread_id = t.id AND on_path = 1 AND deleted_at IS NULL)
FROM threads t WHERE t.id = ?
"""

# Down the way that would be shown, as ``shown_path`` would go.
_BELOW = f"""
WITH RECURSIVE down(id, chosen, steps) AS (
    SELECT id, chosen_child_id, 1 FROM messages WHERE id = ?
    UNION ALL
    SELECT m.id, m.chosen_child_id, down.steps + 1 FROM down JOIN messages m ON m.id = {NEXT_DOWN}
    WHERE down.steps < ?
)
SELECT {MESSAGE_COLUMNS} FROM down CROSS JOIN messages m ON m.id = down.id ORDER BY m.position
"""

Rows = Sequence[Sequence[Any]]


def page(
    conn: Connection,
    thread_id: str,
    limit: int,
    before: str | None,
    after: str | None,
    around: str | None,
    at: int | None = None,
) -> MessagePage:
    """Return messages of the shown path, oldest first; see ``MessageRepository.page``."""
    if (around is not None or at is not None) and (before is not None or after is not None):
        raise InvalidInput(
            Text("A page is either around a message, or before or after one."), safe=Text("Nothing was changed.")
        )
    bounds = driver(conn).execute(_BOUNDS, (thread_id,)).fetchone()
    if bounds is None:
        raise ThreadNotFound
    total, live, first, last = bounds
    if at is None:
        rows, low, high = _rows(conn, thread_id, limit, before, after, around)
    else:
        rows, low, high = _around(conn, thread_id, limit, at), None, None
    # If every live message is shown, no message has another version, so none is looked up.
    messages = tuple(messages_from(conn, rows, has_versions=live > total))
    if messages:
        low, high = messages[0].position or 0, messages[-1].position or 0
        has_older, has_newer = first < low, last > high
    else:
        has_older = first is not None and low is not None and first <= low
        has_newer = last is not None and high is not None and last >= high
    return MessagePage(thread_id, messages, has_older=has_older, has_newer=has_newer, total=total)


def _rows(
    conn: Connection, thread_id: str, limit: int, before: str | None, after: str | None, around: str | None
) -> tuple[Rows, int | None, int | None]:
    """Return the rows, and for an empty result the positions at its older and newer end."""
    if around is not None:
        return _around(conn, thread_id, limit, position_of(conn, thread_id, around)), None, None
    low = None if after is None else position_of(conn, thread_id, after)
    high = None if before is None else position_of(conn, thread_id, before)
    if low is not None and high is not None:
        return _upwards(conn, thread_id, limit, low + 1, high), low, high
    if low is not None:
        return _upwards(conn, thread_id, limit, low + 1, None), low, None
    return _downwards(conn, thread_id, limit, high), None, high


def _around(conn: Connection, thread_id: str, limit: int, centre: int) -> Rows:
    """Return about as many rows before ``centre`` as after it; a shortage on one side is made up on the other."""
    older = _downwards(conn, thread_id, limit, centre)
    newer = _upwards(conn, thread_id, limit, centre, None)
    wanted_older = min(len(older), max(limit // 2, limit - len(newer)))
    kept = older[len(older) - wanted_older :]
    return [*kept, *newer[: limit - len(kept)]]


def _upwards(conn: Connection, thread_id: str, limit: int, start: int, end: int | None) -> Rows:
    condition, values = ("", ()) if end is None else (" AND m.position < ?", (end,))
    statement = f"{_SHOWN} AND m.position >= ?{condition} ORDER BY m.position LIMIT ?"
    return fetch_all(conn, statement, (thread_id, start, *values, limit))


def _downwards(conn: Connection, thread_id: str, limit: int, end: int | None) -> Rows:
    condition, values = ("", ()) if end is None else (" AND m.position < ?", (end,))
    statement = f"{_SHOWN}{condition} ORDER BY m.position DESC LIMIT ?"
    return fetch_all(conn, statement, (thread_id, *values, limit))[::-1]


def below(conn: Connection, message_id: str, limit: int) -> MessagePage | None:
    """Return the path that would be shown from a message on if it were chosen; see ``MessageRepository.below``."""
    node = find_node(conn, message_id)
    parent = None if node is None or node.parent_id is None else find_node(conn, node.parent_id)
    if node is None or (node.parent_id is not None and (parent is None or not parent.is_on_path)):
        return None
    rows = list(conn.exec_driver_sql(_BELOW, (message_id, limit + 1)))
    has_newer = len(rows) > limit
    messages = tuple(each for each in messages_from(conn, rows[:limit]) if each.deleted_at is None)
    if not messages:
        return None
    shown_above = node.position - 1
    has_older = shown_above >= 0 and _has_shown(conn, node.thread_id, shown_above)
    return MessagePage(
        node.thread_id, messages, has_older=has_older, has_newer=has_newer, total=messages[-1].position + 1
    )


def _has_shown(conn: Connection, thread_id: str, up_to: int) -> bool:
    found = conn.exec_driver_sql(
        "SELECT 1 FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL AND position <= ? LIMIT 1",
        (thread_id, up_to),
    )
    return found.first() is not None


def position_of(conn: Connection, thread_id: str, message_id: str) -> int:
    row = (
        driver(conn)
        .execute("SELECT position FROM messages WHERE id = ? AND thread_id = ?", (message_id, thread_id))
        .fetchone()
    )
    if row is None:
        raise MessageNotFound
    return int(row[0])


def versions(conn: Connection, message_id: str) -> tuple[Message, ...]:
    """Return live messages in the same place and role, oldest first; the one asked for is among them even in the
    trash."""
    row = conn.exec_driver_sql("SELECT parent_id, thread_id, role FROM messages WHERE id = ?", (message_id,)).first()
    if row is None:
        raise MessageNotFound
    place = "m.thread_id = ? AND m.parent_id IS NULL" if row[0] is None else "m.parent_id = ?"
    rows = conn.exec_driver_sql(
        f"SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {place} AND m.role = ?"
        " AND (m.deleted_at IS NULL OR m.id = ?) ORDER BY m.id",
        (row[0] or row[1], row[2], message_id),
    )
    return tuple(messages_from(conn, list(rows)))
