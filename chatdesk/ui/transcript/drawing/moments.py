"""Words for a time or a duration: short for the page, in full for a tooltip."""

from __future__ import annotations

from datetime import UTC, datetime

from chatdesk.core.moments import is_known, local_moment
from chatdesk.core.texts import tr
from chatdesk.ui.local_forms import date_time_text, number_text, time_text, weekday_name


def time_of(milliseconds: int) -> str:
    """Return the local time of day, with the date unless it is today."""
    if not milliseconds or not is_known(milliseconds):
        return ""
    when = local_moment(milliseconds)
    is_today = when.date() == datetime.now(UTC).astimezone().date()
    return time_text(when) if is_today else date_time_text(when)


def whole_time_of(milliseconds: int) -> str:
    """Return the weekday, the date, the time to the second and the time zone."""
    if not milliseconds or not is_known(milliseconds):
        return ""
    when = local_moment(milliseconds)
    moment = date_time_text(when, with_seconds=True)
    return tr(
        "{weekday}, {moment} {zone}", weekday=weekday_name(when.weekday()), moment=moment, zone=f"{when:%Z}"
    ).strip()


def clock_time_of(milliseconds: int) -> str:
    """Return the local time of day to the second, for a time that is seconds away."""
    return time_text(local_moment(milliseconds), with_seconds=True)


def duration_of(milliseconds: int) -> str:
    """Return a duration in whole seconds, rounded down: "0 s", "12 s", "1 min 15 s"."""
    seconds = max(0, milliseconds) // 1000
    if seconds < 60:
        return tr("{seconds} s", seconds=seconds)
    return tr("{minutes} min {seconds} s", minutes=number_text(seconds // 60), seconds=seconds % 60)
