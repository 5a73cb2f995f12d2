"""Converts between moments and local days, which are whole numbers counted from 1970-01-01."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from chatdesk.core.moments import local_moment

_MS_PER_S = 1000
_EPOCH = date(1970, 1, 1)


def day_number(moment_ms: int) -> int:
    """Return the local day of a moment in milliseconds UTC."""
    return (local_moment(moment_ms).date() - _EPOCH).days


def date_of(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def number_of(day: date) -> int:
    return (day - _EPOCH).days


def month_of(day: int) -> tuple[int, int]:
    """Return the first day of the month of ``day``, and the first one of the next month."""
    first = date_of(day).replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return number_of(first), number_of(following)


def start_ms(day: int) -> int:
    """Return the beginning of a day in milliseconds UTC; a day may have 23 or 25 hours."""
    # A time without a zone is local time. ``astimezone`` would move a midnight that the clocks skip to the day before.
    return int(datetime.combine(date_of(day), time()).timestamp()) * _MS_PER_S
