"""Marks summaries as stale when a message in their range changes, in the same transaction.

A summary whose last message leaves the shown path is stale because another version was chosen, and good again when the
path comes back: which messages are above it follows from the tree. Any other change is for good, also one that happens
below the surface of the shown path.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.domain.summary import StaleReason

_SWITCHED = StaleReason.SWITCHED.value

_MARK = """
UPDATE summaries SET stale_reason = ?
WHERE thread_id = ? AND deleted_at IS NULL AND (stale_reason IS NULL OR stale_reason = 'switched') AND EXISTS (
    SELECT 1 FROM messages first, messages last
    WHERE first.id = summaries.from_message_id AND last.id = summaries.up_to_message_id
    AND last.on_path = ? AND first.position <= ? AND last.position >= ?
)
"""

_IS_SHOWN = "EXISTS (SELECT 1 FROM messages last WHERE last.id = summaries.up_to_message_id AND last.on_path = 1)"


def mark_range(
    conn: Connection, thread_id: str, reason: StaleReason, *, is_on_path: bool, first: int, last: int
) -> None:
    """Mark summaries as stale whose range meets the positions from ``first`` to ``last``, on the shown path or beside
    it."""
    conn.exec_driver_sql(_MARK, (reason.value, thread_id, int(is_on_path), last, first))


def mark_message(conn: Connection, message_id: str, reason: StaleReason) -> None:
    row = conn.exec_driver_sql("SELECT thread_id, on_path, position FROM messages WHERE id = ?", (message_id,)).first()
    if row is not None:
        mark_range(conn, row[0], reason, is_on_path=bool(row[1]), first=row[2], last=row[2])


def follow_path(conn: Connection, thread_id: str) -> None:
    """Mark summaries as switched that end beside the shown path now, and those as good that end on it again."""
    conn.exec_driver_sql(
        f"UPDATE summaries SET stale_reason = ? WHERE thread_id = ? AND stale_reason IS NULL AND NOT {_IS_SHOWN}",
        (_SWITCHED, thread_id),
    )
    conn.exec_driver_sql(
        f"UPDATE summaries SET stale_reason = NULL WHERE thread_id = ? AND stale_reason = ? AND {_IS_SHOWN}",
        (thread_id, _SWITCHED),
    )
