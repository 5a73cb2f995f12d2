"""Makes a time of a stored one. A database, a file or a server may hold any number, or something else, as a time; so
this is the only place that does it, and it never fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from chatdesk.core.texts import Text

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_MS: Final = -62_135_596_800_000  # the years 1 to 9999, which a calendar has
LATEST_MS: Final = 253_402_300_799_999


def is_known(milliseconds: object) -> bool:
    """Return whether a stored value is a time in milliseconds UTC that can be shown."""
    return isinstance(milliseconds, int) and EARLIEST_MS <= milliseconds <= LATEST_MS


def known_or_zero(milliseconds: object) -> int:
    """Return a stored time; 0 for an invalid one, so that it can be sorted among others."""
    return milliseconds if isinstance(milliseconds, int) and EARLIEST_MS <= milliseconds <= LATEST_MS else 0


def utc_moment(milliseconds: object) -> datetime:
    """Return a stored time as a moment in UTC; the beginning of 1970 for an invalid one."""
    return _EPOCH + timedelta(milliseconds=known_or_zero(milliseconds))


def local_moment(milliseconds: object, zone: tzinfo | None = None) -> datetime:
    """Return a stored time in ``zone``, on the clock of this computer where that is None; in UTC at an end of the
    calendar that the zone does not have."""
    moment = utc_moment(milliseconds)
    try:
        return moment.astimezone(zone)
    except (OverflowError, OSError, ValueError):  # Windows knows no zones before 1970
        return moment


def moment_text(milliseconds: object, write: Callable[[datetime], str]) -> str:
    """Return the words of ``write`` for a stored time, by this computer's clock; an invalid time is called unknown."""
    return write(local_moment(milliseconds)) if is_known(milliseconds) else Text("unknown time")
