"""Moves messages below a parent that came only after they were shown without it."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy.engine import Connection

from chatdesk.core.storage.chat import shown_path
from chatdesk.core.storage.engine.connection import driver

# All below some messages and themselves, each with its parent, its position and that of its parent.
_BELOW = """
WITH RECURSIVE below(id) AS (
    SELECT value FROM json_each(?) UNION SELECT m.id FROM below JOIN messages m ON m.parent_id = below.id
)
SELECT m.id, m.parent_id, m.position, p.position FROM below
JOIN messages m ON m.id = below.id JOIN messages p ON p.id = m.parent_id
"""


def move_below(conn: Connection, moves: Iterable[tuple[str, str]]) -> set[str]:
    """Move root messages and everything below them under a parent, given as (message, parent), where that is possible.
    Returns the threads that changed. Positions are counted once for all: one move may carry what the next ones do."""
    raw = driver(conn)
    moved: dict[str, str] = {}
    shown: list[str] = []
    for message_id, parent_id in moves:
        node, parent = shown_path.find_node(conn, message_id), shown_path.find_node(conn, parent_id)
        if node is None or parent is None or parent.thread_id != node.thread_id or node.parent_id is not None:
            continue
        if _is_below(raw, parent_id, message_id):
            continue
        raw.execute("UPDATE messages SET parent_id = ? WHERE id = ?", (parent_id, message_id))
        moved[message_id] = node.thread_id
        if node.is_on_path:
            shown.append(message_id)
    if not moved:
        return set()
    _count_positions(raw, moved)
    for message_id in shown:
        thread_id = moved[message_id]
        before = shown_path.shown_from(conn, thread_id, 0)
        raw.execute("UPDATE messages SET on_path = 0 WHERE thread_id = ? AND on_path = 1", (thread_id,))
        raw.execute("UPDATE threads SET shown_count = shown_count - ? WHERE id = ?", (before, thread_id))
        placed = shown_path.find_node(conn, message_id)
        assert placed is not None  # found above
        shown_path.show(conn, placed)
    return set(moved.values())


def _is_below(raw: sqlite3.Connection, message_id: str, root_id: str) -> bool:
    """Return whether a message is a root or below it, by looking up from the one and down from the other at once: as
    long as the shorter of both ways."""
    above: str | None = message_id
    below = [root_id]
    while above is not None and below:
        if above == root_id:
            return True
        row = raw.execute("SELECT parent_id FROM messages WHERE id = ?", (above,)).fetchone()
        above = None if row is None else row[0]
        found = [row[0] for row in raw.execute("SELECT id FROM messages WHERE parent_id = ?", (below.pop(),))]
        if message_id in found:
            return True
        below += found
    return False


def _count_positions(raw: sqlite3.Connection, message_ids: Iterable[str]) -> None:
    """Store how deep these messages, and all below them, are in their threads."""
    nodes = {row[0]: row[1:] for row in raw.execute(_BELOW, (json.dumps(list(message_ids)),))}
    below: dict[str, list[str]] = defaultdict(list)
    waiting: list[tuple[str, int]] = []
    for message_id, (parent_id, _, above) in nodes.items():
        if parent_id in nodes:
            below[parent_id].append(message_id)
        else:
            waiting.append((message_id, above + 1))
    changed = []
    while waiting:
        message_id, position = waiting.pop()
        if nodes[message_id][1] != position:
            changed.append((position, message_id))
        waiting += [(child, position + 1) for child in below[message_id]]
    raw.executemany("UPDATE messages SET position = ? WHERE id = ?", changed)
