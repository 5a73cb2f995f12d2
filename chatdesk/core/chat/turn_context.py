"""Defines the objects that a turn works with, and measures each request of an answer by itself, for the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from chatdesk.core.chat.live_text import Delta
from chatdesk.core.clock import Clock
from chatdesk.core.domain.usage import CostOf, RateReport, Spent, Usage, no_cost
from chatdesk.core.errors import StorageError
from chatdesk.core.events import EventBus, TurnTimed
from chatdesk.core.providers.base import ChatRequest, Provider, TextDelta, ToolCallDelta
from chatdesk.core.storage.chat.messages import MessageRepository
from chatdesk.core.usage.estimates import usage_so_far

_RETRY_S: Final = 0.5


class RequestSpending:
    """The spending of the request that is under way. ``usage`` is what its provider reported. Before the first request
    and between two there is none: ``is_under_way`` says so."""

    def __init__(self, clock: Clock, cost_of: Callable[[Usage], float | None]) -> None:
        self._clock = clock
        self._cost_of = cost_of
        self.is_under_way = False
        self.usage: Usage | None = None
        self._request: ChatRequest | None = None
        self._is_first = True
        self._letters = 0
        self._asked_s = 0.0
        self._first_s: float | None = None

    def start(self, request: ChatRequest) -> None:
        """Start measuring a request of the answer."""
        self._is_first = self._request is None
        self.usage = None
        self.is_under_way = True
        self._request = request
        self._letters = 0
        self._asked_s = self._clock.monotonic_s()
        self._first_s = None

    def count(self, delta: Delta) -> None:
        """Count a received delta, for the estimate of an answer whose provider reports nothing."""
        if self._first_s is None:
            self._first_s = self._clock.monotonic_s()
        if isinstance(delta, TextDelta):
            self._letters += len(delta.text)
        elif isinstance(delta, ToolCallDelta):
            self._letters += len(delta.arguments)

    def spent(self, *, latency_ms: int, first_token_ms: int | None) -> Spent:
        """Return the usage of the request, as an estimate where none was reported. The times are those of the answer,
        which are the request's where it is the first."""
        if self._request is None or not self.is_under_way:
            return Spent()
        usage = self.usage
        if usage is None and self._first_s is not None:
            usage = usage_so_far(self._request, self._letters)
        if not self._is_first:
            latency_ms = self._since_asked_ms(self._clock.monotonic_s())
            first_token_ms = None if self._first_s is None else self._since_asked_ms(self._first_s)
        return Spent(usage, latency_ms, first_token_ms, None if usage is None else self._cost_of(usage))

    async def record(self, store: Callable[[], Awaitable[None]], failed: Callable[[StorageError], None]) -> None:
        """Store the request that ended, with retries until the disk accepts it: its tools wait for the disk as well."""
        self.is_under_way = False
        while True:
            try:
                await store()
            except StorageError as error:
                failed(error)
                await asyncio.sleep(_RETRY_S)
            else:
                return

    def _since_asked_ms(self, at_s: float) -> int:
        return max(0, round((at_s - self._asked_s) * 1000))


# Returns the provider and the request for it. Raises the reason if no provider may be asked.
SetUp = Callable[[], Awaitable[tuple[Provider, ChatRequest]]]
# Takes the provider, the model, and the vendor's report of its limits.
RecordRate = Callable[[str | None, str | None, RateReport], None]


def _no_rate(_provider: str | None, _model: str | None, _report: RateReport) -> None:
    """Ignore a report of rate limits, without a queue."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """The objects that every turn of a service shares. ``unstored``: the answers that could not be stored last."""

    store: MessageRepository
    bus: EventBus
    clock: Clock
    cost_of: CostOf = no_cost
    record_rate: RecordRate = _no_rate
    unstored: set[str] = field(default_factory=set)


_MS_PER_S = 1000


class TurnTimes:
    """The times of one turn, counted from the moment at which the answer is asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.start()
        self._loading_s = 0.0
        self._storing_s = 0.0
        self._first_s: float | None = None
        self._ended_s: float | None = None

    def start(self) -> None:
        """Count from now on, when the answer is set up."""
        self._asked_s = self._clock.monotonic_s()

    def add_loading(self, seconds: float) -> None:
        """Add ``seconds`` in which nothing could be sent, because a library was loading."""
        self._loading_s += seconds

    def record_first_token(self) -> int | None:
        """Return the time to the first token in milliseconds; None for any later token."""
        if self._first_s is not None:
            return None
        self._first_s = self._clock.monotonic_s()
        return self.first_token_ms

    def record_end(self) -> int:
        """Record the end of the stream. Returns the milliseconds since the answer was asked for."""
        self._ended_s = self._clock.monotonic_s()
        return self._since_asked_ms(self._ended_s)

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Measure the time spent in this block as waiting for the disk."""
        began_s = self._clock.monotonic_s()
        try:
            yield
        finally:
            self._storing_s += self._clock.monotonic_s() - began_s

    @property
    def first_token_ms(self) -> int | None:
        return None if self._first_s is None else self._since_asked_ms(self._first_s)

    def timed(self, thread_id: str, message_id: str, *, pieces: int) -> TurnTimed:
        """Return all times as an event for the log."""
        has_streamed = self._first_s is not None and self._ended_s is not None
        streaming_s = self._ended_s - self._first_s if has_streamed else 0.0  # type: ignore[operator]
        return TurnTimed(
            thread_id,
            message_id,
            loading_ms=round(self._loading_s * _MS_PER_S),
            streaming_ms=round(streaming_s * _MS_PER_S),
            storing_ms=round(self._storing_s * _MS_PER_S),
            pieces=pieces,
        )

    def _since_asked_ms(self, at_s: float) -> int:
        return max(0, round((at_s - self._asked_s - self._loading_s) * _MS_PER_S))
