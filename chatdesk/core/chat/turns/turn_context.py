"""Defines the objects that a turn works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chatdesk.core.clock import Clock
from chatdesk.core.domain.usage import CostOf, RateReport, no_cost
from chatdesk.core.events import EventBus
from chatdesk.core.providers.base import ChatRequest, Provider
from chatdesk.core.storage.chat.messages import MessageRepository

# Returns who is asked for an answer, and what. Raises the reason where nobody is to be asked.
SetUp = Callable[[], Awaitable[tuple[Provider, ChatRequest]]]
# Provider, model, and what that vendor says of its limits.
RecordRate = Callable[[str | None, str | None, RateReport], None]


def _no_rate(_provider: str | None, _model: str | None, _report: RateReport) -> None:
    """Ignore a report of rate limits, where there is no queue."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """The objects that every turn of a service shares. ``unstored``: the answers that could not be stored last."""

    store: MessageRepository
    bus: EventBus
    clock: Clock
    cost_of: CostOf = no_cost
    record_rate: RecordRate = _no_rate
    unstored: set[str] = field(default_factory=set)
