"""Counts and money as they are written in the chart and in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chatdesk.core.domain.usage import UsageSum
from chatdesk.core.local_days import date_of
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.core.usage.overview import OverviewRow
from chatdesk.ui.local_forms import day_text, decimal_text, money_text, month_text, weekday_name

_THOUSAND, _MILLION, _BILLION = 1_000, 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Measure:
    """The quantity that the bars stand for. ``noun`` is within a sentence, ``short`` is for an axis, ``words`` for
    a person."""

    name: str
    noun: str
    of: Callable[[UsageSum], float]
    short: Callable[[float], str]
    words: Callable[[UsageSum], str]


def short_count(value: float) -> str:
    """Return a count in few letters."""
    for size, letter in ((_BILLION, "B"), (_MILLION, "M"), (_THOUSAND, "k")):
        if value >= size:
            tenths = round(value / size * 10)
            return decimal_text(tenths / 10, 1 if tenths % 10 else 0) + letter
    return decimal_text(value, 0)


def cost_words(total: UsageSum) -> str:
    """Return the text of a cost; one with unknown parts says so."""
    if total.is_price_known:
        return money_text(total.cost_usd)
    return tr("at least {cost}", cost=money_text(total.cost_usd)) if total.cost_usd else tr("no price known")


def token_words(total: UsageSum) -> str:
    if total.estimated_requests:
        return shown(plural("about {count} tokens", "about {count} token", total.total_tokens))
    return shown(plural("{count} tokens", "{count} token", total.total_tokens))


def total_words(total: UsageSum) -> Text:
    """Return a sentence on the tokens and requests of all days."""
    requests = request_words(total)
    if total.estimated_requests:
        return plural(
            "About {count} tokens in {requests}.",
            "About {count} token in {requests}.",
            total.total_tokens,
            requests=requests,
        )
    return plural(
        "{count} tokens in {requests}.", "{count} token in {requests}.", total.total_tokens, requests=requests
    )


def row_name(row: OverviewRow, step: str) -> str:
    """Return the whole label of a row; one by day has the length ``step``."""
    if row.day is None:
        return shown(row.name)
    day = date_of(row.day)
    if step == "month":
        return month_text(day.year, day.month)
    if step == "week":
        return tr("Week of {day}", day=day_text(day, is_short=True))
    return tr("{weekday}, {day}", weekday=weekday_name(day.weekday(), is_short=True), day=day_text(day, is_short=True))


def row_short(row: OverviewRow, step: str) -> str:
    """Return the label of a row for narrow places."""
    if row.day is None:
        return shown(row.short)
    day = date_of(row.day)
    if step == "month":
        return month_text(day.year, day.month, is_short=True)
    return day_text(day, is_short=True, with_year=False)


def request_words(total: UsageSum) -> str:
    return shown(plural("{count} requests", "{count} request", total.requests))


MEASURES = (
    Measure(Text("Tokens"), Text("tokens"), lambda total: float(total.total_tokens), short_count, token_words),
    Measure(Text("Cost"), Text("cost"), lambda total: total.cost_usd, money_text, cost_words),
    Measure(Text("Requests"), Text("requests"), lambda total: float(total.requests), short_count, request_words),
)
