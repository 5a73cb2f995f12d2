"""The ledger added up by local day, kept with each line that is entered, so that months are read in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from chatdesk.core.domain.usage import Usage, UsageCell, UsageSum
from chatdesk.core.domain.usage_day import day_number

if TYPE_CHECKING:
    from chatdesk.core.storage.database import Database

_ADD = (
    "INSERT INTO usage_days (day, project_id, provider, model, kind, requests, input_tokens, output_tokens,"
    " cached_tokens, reasoning_tokens, estimated_requests, unpriced_requests, cost_usd)"
    " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, project_id, provider, model, kind) DO UPDATE SET"
    " requests = requests + 1, input_tokens = input_tokens + excluded.input_tokens,"
    " output_tokens = output_tokens + excluded.output_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,"
    " reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,"
    " estimated_requests = estimated_requests + excluded.estimated_requests,"
    " unpriced_requests = unpriced_requests + excluded.unpriced_requests, cost_usd = cost_usd + excluded.cost_usd"
)
_CELLS = (
    "SELECT d.day, d.kind, d.provider, d.model, d.project_id, coalesce(p.name, ''), d.requests, d.input_tokens,"
    " d.output_tokens, d.cached_tokens, d.reasoning_tokens, d.cost_usd, d.estimated_requests, d.unpriced_requests"
    " FROM usage_days d LEFT JOIN projects p ON p.id = d.project_id WHERE d.day >= ? AND d.day <= ? ORDER BY d.day"
)


def add_up(
    conn: Connection,
    *,
    at: int,
    project_id: str | None,
    provider: str | None,
    model: str | None,
    kind: str,
    usage: Usage | None,
    cost_usd: float | None,
) -> None:
    """One more request, inside the transaction that enters it. ``at``: milliseconds UTC."""
    used = usage or Usage()
    has_tokens = used.total_tokens > 0
    conn.exec_driver_sql(
        _ADD,
        (
            day_number(at),
            project_id or "",
            provider or "",
            model or "",
            kind,
            used.input_tokens,
            used.output_tokens,
            used.cached_tokens,
            used.reasoning_tokens,
            int(used.is_estimated and has_tokens),
            int(cost_usd is None and has_tokens),
            cost_usd or 0.0,
        ),
    )


class UsageDayRepository:
    """Reads what days took."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def cells(self, first_day: int, last_day: int) -> tuple[UsageCell, ...]:
        """What each model took for each kind of work in each project, day by day; both days are included."""

        def work(conn: Connection) -> tuple[UsageCell, ...]:
            rows = conn.exec_driver_sql(_CELLS, (first_day, last_day)).all()
            return tuple(UsageCell(row[0], row[1], row[2], row[3], row[4], row[5], UsageSum(*row[6:])) for row in rows)

        return await self._db.read(work)

    async def first_day(self) -> int | None:
        """The first day on which anything was asked; None: nothing ever was."""

        def work(conn: Connection) -> int | None:
            found = conn.exec_driver_sql("SELECT min(day) FROM usage_days").scalar()
            return None if found is None else int(found)

        return await self._db.read(work)
