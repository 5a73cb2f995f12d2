"""The delay before a server that could not be reached is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S = 1.0
_LONGEST_S = 60.0
_DOUBLING = 2
# The larger half of a wait is certain, the rest chance: a team's machines do not come back all at once.
_SURE = 0.5


class Backoff:
    """Delays that double from ``FIRST_S`` to a minute, each with jitter. Safe to use from any thread.
    ``chance`` returns a number from 0 to 1."""

    def __init__(self, *, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._wait_s = FIRST_S

    def next_s(self) -> float:
        """Return the seconds to wait after one more failure."""
        wait_s = self._wait_s
        self._wait_s = min(wait_s * _DOUBLING, _LONGEST_S)
        return wait_s * (_SURE + (1 - _SURE) * self._chance())

    def reset(self) -> None:
        """Reset the delay to its minimum: after a success, a network change or new work."""
        self._wait_s = FIRST_S
