"""Describes the tokens, the time and the money that requests take, of one request and of many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class UsageKind(StrEnum):
    """The purpose of a request."""

    ANSWER = "answer"
    TITLE = "title"
    SUMMARY = "summary"
    TOOL = "tool"
    EMBEDDING = "embedding"


# An average over texts and encodings, used without a tokeniser.
CHARACTERS_PER_TOKEN: Final = 4
# Work in the background, to which the day's limit applies.
BACKGROUND_KINDS = (UsageKind.TITLE, UsageKind.SUMMARY)


class CacheLife(StrEnum):
    """The time for which a vendor is to cache the beginning of a request, where the request has to state it."""

    OFF = "off"
    MINUTES = "5m"
    HOUR = "1h"


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts as the provider reported them (``is_estimated`` false) or as ChatDesk estimated them. Cached and written
    tokens are parts of the input: read from the provider's cache, and written into it, ``written_hour_tokens`` of them
    for an hour. Reasoning tokens are part of the output."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    is_estimated: bool = False
    written_tokens: int = 0
    written_hour_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def plus(self, other: Usage) -> Usage:
        """Return the counts of two requests together."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.is_estimated or other.is_estimated,
            self.written_tokens + other.written_tokens,
            self.written_hour_tokens + other.written_hour_tokens,
        )


@dataclass(frozen=True, slots=True)
class RateReport:
    """A vendor's report on its own limit: ``requests_left`` until ``resets_in_s`` seconds from now."""

    requests_left: int
    resets_in_s: float


# Returns the cost in dollars of a model's usage, by provider and model; None if the price is unknown.
CostOf = Callable[[str | None, str | None, Usage], float | None]


def no_cost(_provider: str | None, _model: str | None, _usage: Usage) -> None:
    """Return None, as a ``CostOf`` for where prices are not known."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The usage, time and cost of one request. Times are milliseconds; ``cost_usd`` None: not known, which is not
    zero."""

    usage: Usage | None = None
    latency_ms: int | None = None
    time_to_first_token_ms: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """A request, as a line of the ledger. ``message_id`` is the answer that it wrote."""

    kind: UsageKind
    thread_id: str | None
    provider: str | None
    model: str | None
    status: str
    spent: Spent
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class UsageSum:
    """The sum of several requests. ``estimated_requests`` are those whose tokens were estimated, ``unpriced_requests``
    those that took tokens at an unknown price; ``cost_usd`` is that of the others."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0
    estimated_requests: int = 0
    unpriced_requests: int = 0
    written_tokens: int = 0

    def __add__(self, other: UsageSum) -> UsageSum:
        return UsageSum(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cost_usd + other.cost_usd,
            self.estimated_requests + other.estimated_requests,
            self.unpriced_requests + other.unpriced_requests,
            self.written_tokens + other.written_tokens,
        )

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def is_price_known(self) -> bool:
        """Return whether ``cost_usd`` is all that was spent."""
        return self.unpriced_requests == 0


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The usage of one model for one kind of work."""

    kind: str
    provider: str
    model: str
    total: UsageSum


@dataclass(frozen=True, slots=True)
class UsageCell:
    """The usage of one model on one local day for one kind of work in one project. ``day`` counts from 1970-01-01; the
    name is empty where the project was removed."""

    day: int
    kind: str
    provider: str
    model: str
    project_id: str
    project_name: str
    total: UsageSum


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Rows in the order of their kind and then of their usage."""

    rows: tuple[UsageRow, ...] = ()

    @property
    def total(self) -> UsageSum:
        return sum((row.total for row in self.rows), UsageSum())
