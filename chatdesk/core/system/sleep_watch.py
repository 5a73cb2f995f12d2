"""Detects that this computer slept, because connections are often dead afterwards and nothing ends by itself.

The clock that only counts waking time stands still in a sleep and the clock on the wall does not, or, where both go on,
a short nap of this program takes much longer than it should. A clock that was set looks the same; so a sleep is only a
suspicion, and whoever hears of it gives streams a little time to show that they are alive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chatdesk.core.clock import Clock

_LOOK_EVERY_S = 1.0
_LEAST_SLEEP_S = 5.0
_MS_PER_S = 1000


class SleepWatch:
    """Detects sleeps: ``run`` watches until it is cancelled and calls ``on_woken`` with the missing seconds. Whoever
    naps elsewhere calls ``look`` after each nap of ``every_s`` instead."""

    def __init__(self, clock: Clock, on_woken: Callable[[float], None], *, every_s: float = _LOOK_EVERY_S) -> None:
        self._clock = clock
        self._on_woken = on_woken
        self._every_s = every_s
        self._last = self._times()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            self.look()

    def look(self) -> None:
        """Compare the clocks with those of the last look."""
        wall, awake = self._last
        now_wall, now_awake = self._last = self._times()
        # Either clock may be the one that tells; a nap that was only late by a busy loop is below the least sleep.
        missing_s = max(now_wall - wall - (now_awake - awake), now_awake - awake - self._every_s)
        if missing_s >= _LEAST_SLEEP_S:
            self._on_woken(missing_s)

    def _times(self) -> tuple[float, float]:
        return self._clock.now_ms() / _MS_PER_S, self._clock.monotonic_s()
