"""Counts a thread's messages afresh, to compare with the counters that are kept with it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import Thread
from chatdesk.core.storage.chat import thread_counters
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import get_thread


async def recounted(db: Database, thread_id: str) -> Thread:
    """Return the thread with the counters that its messages give."""

    def work(conn: Connection) -> Thread:
        tally = thread_counters.of_thread(conn, thread_id)
        return replace(
            get_thread(conn, thread_id),
            message_count=tally.message_count,
            total_input_tokens=tally.input_tokens,
            total_output_tokens=tally.output_tokens,
            total_cached_tokens=tally.cached_tokens,
            total_reasoning_tokens=tally.reasoning_tokens,
            total_tool_time_ms=tally.tool_time_ms,
            tool_counts=dict(tally.tool_counts),
        )

    return await db.read(work)
