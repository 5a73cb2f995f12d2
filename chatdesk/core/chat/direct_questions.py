"""Asks providers what other programs want to know, in the way of any question, but kept in no thread: the limits and
the rates hold, and the ledger has a line for it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from chatdesk.core.chat.service import ChatService
from chatdesk.core.chat.turn import expected_usage
from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.limits import Expected
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.usage import RateReport, Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.errors import ChatDeskError, InvalidInput, ProviderError, ProviderErrorKind, StorageError
from chatdesk.core.events import EventBus, UsageRecorded
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import (
    ChatRequest,
    ModelNamed,
    RateReported,
    ReasoningDelta,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.usage.events import UsageRepository

_log = logging.getLogger(__name__)

_CHARACTERS_PER_TOKEN = 4


class DirectQuestions:
    """Asks without a thread. Made for each question, with the providers of that moment."""

    def __init__(
        self, chat: ChatService, providers: ProviderRegistry, usage: UsageRepository, bus: EventBus, clock: Clock
    ) -> None:
        self._chat = chat
        self._providers = providers
        self._usage = usage
        self._bus = bus
        self._clock = clock

    async def ask(
        self,
        provider_name: str,
        request: ChatRequest,
        *,
        caller: str,
        request_id: str,
        tell_spent: Callable[[Spent], None],
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield the events of an answer (``providers.base``). Closing the generator ends the request. Raises
        ``LimitReached``, ``InvalidInput``, ``NotPossible`` and ``ProviderError``. ``caller`` and ``request_id`` are
        for the log; ``tell_spent`` hears what it took, however it ended."""
        try:
            async with aclosing(self._ask(provider_name, request, caller, request_id, tell_spent)) as events:
                async for event in events:
                    yield event
        except ChatDeskError as error:
            # What would be said is true of a question in a thread; here nothing is kept.
            error.safe, error.safe_without_window = "", None
            raise

    async def _ask(
        self,
        provider_name: str,
        request: ChatRequest,
        caller: str,
        request_id: str,
        tell_spent: Callable[[Spent], None],
    ) -> AsyncGenerator[StreamEvent, None]:
        provider = self._providers.get(provider_name)
        if request.passed_on and type(provider) is not OpenAICompatibleProvider:
            raise InvalidInput(
                f"{provider.label} takes no {', '.join(sorted(request.passed_on))} from other programs.",
                safe="Nothing was sent.",
                next_step="Choose a provider that speaks chat completions.",
            )
        question_id = new_id()
        usage = expected_usage(request)
        expected = Expected(usage.total_tokens, self._chat.context.cost_of(provider.name, request.model, usage))
        await self._chat.limits.admit(question_id, "", provider=provider.name, expected=expected)
        asked = _Asked(provider.name, request, self._clock)
        try:
            await self._chat.queue.admit_at_once(provider.name, request.model)
            asked.begin()
            async with aclosing(provider.stream(request)) as events:
                async for event in events:
                    asked.note(event)
                    if isinstance(event, RateReported):
                        self._chat.queue.note_rate(provider.name, asked.model, event.report)
                    yield event
            asked.status = Status.COMPLETE
        except ProviderError as error:
            asked.status = Status.ERROR
            if error.kind is ProviderErrorKind.RATE_LIMITED:
                self._chat.queue.note_rate(provider.name, asked.model, RateReport(0, error.retry_after_s or 0.0))
            raise
        finally:
            # Also where the caller left: what was asked for is paid for.
            if asked.has_begun:
                spent = self._spent_on(asked)
                tell_spent(spent)
                await self._enter(asked, spent, caller, request_id)
            self._chat.limits.release(question_id)

    def _spent_on(self, asked: _Asked) -> Spent:
        usage = asked.usage
        cost_usd = None if usage is None else self._chat.context.cost_of(asked.provider, asked.model, usage)
        return replace(asked.spent(), cost_usd=cost_usd)

    async def _enter(self, asked: _Asked, spent: Spent, caller: str, request_id: str) -> None:
        usage = spent.usage
        event = UsageEvent(UsageKind.ANSWER, None, asked.provider, asked.model, asked.status.value, spent)
        try:
            await self._usage.add(event)
        except StorageError as error:
            _log.warning("a question is missing in the ledger: %s", error.code)
        else:
            self._bus.publish(UsageRecorded(""))
        log_event(
            "direct_question.ended",
            id=request_id,
            who=caller,
            provider=asked.provider,
            status=asked.status,
            input_tokens=None if usage is None else usage.input_tokens,
            output_tokens=None if usage is None else usage.output_tokens,
            cost_usd=spent.cost_usd,
            first_token_ms=spent.time_to_first_token_ms,
            took_ms=spent.latency_ms,
        )


class _Asked:
    """One question and what has come of it so far."""

    def __init__(self, provider: str, request: ChatRequest, clock: Clock) -> None:
        self.provider = provider
        self.model = request.model
        self.status = Status.STOPPED
        self._request = request
        self._clock = clock
        self._began_s: float | None = None
        self._first_s: float | None = None
        self._letters = 0
        self._reported: Usage | None = None

    @property
    def has_begun(self) -> bool:
        return self._began_s is not None

    @property
    def usage(self) -> Usage | None:
        """Return the vendor's count, else an estimate of what came, else None."""
        if self._reported is not None or self._first_s is None:
            return self._reported
        sent = expected_usage(self._request)
        return replace(sent, output_tokens=-(-self._letters // _CHARACTERS_PER_TOKEN))

    def begin(self) -> None:
        self._began_s = self._clock.monotonic_s()

    def note(self, event: StreamEvent) -> None:
        match event:
            case TextDelta() | ReasoningDelta() | ToolCallDelta():
                if self._first_s is None:
                    self._first_s = self._clock.monotonic_s()
                self._letters += len(event.arguments if isinstance(event, ToolCallDelta) else event.text)
            case UsageReported():
                self._reported = event.usage
            case ModelNamed():
                self.model = event.model
            case StreamFinished():
                self.status = Status.COMPLETE

    def spent(self) -> Spent:
        began_s = self._began_s or 0.0
        first_ms = None if self._first_s is None else round((self._first_s - began_s) * 1000)
        return Spent(self.usage, round((self._clock.monotonic_s() - began_s) * 1000), first_ms)
