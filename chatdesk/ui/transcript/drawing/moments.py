"""Words for a time or a duration: short for the page, in full for a tooltip."""

from __future__ import annotations

from datetime import UTC, datetime


def time_of(milliseconds: int) -> str:
    """Return the local time of day, with the date unless it is today."""
    if milliseconds <= 0:
        return ""
    when = _local(milliseconds)
    is_today = when.date() == datetime.now(UTC).astimezone().date()
    return f"{when:%H:%M}" if is_today else f"{when:%Y-%m-%d %H:%M}"


def whole_time_of(milliseconds: int) -> str:
    """Return the weekday, the date, the time to the second and the time zone."""
    return f"{_local(milliseconds):%A, %Y-%m-%d %H:%M:%S %Z}".strip() if milliseconds > 0 else ""


def clock_time_of(milliseconds: int) -> str:
    """Return the local time of day to the second, for a time that is seconds away."""
    return f"{_local(milliseconds):%H:%M:%S}"


def duration_of(milliseconds: int) -> str:
    """Return a duration in whole seconds, rounded down: "0 s", "12 s", "1 min 15 s"."""
    seconds = max(0, milliseconds) // 1000
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


def _local(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone()
