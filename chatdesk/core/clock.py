"""Provides the time: the wall clock in milliseconds UTC, the time by which things are removed for good, and the hybrid
logical clock that stamps rows for team sync.

A hybrid logical clock (Kulkarni et al., 2014) stamp is one integer, ``milliseconds << 16 | counter``: it never goes
backwards in one process, stays close to the wall clock, and orders changes of several devices.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

_COUNTER_BITS = 16
MAX_DRIFT_MS = 60_000
_DAY_MS: Final = 24 * 3600 * 1000
# A clock that is further ahead than this when it is read again has jumped: it was set, or nobody read it for so long.
JUMP_MS: Final = 7 * _DAY_MS
# How long a clock that jumped must run on before it is trusted.
PROBATION_MS: Final = 3 * _DAY_MS


class Clock:
    """The source of the time for the whole application: the machine's clocks. Tests pass another."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Return seconds that never go backwards, for durations."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """The time that decides when old rows are removed for good: a clock that was set forward must not remove them.
    ``at_ms`` is the latest trusted time; ``jumped_to_ms`` is the clock's first time after a jump, until it is trusted
    again."""

    at_ms: int
    jumped_to_ms: int | None = None

    def after(self, now_ms: int) -> TrustedTime:
        """Return the time that is trusted once the clock says ``now_ms``. A clock that was set back is trusted at once,
        because it removes nothing."""
        if now_ms - self.at_ms <= JUMP_MS:
            return TrustedTime(now_ms)
        jumped_to_ms = self.jumped_to_ms
        if jumped_to_ms is None or now_ms < jumped_to_ms:
            return TrustedTime(self.at_ms, now_ms)
        if now_ms - jumped_to_ms < PROBATION_MS:
            return self
        # If ChatDesk is opened less than once a week, the trusted time lags behind by one visit.
        return TrustedTime(now_ms) if now_ms - jumped_to_ms <= JUMP_MS else TrustedTime(jumped_to_ms, now_ms)


class HybridClock:
    """Makes stamps for this device. Safe to call from any thread."""

    def __init__(self, clock: Clock, last: int = 0) -> None:
        self._clock = clock
        self._last = last
        self._lock = threading.Lock()

    def next(self) -> int:
        """Return a stamp greater than every stamp made or seen before."""
        return self.several(1)[0]

    def several(self, count: int) -> range:
        """Return as many stamps, each greater than the one before and than every stamp made or seen before."""
        with self._lock:
            first = max(self._clock.now_ms() << _COUNTER_BITS, self._last + 1)
            stamps = range(first, first + count)
            self._last = max(self._last, stamps.stop - 1)
            return stamps

    def observe(self, stamp: int) -> None:
        """Move past a stamp that was read from storage or received; stamps more than a minute ahead are ignored."""
        limit = (self._clock.now_ms() + MAX_DRIFT_MS) << _COUNTER_BITS
        with self._lock:
            if self._last < stamp <= limit:
                self._last = stamp


def stamp_ms(stamp: int) -> int:
    """Return the wall-clock part of a stamp, in milliseconds."""
    return stamp >> _COUNTER_BITS
