"""Turns that were running when their process died."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.storage import owner_token, streaming, tables, thread_counters
from chatdesk.core.storage.change_log import Origin


def recover_turns(conn: Connection, origin: Origin, own_token: str) -> int:
    """Give every unfinished answer that no live process owns the status ``interrupted``, with all text that was stored.
    Part of the transaction that opens the database. Returns how many there were.
    """
    rows = conn.exec_driver_sql(
        "SELECT m.id, m.thread_id, t.project_id, m.deleted_at, m.owner_pid_token"
        " FROM messages m JOIN threads t ON t.id = m.thread_id WHERE m.status IN ('pending', 'streaming')"
    ).all()
    orphans = [row for row in rows if row[4] != own_token and not owner_token.is_alive(row[4])]
    now = origin.now()
    for row in orphans:
        before = thread_counters.of_messages(conn, [row.id])
        stamp = origin.stamp()
        conn.execute(
            tables.messages.update()
            .where(tables.messages.c.id == row.id)
            .values(
                status="interrupted",
                completed_at=now,
                owner_pid_token=None,
                **streaming.merge(conn, row.id, now),
                **stamp,
            )
        )
        streaming.settle(conn, origin, row, before, stamp["hlc"])
    return len(orphans)
