"""Defines the limits on tokens and money, and on the rate of messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text, cost_text, plural

_UNITS_S: Final[Mapping[str, int]] = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "m": 60,
    "h": 3_600,
    "hour": 3_600,
    "d": 86_400,
    "day": 86_400,
}
_RATE = re.compile(r"(\d{1,6})\s*(?:/|per)\s*(?:(\d{1,4})\s*)?([a-z]{1,8})", re.IGNORECASE)
_MOST_MESSAGES = 100_000
_LONGEST_PERIOD_S = 30 * 86_400


class InvalidRate(ValueError):
    """A rate that cannot be understood; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of at most ``count`` messages in any stretch of ``period_s`` seconds."""

    count: int
    period_s: int


def parse_rate(text: str) -> Rate | None:
    """Parse a rate such as ``20/min``, ``5/10s`` or ``100 per day``; empty or 0 is no limit. Raises ``InvalidRate``."""
    stripped = text.strip()
    if not stripped or stripped == "0":
        return None
    found = _RATE.fullmatch(stripped)
    if found is None:
        raise InvalidRate(Text("it must look like 20/min, with s, min, h or day after the stroke"))
    count, times, unit = int(found[1]), int(found[2] or 1), found[3].lower()
    seconds = _UNITS_S.get(unit) or _UNITS_S.get(unit.removesuffix("s"))
    if seconds is None:
        raise InvalidRate(Text("“{unit}” is no period; use s, min, h or day", unit=str(unit)))
    if not 1 <= count <= _MOST_MESSAGES:
        raise InvalidRate(
            Text("the number of messages must be from 1 to {most_messages}", most_messages=_MOST_MESSAGES)
        )
    if not 1 <= times * seconds <= _LONGEST_PERIOD_S:
        raise InvalidRate(Text("the period must be from a second to 30 days"))
    return Rate(count, times * seconds)


class LimitScope(StrEnum):
    ALL = "all"
    PROVIDER = "provider"
    PROJECT = "project"


class LimitPeriod(StrEnum):
    DAY = "day"
    MONTH = "month"


class LimitUnit(StrEnum):
    TOKENS = "tokens"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class UsageLimit:
    """A limit on tokens or money. ``target`` is a provider's name or a project's id, empty for everything together. At
    ``soft`` there is a warning, nothing is sent beyond ``hard``; tokens or dollars, 0 is none. ``label`` is what a
    person calls the target."""

    scope: LimitScope
    period: LimitPeriod
    unit: LimitUnit
    soft: float = 0.0
    hard: float = 0.0
    target: str = ""
    label: str = ""

    @property
    def key(self) -> str:
        """The key that tells one limit from another."""
        return "/".join((self.scope, self.target, self.period, self.unit))

    def amount_text(self, amount: float) -> str:
        """Return an amount of this limit's unit in words."""
        if self.unit is LimitUnit.MONEY:
            return cost_text(amount)
        return plural("{count} tokens", "{count} token", round(amount))

    @property
    def name(self) -> str:
        """The period and target in words: ``a day for OpenAI``."""
        period = Text("a day") if self.period is LimitPeriod.DAY else Text("a month")
        return (
            period
            if self.scope is LimitScope.ALL
            else Text("{period} for {label}", period=period, label=self.label or self.target)
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """The estimated usage of a request that was not sent yet; ``cost_usd`` None: the price is not known."""

    tokens: int
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class ScopedRate:
    """The rate of messages to one provider or in one project; ``text`` is the person's own."""

    scope: LimitScope
    target: str
    text: str

    @property
    def key(self) -> str:
        """The key of this rate in the settings."""
        return f"{self.scope}.{self.target}"


def parse_scoped_rates(stored: Mapping[str, str]) -> tuple[ScopedRate, ...]:
    """Parse rates in the settings' form; invalid ones are left out."""
    found = []
    for key, text in stored.items():
        scope, _dot, target = key.partition(".")
        try:
            is_rate = parse_rate(text) is not None
        except InvalidRate:
            continue
        if is_rate and target and scope in (LimitScope.PROVIDER, LimitScope.PROJECT):
            found.append(ScopedRate(LimitScope(scope), target, text))
    return tuple(found)


class BackgroundLimitReached(ChatDeskError):
    """No title or summary is made today. ``until_ms``: when the next day begins, in milliseconds UTC."""

    code = "background_limit_reached"
    safe = Text("Your messages are kept, and the newest ones are sent as they fit.")
    next_step = Text("Summaries and titles are made again tomorrow; the limit is in Settings, Context.")

    def __init__(self, limit_tokens: int, *, spent_tokens: int, until_ms: int) -> None:
        self.until_ms = until_ms
        super().__init__(
            Text(
                "Today's limit of {limit} tokens for summaries and titles is reached ({spent} are used).",
                limit=limit_tokens,
                spent=spent_tokens,
            )
        )

    @classmethod
    def of(cls, limit: str, spent: str, *, until_ms: int) -> BackgroundLimitReached:
        """Make the error for a limit on all usage that is near; ``limit`` and ``spent`` are amounts in words."""
        made = cls(0, spent_tokens=0, until_ms=until_ms)
        made.what = Text("Titles and summaries stop at {limit} ({spent} are used).", limit=limit, spent=spent)
        made.args = (made.what,)
        made.next_step = Text("They are made again when the limit starts again; it is in Settings, Usage and limits.")
        return made


class LimitReached(ChatDeskError):
    """No request is made; ``error_type`` of the answer is the code. ``until_ms``: when the limit starts again, in
    milliseconds UTC."""

    code = "limit_reached"
    safe = Text("Your question is kept.")

    def __init__(self, what: str, *, next_step: str, until_ms: int) -> None:
        self.until_ms = until_ms
        super().__init__(what, next_step=next_step)
