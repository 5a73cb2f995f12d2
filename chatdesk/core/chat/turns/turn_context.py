"""Defines the objects that a turn works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.thread import Thread
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import CostOf, RateReport, Spent, no_cost
from chatdesk.core.events import EventBus
from chatdesk.core.providers.base import ChatRequest, Provider


class TurnStore(Protocol):
    """The part of ``MessageRepository`` that a turn needs."""

    async def start_streaming(self, message_id: str, started_at: int, *, model: str | None = None) -> Message: ...

    async def append_chunks(
        self, message_id: str, chunks: Sequence[StreamChunk], *, step: Spent | None = None
    ) -> None: ...

    async def finish(self, message_id: str, outcome: TurnOutcome) -> tuple[Message, Thread]: ...


# Returns who is asked for an answer, and what. Raises the reason where nobody is to be asked.
SetUp = Callable[[], Awaitable[tuple[Provider, ChatRequest]]]
# Provider, model, and what that vendor says of its limits.
RecordRate = Callable[[str | None, str | None, RateReport], None]


def _no_rate(_provider: str | None, _model: str | None, _report: RateReport) -> None:
    """Ignore a report of rate limits, where there is no queue."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """The objects that every turn of a service shares."""

    store: TurnStore
    bus: EventBus
    clock: Clock
    cost_of: CostOf = no_cost
    record_rate: RecordRate = _no_rate
