"""Computes when the next message may be sent, from a sliding window over sent ones and the limits that vendors report.

Pure: it is given the time in milliseconds UTC and keeps nothing but numbers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chatdesk.core.domain.limits import Rate
from chatdesk.core.domain.usage import RateReport

_MS_PER_S = 1000
_MOST_REMEMBERED = 100_000
_LONGEST_VENDOR_WAIT_MS = 24 * 3_600_000


def _moments(values: Iterable[int] = ()) -> array[int]:
    return array("q", values)  # a tenth of the memory of a list of numbers


class RateWindow:
    """A sliding window: at most ``rate.count`` messages in any ``rate.period_s`` seconds."""

    def __init__(self, rate: Rate | None = None) -> None:
        self._rate = rate
        self._sent = _moments()

    @property
    def rate(self) -> Rate | None:
        return self._rate

    def use(self, rate: Rate | None, sent: Sequence[int] = ()) -> None:
        """Use another rate; ``sent`` are moments of sending that this window may not have recorded."""
        self._rate = rate
        self._sent = _moments(sorted({*self._sent, *sent}))

    def record_sent(self, now_ms: int) -> None:
        """Record a sent message, also without a rate: there may be one later."""
        insort(self._sent, now_ms)
        del self._sent[:-_MOST_REMEMBERED]

    def next_times(self, count: int, now_ms: int) -> list[int]:
        """Return when each of the next ``count`` messages may be sent; ``now_ms`` where at once."""
        if self._rate is None:
            return [now_ms] * count
        period_ms = self._rate.period_s * _MS_PER_S
        # After the clock was set back, the wait is never longer than one period from the first check on.
        later = bisect_right(self._sent, now_ms)
        self._sent[later:] = _moments([now_ms]) * (len(self._sent) - later)
        taken = self._sent[bisect_right(self._sent, now_ms - period_ms) :]
        times: list[int] = []
        for _ in range(count):
            is_full = len(taken) >= self._rate.count
            moment = max(now_ms, taken[-self._rate.count] + period_ms) if is_full else now_ms
            taken.append(moment)
            times.append(moment)
        return times


@dataclass(slots=True)
class _Quota:
    """The number of requests left at a vendor for one model, until a moment. ``read_ms`` is the clock's time at the
    last read."""

    left: int
    until_ms: int
    read_ms: int


class VendorQuotas:
    """The limits that vendors report, by provider and model, since that is how vendors count."""

    def __init__(self) -> None:
        self._quotas: dict[tuple[str, str], _Quota] = {}

    def record(self, provider: str, model: str, report: RateReport, *, now_ms: int) -> None:
        """Record the limits in the headers of an answer."""
        wait_ms = min(round(report.resets_in_s * _MS_PER_S), _LONGEST_VENDOR_WAIT_MS)
        if wait_ms > 0:
            self._quotas[provider, model] = _Quota(max(0, report.requests_left), now_ms + wait_ms, now_ms)

    def forget(self, provider: str, model: str) -> None:
        self._quotas.pop((provider, model), None)

    def record_sent(self, provider: str, model: str) -> None:
        quota = self._quotas.get((provider, model))
        if quota is not None and quota.left > 0:
            quota.left -= 1

    def free_at(self, provider: str, model: str, now_ms: int) -> int | None:
        """Return when that vendor accepts another request; None: at once."""
        quota = self._quotas.get((provider, model))
        if quota is None:
            return None
        quota.until_ms -= max(0, quota.read_ms - now_ms)  # by as much as the clock was set back
        quota.read_ms = now_ms
        if quota.until_ms <= now_ms:
            del self._quotas[provider, model]
            return None
        return None if quota.left > 0 else quota.until_ms
