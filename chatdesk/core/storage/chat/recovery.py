"""Ends turns that were running when their process died."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection, Row

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.usage import CHARACTERS_PER_TOKEN, Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.storage.chat import streaming, thread_counters
from chatdesk.core.storage.chat.waiting import WAITING
from chatdesk.core.storage.engine import owner_token, tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.usage import events


def recover_turns(conn: Connection, origin: Origin, own_token: str) -> int:
    """Set every unfinished answer that no live process owns to ``interrupted``, with all text that was stored. Part of
    the transaction that opens the database. Returns how many there were."""
    rows = conn.exec_driver_sql(
        "SELECT m.id, m.thread_id, m.parent_id, t.project_id, m.deleted_at, m.owner_pid_token, m.provider, m.model,"
        " m.created_at"
        " FROM messages m JOIN threads t ON t.id = m.thread_id WHERE m.status IN ('pending', 'streaming')"
    ).all()
    orphans = [
        row
        for row in rows
        if row.owner_pid_token != own_token
        and not owner_token.is_alive(row.owner_pid_token)
        and not (row.owner_pid_token or "").startswith(WAITING)
    ]
    now = origin.now()
    for row in orphans:
        before = thread_counters.of_messages(conn, [row.id])
        stamp = origin.stamp()
        streaming.forget_running_calls(conn, row.id)
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
        streaming.record_final_answer(conn, origin, row, before, stamp["hlc"])
        _enter(conn, origin, row)
    return len(orphans)


def _enter(conn: Connection, origin: Origin, row: Row[Any]) -> None:
    """Enter the text that had arrived into the ledger, as it was paid for; the size of the request is not known any
    more."""
    letters = conn.exec_driver_sql("SELECT char_count FROM messages WHERE id = ?", (row.id,)).scalar() or 0
    usage = Usage(output_tokens=-(-letters // CHARACTERS_PER_TOKEN), is_estimated=True) if letters else None
    events.enter(
        conn,
        origin,
        UsageEvent(
            UsageKind.ANSWER,
            row.thread_id,
            row.provider,
            row.model,
            Status.INTERRUPTED.value,
            Spent(usage),
            message_id=row.id,
        ),
    )
