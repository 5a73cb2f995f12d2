"""How soon a notification is followed: anybody with a login can send them, without end, and with nothing in them."""

from __future__ import annotations

from typing import Final

#: So many that brought nothing are followed at once: people and roles change without a change of the log.
FREE: Final = 3
#: After so long without any, all is forgotten.
CALM_S: Final = 10.0
MOST_S: Final = 2.0
#: How often at most it is asked who is here because somebody says that this changed.
PEOPLE_S: Final = 0.2
_FIRST_S: Final = 0.1


class HintPace:
    """Used by one thread; times are of a monotonic clock."""

    def __init__(self) -> None:
        self._in_vain = 0
        self._heard_at = 0.0
        self._asked_at = -CALM_S
        self._is_people_news = False

    def heard(self, now_s: float) -> float:
        """A notification came; how long to wait before it is followed."""
        if now_s - self._heard_at > CALM_S:
            self._in_vain = 0
        self._heard_at = now_s
        self._in_vain += 1
        beyond = self._in_vain - FREE - 1
        return 0.0 if beyond < 0 else min(_FIRST_S * 2 ** min(beyond, 10), MOST_S)

    def brought_something(self) -> None:
        """What was followed was true."""
        self._in_vain = 0

    def heard_of_people(self) -> None:
        self._is_people_news = True

    def people_s(self, now_s: float) -> float | None:
        """How long until it is asked who is here; None: nobody said anything."""
        return max(0.0, self._asked_at + PEOPLE_S - now_s) if self._is_people_news else None

    def asked(self, now_s: float) -> None:
        """Who is here is known."""
        self._is_people_news, self._asked_at = False, now_s
