"""Counts and money as they are written in the chart and in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chatdesk.core.domain.usage import UsageSum, cost_text
from chatdesk.core.texts import Text, plural, shown, tr

_THOUSAND, _MILLION, _BILLION = 1_000, 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Measure:
    """The quantity that the bars stand for. ``short`` is for an axis, ``words`` for a person."""

    name: str
    of: Callable[[UsageSum], float]
    short: Callable[[float], str]
    words: Callable[[UsageSum], str]


def short_count(value: float) -> str:
    """Return a count in few letters."""
    for size, letter in ((_BILLION, "B"), (_MILLION, "M"), (_THOUSAND, "k")):
        if value >= size:
            return f"{value / size:.1f}".rstrip("0").rstrip(".") + letter
    return f"{value:,.0f}"


def cost_words(total: UsageSum) -> str:
    """Return the text of a cost; one with unknown parts says so."""
    if total.is_price_known:
        return cost_text(total.cost_usd)
    return tr("at least {cost}", cost=cost_text(total.cost_usd)) if total.cost_usd else tr("no price known")


def token_words(total: UsageSum) -> str:
    return f"{'about ' if total.estimated_requests else ''}{total.total_tokens:,} tokens"


def request_words(total: UsageSum) -> str:
    return shown(plural("{count} requests", "{count} request", total.requests))


MEASURES = (
    Measure(Text("Tokens"), lambda total: float(total.total_tokens), short_count, token_words),
    Measure(Text("Cost"), lambda total: total.cost_usd, cost_text, cost_words),
    Measure(Text("Requests"), lambda total: float(total.requests), short_count, request_words),
)
