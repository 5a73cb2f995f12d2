"""Asks providers the questions of other programs, and requests embeddings. Nothing is stored in a thread, but limits
and rates apply, and each request has a line in the ledger."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.limits import Expected
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.usage import CHARACTERS_PER_TOKEN, RateReport, Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.errors import ChatDeskError, InvalidInput, ProviderError, ProviderErrorKind, StorageError
from chatdesk.core.events import EventBus, UsageRecorded
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import (
    ChatRequest,
    EmbeddingRequest,
    Embeddings,
    ModelNamed,
    PictureDelta,
    RateReported,
    ReasoningDelta,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.providers.reader import letters_of
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.texts import Text
from chatdesk.core.usage.estimates import expected_usage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asker:
    """The program that asks. ``id`` and ``request_id`` are for the log; ``on_spent`` gets a request's usage, however it
    ended."""

    id: str
    request_id: str
    on_spent: Callable[[Spent], None]


class DirectQuestions:
    """Asks without a thread. Made for each question, with the providers of that moment."""

    def __init__(
        self,
        asker: Asker,
        chat: ChatService,
        providers: ProviderRegistry,
        usage: UsageRepository,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._asker = asker
        self._chat = chat
        self._providers = providers
        self._usage = usage
        self._bus = bus
        self._clock = clock

    async def ask(self, provider_name: str, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the events of an answer (``providers.base``). Closing the generator ends the request. Raises
        ``LimitReached``, ``InvalidInput``, ``NotPossible`` and ``ProviderError``."""
        provider = self._providers.get(provider_name)
        lacking = provider.lacks(request)
        if lacking:
            raise InvalidInput(
                Text("{label} takes no {lacking} from other programs.", label=provider.label, lacking=tuple(lacking)),
                safe=Text("Nothing was sent."),
                next_step=Text("Choose a provider that speaks chat completions."),
            )
        asked = _OpenRequest(UsageKind.ANSWER, provider.name, request.model, expected_usage(request), self._clock)
        async with self._under_limits(asked), aclosing(provider.stream(request)) as events:
            async for event in events:
                asked.record(event)
                if isinstance(event, RateReported):
                    self._chat.queue.record_rate(provider.name, asked.model, event.report)
                yield event

    async def embed(self, provider_name: str, request: EmbeddingRequest) -> Embeddings:
        """Return the vectors of texts, with an estimate of the usage where the server says nothing. Raises what ``ask``
        does."""
        provider = self._providers.get(provider_name)
        letters = sum(
            len(each) if isinstance(each, str) else len(each) * CHARACTERS_PER_TOKEN for each in request.texts
        )
        expected = Usage(-(-letters // CHARACTERS_PER_TOKEN), is_estimated=True)
        asked = _OpenRequest(UsageKind.EMBEDDING, provider.name, request.model, expected, self._clock)
        async with self._under_limits(asked):
            found = await provider.embed(request)
            found = replace(found, usage=found.usage or expected)
            asked.reported = found.usage
        return found

    @asynccontextmanager
    async def _under_limits(self, asked: _OpenRequest) -> AsyncGenerator[None, None]:
        """Let a request through where the limits allow it, and enter it into the ledger once it has ended, however."""
        question_id = new_id()
        try:
            cost_usd = self._chat.context.models.cost_of(asked.provider, asked.model, asked.expected)
            expected = Expected(asked.expected.total_tokens, cost_usd)
            await self._chat.limits.admit(question_id, "", provider=asked.provider, expected=expected)
            await self._chat.queue.admit_at_once(asked.provider, asked.model)
            asked.start()
            yield
            asked.status = Status.COMPLETE
        except ChatDeskError as error:
            asked.status = Status.ERROR
            if isinstance(error, ProviderError) and error.kind is ProviderErrorKind.RATE_LIMITED:
                self._chat.queue.record_rate(asked.provider, asked.model, RateReport(0, error.retry_after_s or 0.0))
            # The sentences about kept words are true for threads only: a direct question is not stored.
            error.safe, error.safe_without_window = "", None
            raise
        finally:
            # Even if the caller has left: the request is paid for.
            if asked.has_begun:
                await self._enter(asked)
            self._chat.limits.release(question_id)

    async def _enter(self, asked: _OpenRequest) -> None:
        usage = asked.usage
        cost_usd = None if usage is None else self._chat.context.models.cost_of(asked.provider, asked.model, usage)
        spent = replace(asked.spent(), cost_usd=cost_usd)
        self._asker.on_spent(spent)
        event = UsageEvent(asked.kind, None, asked.provider, asked.model, asked.status.value, spent)
        try:
            await self._usage.add(event)
        except StorageError as error:
            _log.warning("a question is missing in the ledger: %s", error.code)
        else:
            self._bus.publish(UsageRecorded(""))
        log_event(
            "direct_question.ended",
            id=self._asker.request_id,
            who=self._asker.id,
            kind=asked.kind,
            provider=asked.provider,
            status=asked.status,
            input_tokens=None if usage is None else usage.input_tokens,
            output_tokens=None if usage is None else usage.output_tokens,
            cost_usd=cost_usd,
            first_token_ms=spent.time_to_first_token_ms,
            took_ms=spent.latency_ms,
        )


class _OpenRequest:
    """One running request: its expected usage and the answer so far."""

    def __init__(self, kind: UsageKind, provider: str, model: str, expected: Usage, clock: Clock) -> None:
        self.kind = kind
        self.provider = provider
        self.model = model
        self.expected = expected
        self.reported: Usage | None = None
        self.status = Status.STOPPED
        self._clock = clock
        self._began_s: float | None = None
        self._first_s: float | None = None
        self._letters = 0

    @property
    def has_begun(self) -> bool:
        return self._began_s is not None

    @property
    def usage(self) -> Usage | None:
        """Return the vendor's count, else an estimate from the received text, else None."""
        if self.reported is not None or self._first_s is None:
            return self.reported
        return replace(self.expected, output_tokens=-(-self._letters // CHARACTERS_PER_TOKEN))

    def start(self) -> None:
        self._began_s = self._clock.monotonic_s()

    def record(self, event: StreamEvent) -> None:
        match event:
            case TextDelta() | ReasoningDelta() | PictureDelta() | ToolCallDelta():
                if self._first_s is None:
                    self._first_s = self._clock.monotonic_s()
                self._letters += letters_of(event)
            case UsageReported():
                self.reported = event.usage
            case ModelNamed():
                self.model = event.model
            case StreamFinished():
                self.status = Status.COMPLETE

    def spent(self) -> Spent:
        began_s = self._began_s or 0.0
        first_ms = None if self._first_s is None else round((self._first_s - began_s) * 1000)
        return Spent(self.usage, round((self._clock.monotonic_s() - began_s) * 1000), first_ms)
