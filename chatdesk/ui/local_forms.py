"""Writes dates, times, durations, decimals and money as the language of the program does.

English has forms of its own, which need nothing of Qt: some of them are written on the way to the first paint. Others
take names and digits from ``QLocale``, and the order of the parts from a translated pattern.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from PySide6.QtCore import QLocale

from chatdesk.core.moments import is_known, local_moment
from chatdesk.core.texts import LEAST_COST_USD, cost_text, is_translated, language_tag, shown, tr

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def weekday_name(weekday: int, *, is_short: bool = False) -> str:
    """Return the name of a day of the week; 0 is Monday."""
    if is_translated():
        return _locale().standaloneDayName(weekday + 1, _form(is_short=is_short))
    return _WEEKDAYS[weekday][:3] if is_short else _WEEKDAYS[weekday]


def month_name(month: int, *, is_short: bool = False) -> str:
    """Return the name of a month as it is in a date; 1 is January."""
    if is_translated():
        return _locale().monthName(month, _month_form(is_short=is_short))
    return _MONTHS[month - 1][:3] if is_short else _MONTHS[month - 1]


def month_text(year: int, month: int, *, is_short: bool = False) -> str:
    """Return a month of a year: "October 2025"."""
    if is_translated():
        name = _locale().standaloneMonthName(month, _month_form(is_short=is_short))
        return tr("{month} {year}", month=name, year=_digits(year))
    return f"{month_name(month, is_short=is_short)} {year}"


def day_text(day: date, *, is_short: bool = False, with_year: bool = True) -> str:
    """Return a day with its month: "14 October 2025", "14 Oct"."""
    month = month_name(day.month, is_short=is_short)
    if not with_year:
        return tr("{day} {month}", day=_digits(day.day), month=month)
    return tr("{day} {month} {year}", day=_digits(day.day), month=month, year=_digits(day.year))


def time_text(moment: datetime, *, with_seconds: bool = False) -> str:
    """Return a time of day: "14:02"."""
    if not is_translated():
        return f"{moment:%H:%M:%S}" if with_seconds else f"{moment:%H:%M}"
    from PySide6.QtCore import QTime

    at = QTime(moment.hour, moment.minute, moment.second)
    return _locale().toString(at, "HH:mm:ss" if with_seconds else "HH:mm")


def date_text(day: date) -> str:
    """Return a day in numbers: "2025-10-14", in other languages as it is written there."""
    if not is_translated():
        return f"{day:%Y-%m-%d}"
    from PySide6.QtCore import QDate, QLocale

    locale = _locale()
    form = locale.dateFormat(QLocale.FormatType.ShortFormat)
    return locale.toString(QDate(day.year, day.month, day.day), form if "yyyy" in form else form.replace("yy", "yyyy"))


def date_time_text(moment: datetime, *, with_seconds: bool = False) -> str:
    """Return a day in numbers with the time: "2025-10-14 14:02"."""
    return f"{date_text(moment)} {time_text(moment, with_seconds=with_seconds)}"


def number_text(number: int) -> str:
    """Return a whole number in groups."""
    return _locale().toString(number) if is_translated() else f"{number:,}"


def day_and_time_text(moment: datetime, *, is_short: bool = False, with_year: bool = True) -> str:
    """Return a moment as its day and its time: "14 October 2025, 14:02"."""
    return tr("{day}, {time}", day=day_text(moment, is_short=is_short, with_year=with_year), time=time_text(moment))


def decimal_text(value: float, places: int) -> str:
    """Return a number with ``places`` digits after the point."""
    return _locale().toString(float(value), "f", places) if is_translated() else f"{value:,.{places}f}"


def money_text(cost_usd: float, *, sign_under: bool = False) -> str:
    """Return dollars in the person's language. ``sign_under``: an amount below the smallest written one has a sign in
    place of a word."""
    if sign_under and 0 < cost_usd < LEAST_COST_USD:
        return f"<{shown(cost_text(LEAST_COST_USD))}"
    return shown(cost_text(cost_usd))


def within_sentence(words: str) -> str:
    """Return words that can begin a line as they are within a sentence, with a small letter. German ones stay as they
    are: its nouns have a capital letter everywhere."""
    return words if language_tag() == "de" else words[:1].lower() + words[1:]


def _digits(number: int) -> str:
    """Return a number with the digits of the language and without groups."""
    if not is_translated():
        return str(number)
    from PySide6.QtCore import QLocale

    locale = _locale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return locale.toString(number)


def _locale() -> QLocale:
    from PySide6.QtCore import QLocale

    return QLocale()


def _month_form(*, is_short: bool) -> QLocale.FormatType:
    """Return the form of a month's name. Chinese counts months in digits wherever a year or a day is beside."""
    from PySide6.QtCore import QLocale

    return _form(is_short=is_short or _locale().language() == QLocale.Language.Chinese)


def _form(*, is_short: bool) -> QLocale.FormatType:
    from PySide6.QtCore import QLocale

    return QLocale.FormatType.ShortFormat if is_short else QLocale.FormatType.LongFormat


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
