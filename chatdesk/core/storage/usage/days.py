"""Adds the ledger up by local day, with each line that is entered, so that months are read in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.usage import Usage, UsageCell, UsageSum
from chatdesk.core.local_days import day_number
from chatdesk.core.storage.engine.database import Database

_ADD = (
    "INSERT INTO usage_days (day, project_id, provider, model, kind, requests, input_tokens, output_tokens,"
    " cached_tokens, reasoning_tokens, estimated_requests, unpriced_requests, cost_usd, written_tokens)"
    " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, project_id, provider, model, kind) DO UPDATE"
    " SET requests = requests + 1, input_tokens = input_tokens + excluded.input_tokens,"
    " output_tokens = output_tokens + excluded.output_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,"
    " reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,"
    " estimated_requests = estimated_requests + excluded.estimated_requests,"
    " unpriced_requests = unpriced_requests + excluded.unpriced_requests, cost_usd = cost_usd + excluded.cost_usd,"
    " written_tokens = written_tokens + excluded.written_tokens"
)
_CELLS = (
    "SELECT d.day, d.kind, d.provider, d.model, d.project_id, coalesce(p.name, ''), d.requests, d.input_tokens,"
    " d.output_tokens, d.cached_tokens, d.reasoning_tokens, d.cost_usd, d.estimated_requests, d.unpriced_requests,"
    " d.written_tokens"
    " FROM usage_days d LEFT JOIN projects p ON p.id = d.project_id WHERE d.day >= ? AND d.day <= ? ORDER BY d.day"
)

# The same for all of one day, model, project or kind; the other names are empty.
_GROUPED = (
    "SELECT {day}, {kind}, '', {model}, {project}, {name}, sum(d.requests), sum(d.input_tokens), sum(d.output_tokens),"
    " sum(d.cached_tokens), sum(d.reasoning_tokens), sum(d.cost_usd), sum(d.estimated_requests),"
    " sum(d.unpriced_requests), sum(d.written_tokens)"
    " FROM usage_days d LEFT JOIN projects p ON p.id = d.project_id WHERE d.day >= ? AND d.day <= ?"
    " GROUP BY {by} ORDER BY {by}"
)
_NONE: Final = {"day": "0", "kind": "''", "model": "''", "project": "''", "name": "''"}
_BY: Final[Mapping[str, str]] = {
    "day": _GROUPED.format(**{**_NONE, "day": "d.day", "by": "d.day"}),
    "kind": _GROUPED.format(**{**_NONE, "kind": "d.kind", "by": "d.kind"}),
    "model": _GROUPED.format(**{**_NONE, "model": "d.model", "by": "d.model"}),
    "project": _GROUPED.format(
        **{**_NONE, "project": "d.project_id", "name": "coalesce(p.name, '')", "by": "d.project_id"}
    ),
}


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
    """Add one more request to its day, inside the transaction that enters it. ``at``: milliseconds UTC."""
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
            used.written_tokens,
        ),
    )


class UsageDayRepository:
    """Reads the usage of days."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def cells(self, first_day: int, last_day: int) -> tuple[UsageCell, ...]:
        """Return the usage of each model for each kind of work in each project, day by day; both days are included."""

        return await self._db.read(lambda conn: _cells(conn, _CELLS, first_day, last_day))

    async def grouped(self, first_day: int, last_day: int) -> Mapping[str, tuple[UsageCell, ...]]:
        """Return the usage added up by ``day``, ``model``, ``project`` and ``kind``: few rows, however much was
        asked."""
        return await self._db.read(
            lambda conn: {name: _cells(conn, sql, first_day, last_day) for name, sql in _BY.items()}
        )

    async def first_day(self) -> int | None:
        """Return the first day on which anything was asked; None: nothing ever was."""

        def work(conn: Connection) -> int | None:
            found = conn.exec_driver_sql("SELECT min(day) FROM usage_days").scalar()
            return None if found is None else int(found)

        return await self._db.read(work)


def _cells(conn: Connection, sql: str, first_day: int, last_day: int) -> tuple[UsageCell, ...]:
    rows = conn.exec_driver_sql(sql, (first_day, last_day)).all()
    return tuple(UsageCell(row[0], row[1], row[2], row[3], row[4], row[5], UsageSum(*row[6:])) for row in rows)
