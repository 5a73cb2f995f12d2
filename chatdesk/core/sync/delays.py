"""Computes the delays before an unreachable server is tried again, and before news are requested."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

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


# So many that brought nothing are followed at once: people and roles change without a change of the log.
FREE: Final = 3
# After so long without any, all is forgotten.
CALM_S: Final = 10.0
MOST_S: Final = 2.0
# The least time between two reads of the presence of others.
PEOPLE_S: Final = 0.2
_FIRST_S: Final = 0.1


class NotifyThrottle:
    """Delays notifications that bring nothing new. Used by one thread; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._in_vain = 0
        self._heard_at = 0.0
        self._asked_at = -CALM_S
        self._is_people_news = False

    def delay_s(self, now_s: float) -> float:
        """Record a notification. Returns how many seconds to wait before it is followed."""
        if now_s - self._heard_at > CALM_S:
            self._in_vain = 0
        self._heard_at = now_s
        self._in_vain += 1
        beyond = self._in_vain - FREE - 1
        return 0.0 if beyond < 0 else min(_FIRST_S * 2 ** min(beyond, 10), MOST_S)

    def reset(self) -> None:
        """Reset the delay, because a notification was followed and brought changes."""
        self._in_vain = 0

    def want_presence(self) -> None:
        self._is_people_news = True

    def presence_due_s(self, now_s: float) -> float | None:
        """Return in how many seconds presence is to be read; None if no notification asked for it."""
        return max(0.0, self._asked_at + PEOPLE_S - now_s) if self._is_people_news else None

    def presence_was_read(self, now_s: float) -> None:
        """Record that presence was read just now."""
        self._is_people_news, self._asked_at = False, now_s
