"""Keeps the ledger, with one line for each request to a provider, written in the request's own transaction, and its
sums.

A line outlives its thread and its message, because the money is spent. It belongs to this device and is not sent to
others.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.usage import BACKGROUND_KINDS, UsageEvent, UsageReport, UsageRow, UsageSum
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import marks
from chatdesk.core.storage.usage import days

_SUMS = (
    "count(*), sum(input_tokens), sum(output_tokens), sum(cached_tokens), sum(reasoning_tokens),"
    " total(cost_usd), sum(is_estimated AND input_tokens + output_tokens > 0),"
    " sum(cost_usd IS NULL AND input_tokens + output_tokens > 0), sum(written_tokens)"
)
_BY_MODEL = f"SELECT kind, coalesce(provider, ''), coalesce(model, ''), {_SUMS} FROM usage_events"
_GROUPED = " GROUP BY kind, provider, model ORDER BY kind, sum(input_tokens + output_tokens) DESC, model"


def enter(conn: Connection, origin: Origin, event: UsageEvent, *, at: int | None = None) -> None:
    """Enter a line into the ledger, inside a transaction of the caller. A thread that is gone for good is left out of
    it. ``at``: milliseconds UTC, now unless said."""
    row = conn.exec_driver_sql("SELECT project_id FROM threads WHERE id = ?", (event.thread_id,)).first()
    spent, usage = event.spent, event.spent.usage
    moment = origin.now() if at is None else at
    days.add_up(
        conn,
        at=moment,
        project_id=None if row is None else row[0],
        provider=event.provider,
        model=event.model,
        kind=event.kind.value,
        usage=usage,
        cost_usd=spent.cost_usd,
    )
    insert_row(
        conn,
        tables.usage_events,
        id=new_id(),
        project_id=None if row is None else row[0],
        thread_id=None if row is None else event.thread_id,
        message_id=event.message_id,
        provider=event.provider,
        model=event.model,
        status=event.status,
        input_tokens=usage.input_tokens if usage else 0,
        output_tokens=usage.output_tokens if usage else 0,
        cached_tokens=usage.cached_tokens if usage else 0,
        reasoning_tokens=usage.reasoning_tokens if usage else 0,
        is_estimated=int(usage is None or usage.is_estimated),
        latency_ms=spent.latency_ms,
        created_at=moment,
        kind=event.kind.value,
        time_to_first_token_ms=spent.time_to_first_token_ms,
        cost_usd=spent.cost_usd,
        written_tokens=usage.written_tokens if usage else 0,
    )


class UsageRepository:
    """Reads sums of the ledger, and enters lines that go with no other change."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, event: UsageEvent) -> None:
        await self._db.write(lambda conn: enter(conn, self._db.origin, event))

    async def of_thread(self, thread_id: str) -> UsageReport:
        """Return the usage of all requests of a thread, by kind and model."""
        wanted = checked_id(thread_id)
        return await self._db.read(lambda conn: _report(conn, "thread_id = ?", (wanted,)))

    async def between(self, start_ms: int, end_ms: int, *, project_id: str | None = None) -> UsageReport:
        """Return the usage of all requests of a stretch of time, by kind and model; the end is not included."""
        condition, values = "created_at >= ? AND created_at < ?", [start_ms, end_ms]
        if project_id is None:
            return await self._db.read(lambda conn: _report(conn, condition, values))
        project = checked_id(project_id)
        return await self._db.read(lambda conn: _report(conn, f"{condition} AND project_id = ?", [*values, project]))

    async def background_tokens_since(self, start_ms: int) -> int:
        """Return the tokens in and out of all background requests."""

        def work(conn: Connection) -> int:
            kinds = tuple(kind.value for kind in BACKGROUND_KINDS)
            return int(
                conn.exec_driver_sql(
                    "SELECT coalesce(sum(input_tokens + output_tokens), 0) FROM usage_events"
                    f" WHERE created_at >= ? AND kind IN ({marks(kinds)})",
                    (start_ms, *kinds),
                ).scalar_one()
            )

        return await self._db.read(work)

    async def has_title_request(self, thread_id: str) -> bool:
        """Return whether a model was asked for a title of that thread."""
        wanted = checked_id(thread_id)

        def work(conn: Connection) -> bool:
            return (
                conn.exec_driver_sql(
                    "SELECT 1 FROM usage_events WHERE thread_id = ? AND kind = 'title' LIMIT 1", (wanted,)
                ).first()
                is not None
            )

        return await self._db.read(work)


def _report(conn: Connection, condition: str, values: Sequence[object]) -> UsageReport:
    rows = conn.exec_driver_sql(f"{_BY_MODEL} WHERE {condition}{_GROUPED}", tuple(values)).all()
    return UsageReport(tuple(UsageRow(row[0], row[1], row[2], _sum(row[3:])) for row in rows))


def _sum(row: Sequence[Any]) -> UsageSum:
    return UsageSum(*row)
