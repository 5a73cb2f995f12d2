"""Writes times as the exports do: ISO 8601 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, overload

from chatdesk.core.moments import known_or_zero

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - of UTC
# Looked up in half the time that formatting takes.
_SECONDS: Final = tuple(f"{each:02}." for each in range(60))
_ENDS: Final = tuple(f"{each:03}Z" for each in range(1000))


@overload
def iso(milliseconds: int) -> str: ...
@overload
def iso(milliseconds: int | None) -> str | None: ...


def iso(milliseconds: int | None) -> str | None:
    """Return a time of milliseconds UTC; the beginning of 1970 for an invalid one."""
    if milliseconds is None:
        return None
    seconds, rest = divmod(known_or_zero(milliseconds), 1000)
    minutes, second = divmod(seconds, 60)
    return _minute(minutes) + _SECONDS[second] + _ENDS[rest]


@lru_cache(maxsize=4096)
def _minute(number: int) -> str:
    """Return the beginning of all times of a minute. Kept, because pages have hundreds of times, near each other."""
    return (_EPOCH + timedelta(minutes=number)).isoformat()[:-2]
