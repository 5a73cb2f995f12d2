"""Writes times as the exports do: ISO 8601 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, overload

_MS_PER_MINUTE: Final = 60_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - of UTC


@overload
def iso(milliseconds: int) -> str: ...
@overload
def iso(milliseconds: int | None) -> str | None: ...


def iso(milliseconds: int | None) -> str | None:
    """Return a time that is given in milliseconds UTC."""
    if milliseconds is None:
        return None
    minutes, rest = divmod(milliseconds, _MS_PER_MINUTE)
    return f"{_minute(minutes)}{rest / 1000:06.3f}Z"


@lru_cache(maxsize=4096)
def _minute(number: int) -> str:
    """Return the beginning of all times of a minute. Kept, because pages have hundreds of times, near each other."""
    return (_EPOCH + timedelta(minutes=number)).isoformat()[:-2]
