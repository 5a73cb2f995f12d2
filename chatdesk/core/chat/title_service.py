"""TitleService asks a model for a title after the first complete answer of a thread.

The task model is asked, or the thread's own. Nothing waits for the title: the one made from the question stays until a
better one arrives, or for good if the model gives none. A person's title is never overwritten, even if it was typed
while the model was thinking; the write itself ensures that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.chat.titles import title_from_answer
from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.domain.limits import BackgroundLimitReached
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.domain.model_info import Ability, ModelInfo
from chatdesk.core.domain.thread import TitleSource
from chatdesk.core.domain.usage import CHARACTERS_PER_TOKEN, Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.errors import ChatDeskError, StorageError
from chatdesk.core.events import AnswerFinished, EventBus, Subscription, ThreadChanged, UsageRecorded
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    LibraryLoaded,
    ReasoningDelta,
    RequestMessage,
    StreamFinished,
    TextDelta,
    UsageReported,
)
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.usage.limits import BackgroundBudget

_log = logging.getLogger(__name__)

_PROMPT_FILE = "title-1.txt"
_EDGE = "=" * 10
_LONGEST_EXCERPT = 2_000
_LONGEST_ANSWER = 2_000
_ANSWER_TOKENS = 24
# A model that thinks before it answers needs room for the thoughts.
_THINKING_TOKENS = 512
_LONGEST_WAIT_S = 60.0
_LONGEST_END_S = 1.0
# A thread that has gone on for longer keeps the name that its reader knows.
_MOST_MESSAGES = 8
_MS_PER_S = 1000
_OFFLINE = "offline"


def read_title_prompt(directory: Path) -> str:
    """Return the instruction for the model, read from the directory of resources."""
    return (directory / "prompts" / _PROMPT_FILE).read_text("utf-8")


@dataclass(slots=True)
class _Attempt:
    """A request for a title while it runs."""

    answer: Message
    provider: str
    model: str
    asked_tokens: int
    began_s: float
    text: str = ""
    usage: Usage | None = None
    reason: FinishReason | None = None
    first_s: float | None = None


class TitleService:
    """Asks for titles one at a time, on the services' loop, so that the day's limit is checked after the title before
    was entered."""

    def __init__(
        self,
        repositories: Repositories,
        *,
        context: ContextService,
        providers: ProviderRegistry,
        bus: EventBus,
        clock: Clock,
        budget: BackgroundBudget,
        read_prompt: Callable[[], str],
        is_on: bool = True,
    ) -> None:
        self._threads = repositories.threads
        self._messages = repositories.messages
        self._usage = repositories.usage
        self._context = context
        self._providers = providers
        self._bus = bus
        self._clock = clock
        self._budget = budget
        self._read_prompt = read_prompt
        self._is_on = is_on
        self._tasks = TaskSet()
        self._one_at_a_time = asyncio.Lock()
        self._in_hand: set[str] = set()
        self._subscription: Subscription | None = None

    def follow(self) -> None:
        """Start giving titles. A script that asks one question does not: it would pay for a title and leave."""
        if self._subscription is None:
            self._subscription = self._bus.subscribe(AnswerFinished, self._on_answer_finished)

    def use(self, providers: ProviderRegistry, *, is_on: bool) -> None:
        """Use other providers, and switch titles on or off, from the next title on."""
        self._providers = providers
        self._is_on = is_on

    async def close(self) -> None:
        """Abort the request for a title, within a second."""
        if self._subscription is not None:
            self._subscription.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_END_S):
                await self._tasks.close()

    def _on_answer_finished(self, event: AnswerFinished) -> None:
        answer = event.message
        is_wanted = answer.role is Role.ASSISTANT and answer.status is Status.COMPLETE and bool(answer.text.strip())
        # The offline model would not think of anything better than the question's own words.
        if self._is_on and is_wanted and answer.provider != _OFFLINE and answer.thread_id not in self._in_hand:
            self._in_hand.add(answer.thread_id)
            self._tasks.start(self._give_title(answer), f"title of {answer.thread_id}")

    async def _give_title(self, answer: Message) -> None:
        try:
            async with self._one_at_a_time:
                if await self._is_due(answer.thread_id):
                    await self._try(answer)
        except BackgroundLimitReached:
            return  # the next answer asks again
        except ChatDeskError as error:
            _log.info("no title for %s: %s", answer.thread_id, error.code)
        finally:
            self._in_hand.discard(answer.thread_id)

    async def _is_due(self, thread_id: str) -> bool:
        """Return whether the title still comes from the text and no model was asked for one."""
        if await self._threads.title_source(thread_id) is not TitleSource.TEXT:
            return False
        thread = await self._threads.get(thread_id)
        is_young = thread.deleted_at is None and thread.message_count <= _MOST_MESSAGES
        return is_young and not await self._usage.has_title_request(thread_id)

    async def _try(self, answer: Message) -> None:
        default, _model = self._providers.default()
        provider, model = self._context.models.for_tasks(answer.provider or default, answer.model or "")
        request = await self._request(answer, provider, model)
        asked = sum(len(message.text) for message in request.messages) // CHARACTERS_PER_TOKEN + 1
        await self._budget.reserve(
            UsageKind.TITLE,
            asked + (request.max_output_tokens or 0),
            provider=provider,
            thread_id=answer.thread_id,
        )
        attempt = _Attempt(answer, provider, model, asked, self._clock.monotonic_s())
        status = Status.ERROR
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                await self._ask(attempt, request)
            status = Status.COMPLETE
        except asyncio.CancelledError:
            status = Status.INTERRUPTED
            raise
        except TimeoutError:
            _log.info("no title for %s: the model took too long", answer.thread_id)
        finally:
            # Even when ChatDesk closes, because the request is paid for. A write that has begun is completed.
            await self._enter(attempt, status)
            self._budget.release(UsageKind.TITLE)
        title = title_from_answer(attempt.text) if attempt.reason is FinishReason.STOP else None
        if status is Status.COMPLETE and title is not None:
            thread = await self._threads.retitle(answer.thread_id, title, TitleSource.MODEL)
            if thread is not None:
                self._bus.publish(ThreadChanged(thread))

    async def _request(self, answer: Message, provider: str, model: str) -> ChatRequest:
        question = "" if answer.parent_id is None else (await self._messages.get(answer.parent_id)).text
        pieces = [f"{name}: {_excerpt(text)}" for name, text in (("Person", question), ("Model", answer.text)) if text]
        info = self._context.models.info(provider, model or None)
        prompt = await asyncio.to_thread(self._read_prompt)
        return ChatRequest(
            model=model,
            messages=(
                RequestMessage(Role.SYSTEM, prompt),
                RequestMessage(Role.USER, "\n\n".join([_EDGE, *pieces, _EDGE])),
            ),
            max_output_tokens=_ANSWER_TOKENS + (_THINKING_TOKENS if info.may_have(Ability.REASONING) else 0),
            reasoning_effort="low" if _thinks_by_effort(info) else None,
        )

    async def _ask(self, attempt: _Attempt, request: ChatRequest) -> None:
        provider = self._providers.get(attempt.provider)
        async with aclosing(provider.stream(request)) as stream:
            async for event in stream:
                if attempt.first_s is None and isinstance(event, TextDelta | ReasoningDelta):
                    attempt.first_s = self._clock.monotonic_s()
                match event:
                    case LibraryLoaded():
                        attempt.began_s += event.seconds
                    case TextDelta():
                        attempt.text += event.text
                        if len(attempt.text) > _LONGEST_ANSWER:
                            return  # a speech; its end is not waited for
                    case UsageReported():
                        attempt.usage = event.usage
                    case StreamFinished():
                        attempt.reason = event.reason

    async def _enter(self, attempt: _Attempt, status: Status) -> None:
        """Enter the attempt into the ledger of usage."""
        answer, first_s = attempt.answer, attempt.first_s
        usage = attempt.usage
        if usage is None and (attempt.text or status is not Status.ERROR):
            usage = Usage(attempt.asked_tokens, len(attempt.text) // CHARACTERS_PER_TOKEN, is_estimated=True)
        cost_usd = None if usage is None else self._context.models.cost_of(attempt.provider, attempt.model, usage)
        spent = Spent(
            usage,
            latency_ms=self._ms(self._clock.monotonic_s() - attempt.began_s),
            time_to_first_token_ms=None if first_s is None else self._ms(first_s - attempt.began_s),
            cost_usd=cost_usd,
        )
        event = UsageEvent(UsageKind.TITLE, answer.thread_id, attempt.provider, attempt.model, status.value, spent)
        try:
            await self._usage.add(event)
        except StorageError as error:
            _log.warning("a title is missing in the ledger: %s", error.code)
            return
        log_event(
            "title.ended",
            thread=answer.thread_id,
            provider=attempt.provider,
            model=attempt.model,
            status=status,
            input_tokens=None if usage is None else usage.input_tokens,
            output_tokens=None if usage is None else usage.output_tokens,
            latency_ms=spent.latency_ms,
            first_token_ms=spent.time_to_first_token_ms,
        )
        self._bus.publish(UsageRecorded(answer.thread_id))

    @staticmethod
    def _ms(seconds: float) -> int:
        return round(seconds * _MS_PER_S)


def _excerpt(text: str) -> str:
    # The text of a message must not imitate the marker that ends the messages.
    return text[:_LONGEST_EXCERPT].replace(_EDGE, "")


def _thinks_by_effort(info: ModelInfo) -> bool:
    """Return whether a model has an effort in place of a temperature, as models have that always think. Other models
    may refuse the parameter."""
    return info.has(Ability.REASONING) is True and info.has(Ability.TEMPERATURE) is False
