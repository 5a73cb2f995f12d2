"""Stores token counts of parts, counted once for each encoding, and how far off estimates were for a model."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import batches, marks

# The newest answers say most: a vendor may change how it counts.
_WEIGHT_OF_NEWEST = 0.25
_LEAST_FACTOR, _LARGEST_FACTOR = 0.3, 4.0


class TokenCountRepository:
    """Stores token counts. They are derived data: neither stamped nor logged, and written without waiting for the
    disk."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def store(self, encoding: str, counts: Mapping[str, int]) -> None:
        """Store the token counts of parts, by id. Parts that no longer exist are left out."""
        if counts and not self._db.is_read_only:
            await self._db.write(lambda conn: _store(conn, encoding, counts), is_durable=False)

    async def factor(self, provider: str, model: str) -> float | None:
        """Return the number of reported tokens for each estimated one; None while nothing was learnt."""

        def work(conn: Connection) -> float | None:
            row = conn.exec_driver_sql(
                "SELECT factor FROM token_factors WHERE provider = ? AND model = ?", (provider, model)
            ).first()
            return None if row is None else float(row[0])

        return await self._db.read(work)

    async def learn(self, message_id: str, estimated_tokens: int) -> float | None:
        """Compare the estimate for a request with the provider's report on its answer. Returns the current factor; None
        without a report."""

        def work(conn: Connection) -> float | None:
            return _learn(conn, message_id, estimated_tokens, self._db.origin.now())

        if estimated_tokens <= 0 or self._db.is_read_only:
            return None
        return await self._db.write(work, is_durable=False)


def forget(conn: Connection, message_id: str) -> None:
    """Drop the token counts of a message whose text is going to change."""
    conn.exec_driver_sql(
        "DELETE FROM part_token_counts WHERE part_id IN (SELECT id FROM message_parts WHERE message_id = ?)",
        (message_id,),
    )


def _store(conn: Connection, encoding: str, counts: Mapping[str, int]) -> None:
    for batch in batches(list(counts)):
        found = conn.exec_driver_sql(f"SELECT id FROM message_parts WHERE id IN ({marks(batch)})", tuple(batch))
        rows = [(part_id, encoding, counts[part_id]) for (part_id,) in found]
        if rows:
            conn.exec_driver_sql(
                "INSERT OR REPLACE INTO part_token_counts (part_id, encoding, tokens) VALUES (?, ?, ?)", rows
            )


def _learn(conn: Connection, message_id: str, estimated_tokens: int, now: int) -> float | None:
    row = conn.exec_driver_sql(
        "SELECT provider, model, input_tokens FROM usage_events WHERE message_id = ? AND kind = 'answer'"
        # The estimate is of one request, and an answer with calls made several.
        " AND is_estimated = 0 AND NOT EXISTS (SELECT 1 FROM message_parts p"
        " WHERE p.message_id = usage_events.message_id AND p.type = 'tool_call')"
        " ORDER BY created_at DESC, id DESC LIMIT 1",
        (message_id,),
    ).first()
    if row is None or not row[2] or row[0] is None or row[1] is None:
        return None
    seen = min(max(row[2] / estimated_tokens, _LEAST_FACTOR), _LARGEST_FACTOR)
    known = conn.exec_driver_sql(
        "SELECT factor, samples FROM token_factors WHERE provider = ? AND model = ?", (row[0], row[1])
    ).first()
    factor = seen if known is None else known[0] + (seen - known[0]) * _WEIGHT_OF_NEWEST
    conn.exec_driver_sql(
        "INSERT OR REPLACE INTO token_factors (provider, model, factor, samples, updated_at) VALUES (?, ?, ?, ?, ?)",
        (row[0], row[1], factor, 1 if known is None else known[1] + 1, now),
    )
    return float(factor)
