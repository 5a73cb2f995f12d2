"""What may be spent on a day for work that nobody waits for: titles and summaries."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from chatdesk.core.clock import Clock
from chatdesk.core.errors import BackgroundLimitReached

if TYPE_CHECKING:
    from chatdesk.core.storage.usage_events import UsageRepository

_MS_PER_S = 1000


class BackgroundBudget:
    """Days begin at midnight where this computer stands. A limit of 0 is none."""

    def __init__(self, usage: UsageRepository, clock: Clock, *, tokens_per_day: int = 0) -> None:
        self._usage = usage
        self._clock = clock
        self._tokens_per_day = tokens_per_day

    def set_limit(self, tokens_per_day: int) -> None:
        self._tokens_per_day = tokens_per_day

    async def check(self, expected_tokens: int) -> None:
        """Raises ``BackgroundLimitReached`` where a request of about that size, its answer included, would be more than
        the day allows."""
        limit = self._tokens_per_day
        if not limit:
            return
        start_ms, end_ms = day_of(self._clock.now_ms())
        spent = await self._usage.background_tokens_since(start_ms)
        if spent + expected_tokens > limit:
            raise BackgroundLimitReached(limit, spent_tokens=spent, until_ms=end_ms)


def day_of(moment_ms: int) -> tuple[int, int]:
    """The midnights before and after a moment, as milliseconds UTC; a day may have 23 or 25 hours."""
    day = datetime.fromtimestamp(moment_ms / _MS_PER_S, tz=UTC).astimezone().date()
    # A time without a zone is local time, with the offset that holds on that day.
    start, end = (datetime.combine(day + timedelta(days=ahead), time()).astimezone() for ahead in (0, 1))
    return int(start.timestamp()) * _MS_PER_S, int(end.timestamp()) * _MS_PER_S
