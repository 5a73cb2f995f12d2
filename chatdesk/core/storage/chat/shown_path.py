"""Maintains ``on_path``, which says for each message of a thread's tree whether it is shown.

A page is then one walk over an index. The price is paid when another version is chosen: the path changes from that
place on.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.storage.chat import summaries


@dataclass(frozen=True, slots=True)
class Node:
    """A message as it is needed for the tree, without its content."""

    id: str
    thread_id: str
    parent_id: str | None
    role: str
    status: str
    position: int
    is_on_path: bool
    deleted_at: int | None


_NODE = "SELECT id, thread_id, parent_id, role, status, position, on_path, deleted_at FROM messages"

# The step after ``down(id, chosen)``: the chosen child, unless it is in the trash and there is a live one; then the
# newest live one. An invalid choice counts as none.
NEXT_DOWN = """coalesce(
        (SELECT c.id FROM messages c WHERE c.id = down.chosen AND c.parent_id = down.id AND c.deleted_at IS NULL),
        (SELECT max(c.id) FROM messages c WHERE c.parent_id = down.id AND c.deleted_at IS NULL),
        (SELECT c.id FROM messages c WHERE c.id = down.chosen AND c.parent_id = down.id),
        (SELECT max(c.id) FROM messages c WHERE c.parent_id = down.id)
    )"""

_DOWN = f"""
WITH RECURSIVE down(id, chosen) AS (
    SELECT id, chosen_child_id FROM messages WHERE id = ?
    UNION
    SELECT m.id, m.chosen_child_id FROM down JOIN messages m ON m.id = {NEXT_DOWN}
)
UPDATE messages SET on_path = 1 WHERE id IN (SELECT id FROM down)
"""

# The same as long as every chosen child is live: nearly always the whole way, for half of the work.
_DOWN_CHOSEN = """
WITH RECURSIVE down(id, chosen) AS (
    SELECT id, chosen_child_id FROM messages WHERE id = ?
    UNION
    SELECT m.id, m.chosen_child_id FROM down JOIN messages m ON m.id = down.chosen AND m.parent_id = down.id
    WHERE m.deleted_at IS NULL
)
UPDATE messages SET on_path = 1 WHERE id IN (SELECT id FROM down)
"""

# Up from a message to the first one that is shown already, which is included.
_UP = """
WITH RECURSIVE up(id, parent_id, position, on_path) AS (
    SELECT id, parent_id, position, on_path FROM messages WHERE id = ?
    UNION
    SELECT m.id, m.parent_id, m.position, m.on_path FROM up JOIN messages m ON m.id = up.parent_id WHERE up.on_path = 0
)
SELECT id, parent_id, position, on_path FROM up ORDER BY position
"""


def find_node(conn: Connection, message_id: str) -> Node | None:
    row = conn.exec_driver_sql(f"{_NODE} WHERE id = ?", (message_id,)).first()
    return None if row is None else _node(row)


def _node(row: Sequence[Any]) -> Node:
    message_id, thread_id, parent_id, role, status, position, on_path, deleted_at = row
    return Node(message_id, thread_id, parent_id, role, status, position, bool(on_path), deleted_at)


def tip(conn: Connection, thread_id: str) -> Node | None:
    """Return the last message of the path, whether live or in the trash: a new message goes below it, so that one that
    is restored later still has its place."""
    row = conn.exec_driver_sql(
        f"{_NODE} WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL ORDER BY position DESC LIMIT 1",
        (thread_id,),
    ).first()
    trashed = conn.exec_driver_sql(
        f"{_NODE} WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NOT NULL ORDER BY position DESC LIMIT 1",
        (thread_id,),
    ).first()
    if row is None or (trashed is not None and trashed[5] > row[5]):
        row = trashed
    return None if row is None else _node(row)


def find_place(conn: Connection, thread_id: str, position: int) -> Node | None:
    """Return the message of the path at a position, whether live or in the trash."""
    for condition in ("deleted_at IS NULL", "deleted_at IS NOT NULL"):  # each has its index
        row = conn.exec_driver_sql(
            f"{_NODE} WHERE thread_id = ? AND on_path = 1 AND position = ? AND {condition}", (thread_id, position)
        ).first()
        if row is not None:
            return _node(row)
    return None


def next_below(conn: Connection, thread_id: str, message_id: str | None) -> Node | None:
    """Return the live message that the path leads to below ``message_id`` (None: at the beginning of the thread): the
    chosen one, else the newest."""
    if message_id is None:
        place, chosen = "thread_id = ? AND +parent_id IS NULL", "SELECT chosen_root_id FROM threads WHERE id = ?"
    else:
        place, chosen = "parent_id = ?", "SELECT chosen_child_id FROM messages WHERE id = ?"
    row = conn.exec_driver_sql(
        f"{_NODE} WHERE {place} AND deleted_at IS NULL ORDER BY id = ({chosen}) DESC, id DESC LIMIT 1",
        (message_id or thread_id,) * 2,
    ).first()
    return None if row is None else _node(row)


def cut(conn: Connection, node: Node, next_id: str) -> None:
    """Remove ``node`` and everything below it from the path, where ``next_id`` is to be chosen and shown instead."""
    before = shown_from(conn, node.thread_id, node.position)
    _hide_from(conn, node.thread_id, node.position)
    _choose(conn, node.thread_id, node.parent_id, next_id)
    conn.exec_driver_sql("UPDATE threads SET shown_count = shown_count - ? WHERE id = ?", (before, node.thread_id))


def append(conn: Connection, node: Node) -> None:
    """Show a new message below the tip, where nothing else has to change."""
    conn.exec_driver_sql("UPDATE messages SET on_path = 1 WHERE id = ?", (node.id,))
    _choose(conn, node.thread_id, node.parent_id, node.id)
    conn.exec_driver_sql(
        "UPDATE threads SET current_leaf_id = ?, shown_count = shown_count + 1 WHERE id = ?", (node.id, node.thread_id)
    )


def show(conn: Connection, node: Node, *, is_choice: bool = True) -> int:
    """Lead the path through ``node`` and on below it. Returns the first position that changed. Without ``is_choice`` it
    is shown for now only, and the choice is not stored."""
    if node.is_on_path:
        refresh_end(conn, node.thread_id)
        return node.position
    chain = conn.exec_driver_sql(_UP, (node.id,)).all()
    fork = next((row[2] + 1 for row in chain if row[3]), 0)
    before = shown_from(conn, node.thread_id, fork)
    _hide_from(conn, node.thread_id, fork)
    for message_id, parent_id, _position, is_shown in chain:
        if not is_shown:
            if is_choice:
                _choose(conn, node.thread_id, parent_id, message_id)
            conn.exec_driver_sql("UPDATE messages SET on_path = 1 WHERE id = ?", (message_id,))
    _show_below(conn, node)
    after = shown_from(conn, node.thread_id, fork)
    conn.exec_driver_sql(
        "UPDATE threads SET shown_count = shown_count + ? WHERE id = ?", (after - before, node.thread_id)
    )
    refresh_end(conn, node.thread_id)
    summaries.follow_path(conn, node.thread_id)
    return fork


def _hide_from(conn: Connection, thread_id: str, position: int) -> None:
    for condition in ("deleted_at IS NULL", "deleted_at IS NOT NULL"):  # each has its index
        conn.exec_driver_sql(
            f"UPDATE messages SET on_path = 0 WHERE thread_id = ? AND on_path = 1 AND position >= ? AND {condition}",
            (thread_id, position),
        )


def _show_below(conn: Connection, node: Node) -> None:
    end = node.id
    if node.deleted_at is None:
        conn.exec_driver_sql(_DOWN_CHOSEN, (node.id,))
        end = conn.exec_driver_sql(
            "SELECT id FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL"
            " ORDER BY position DESC LIMIT 1",
            (node.thread_id,),
        ).scalar_one()
    conn.exec_driver_sql(_DOWN, (end,))


def refresh_end(conn: Connection, thread_id: str) -> None:
    """Set ``current_leaf_id`` to the newest live message of the path."""
    conn.exec_driver_sql(
        "UPDATE threads SET current_leaf_id = (SELECT id FROM messages WHERE thread_id = threads.id AND on_path = 1"
        " AND deleted_at IS NULL ORDER BY position DESC LIMIT 1) WHERE id = ?",
        (thread_id,),
    )


def id_at(conn: Connection, thread_id: str, position: int) -> str | None:
    """Return the id of the live message of the path at a position; None where there is none."""
    found = conn.exec_driver_sql(
        "SELECT id FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL AND position = ?",
        (thread_id, position),
    ).scalar()
    return None if found is None else str(found)


def shown_from(conn: Connection, thread_id: str, position: int) -> int:
    return int(
        conn.exec_driver_sql(
            "SELECT count(*) FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL"
            " AND position >= ?",
            (thread_id, position),
        ).scalar_one()
    )


def _choose(conn: Connection, thread_id: str, parent_id: str | None, message_id: str) -> None:
    if parent_id is None:
        conn.exec_driver_sql("UPDATE threads SET chosen_root_id = ? WHERE id = ?", (message_id, thread_id))
    else:
        conn.exec_driver_sql("UPDATE messages SET chosen_child_id = ? WHERE id = ?", (message_id, parent_id))
