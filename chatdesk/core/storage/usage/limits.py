"""Stores spending limits as one value of the profile, and computes how much of each is used.

They belong to this device's profile and are few, so that one row of ``meta`` holds them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.storage.engine.database import Database

_LIMITS, _WARNED = "usage_limits", "usage_limits_warned"
_SPENT = "SELECT coalesce(sum(input_tokens + output_tokens), 0), total(cost_usd) FROM usage_days"


class UsageLimitRepository:
    """Reads and writes the limits. Every write is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> tuple[UsageLimit, ...]:
        """Return the limits that are stored."""
        return await self._db.read(get_limits)

    async def replace(self, limits: Sequence[UsageLimit]) -> None:
        await self._db.write(lambda conn: _store(conn, _LIMITS, [asdict(limit) for limit in limits]))

    async def project_of(self, thread_id: str) -> str | None:
        def work(conn: Connection) -> str | None:
            found = conn.exec_driver_sql("SELECT project_id FROM threads WHERE id = ?", (thread_id,)).scalar()
            return None if found is None else str(found)

        return await self._db.read(work)

    async def spent(self, limits: Sequence[UsageLimit], first_days: Sequence[int]) -> tuple[tuple[int, float], ...]:
        """Return the tokens and dollars that count against each limit since its first day."""

        def work(conn: Connection) -> tuple[tuple[int, float], ...]:
            return tuple(_spent(conn, limit, day) for limit, day in zip(limits, first_days, strict=True))

        return await self._db.read(work)

    async def mark_warned(self, key: str, first_day: int) -> bool:
        """Record that a warning is given for the period that began on that day. Returns false where it was given
        before."""

        def work(conn: Connection) -> bool:
            warned = _stored(conn, _WARNED, {})
            if warned.get(key) == first_day:
                return False
            _store(conn, _WARNED, {**warned, key: first_day})
            return True

        return await self._db.write(work)


def get_limits(conn: Connection) -> tuple[UsageLimit, ...]:
    """Return the limits as they were stored, with the names that projects have now; those of projects that are gone are
    left out."""
    names = {row[0]: row[1] for row in conn.exec_driver_sql("SELECT id, name FROM projects")}
    found = (_limit_of(entry, names) for entry in _stored(conn, _LIMITS, []))
    return tuple(limit for limit in found if limit is not None)


def _spent(conn: Connection, limit: UsageLimit, first_day: int) -> tuple[int, float]:
    sql, values = f"{_SPENT} WHERE day >= ?", [first_day, limit.target]
    if limit.scope is LimitScope.ALL:
        values.pop()
    else:
        sql += " AND provider = ?" if limit.scope is LimitScope.PROVIDER else " AND project_id = ?"
    row = conn.exec_driver_sql(sql, tuple(values)).one()
    return int(row[0]), float(row[1])


def _limit_of(entry: Mapping[str, object], names: Mapping[str, str]) -> UsageLimit | None:
    try:
        limit = UsageLimit(
            LimitScope(str(entry["scope"])),
            LimitPeriod(str(entry["period"])),
            LimitUnit(str(entry["unit"])),
            soft=float(str(entry["soft"])),
            hard=float(str(entry["hard"])),
            target=str(entry["target"]),
            label=str(entry["label"]),
        )
    except (KeyError, ValueError, TypeError):
        return None  # of another version
    if limit.scope is not LimitScope.PROJECT:
        return limit
    name = names.get(limit.target)
    return None if name is None else UsageLimit(**{**asdict(limit), "label": name})


def _stored(conn: Connection, key: str, empty: Any) -> Any:
    found = conn.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (key,)).scalar()
    value = empty if found is None else json.loads(found)
    return value if isinstance(value, type(empty)) else empty


def _store(conn: Connection, key: str, value: object) -> None:
    conn.exec_driver_sql(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, json.dumps(value)),
    )
