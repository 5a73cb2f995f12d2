"""Limits the spending of a day on work that nobody waits for: titles and summaries."""

from __future__ import annotations

from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import BackgroundLimitReached
from chatdesk.core.domain.usage import UsageKind
from chatdesk.core.local_days import day_number, start_ms
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.usage.limits import UsageLimits

# A request that ended without a word holds nothing back for longer.
_LONGEST_REQUEST_MS = 5 * 60_000


class BackgroundBudget:
    """The tokens for work in the background on one day. Days begin at local midnight; a limit of 0 is none."""

    def __init__(
        self, usage: UsageRepository, clock: Clock, *, tokens_per_day: int = 0, limits: UsageLimits | None = None
    ) -> None:
        """Create the budget over the ledger and the limit. ``limits``: those on everything that is spent; work in the
        background stops at their warnings."""
        self._limits = limits
        self._usage = usage
        self._clock = clock
        self._tokens_per_day = tokens_per_day
        self._reserved: dict[UsageKind, tuple[int, int]] = {}  # tokens, and when they count no longer

    def set_limit(self, tokens_per_day: int) -> None:
        self._tokens_per_day = tokens_per_day

    async def reserve(self, kind: UsageKind, expected_tokens: int, *, provider: str = "", thread_id: str = "") -> None:
        """Reserve tokens for a request of about that size, its answer included. Raises ``BackgroundLimitReached`` where
        that would be more than the day allows. The tokens count as spent until ``release``, for one request of a kind
        at a time."""
        limit, now_ms = self._tokens_per_day, self._clock.now_ms()
        self.release(kind)
        if self._limits is not None:
            await self._limits.admit_background(expected_tokens, provider=provider, thread_id=thread_id)
        if not limit:
            return
        start_ms, end_ms = day_of(now_ms)
        spent = await self._usage.background_tokens_since(start_ms)
        spent += sum(tokens for tokens, until_ms in self._reserved.values() if now_ms < until_ms)
        if spent + expected_tokens > limit:
            raise BackgroundLimitReached(limit, spent_tokens=spent, until_ms=end_ms)
        self._reserved[kind] = expected_tokens, now_ms + _LONGEST_REQUEST_MS

    def release(self, kind: UsageKind) -> None:
        """Drop the reservation of a request that is in the ledger, or came to nothing."""
        self._reserved.pop(kind, None)


def day_of(moment_ms: int) -> tuple[int, int]:
    """Return the local midnights before and after a moment, as milliseconds UTC; a day may have 23 or 25 hours."""
    day = day_number(moment_ms)
    return start_ms(day), start_ms(day + 1)
