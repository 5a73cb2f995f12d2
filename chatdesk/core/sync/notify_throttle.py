"""Limits how soon a notification is followed: anybody with a login can send any number of them, with nothing behind
them."""

from __future__ import annotations

from typing import Final

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
