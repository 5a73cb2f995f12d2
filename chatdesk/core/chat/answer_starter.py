"""Starts answers: chooses who writes them, checks that there is room for another, and asks when their turn comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.prompts.assistants import model_of
from chatdesk.core.chat.refusing_provider import RefusingProvider
from chatdesk.core.chat.running_turns import MOST_IN_THREAD, RunningTurns
from chatdesk.core.chat.sending_queue import SendingQueue
from chatdesk.core.chat.tool_calls.tool_calls import ToolCalls
from chatdesk.core.chat.turn import Turn
from chatdesk.core.chat.turns.turn_context import TurnContext
from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import Expected, LimitReached
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.project import Project
from chatdesk.core.domain.prompt import Assistant
from chatdesk.core.domain.thread import Thread
from chatdesk.core.domain.turn import AnswerPlan
from chatdesk.core.errors import DoesNotFit, MessageNotFound, NotPossible, StorageError, TurnInProgress
from chatdesk.core.events import EventBus
from chatdesk.core.providers.base import ChatRequest
from chatdesk.core.texts import Text
from chatdesk.core.usage.estimates import expected_usage
from chatdesk.core.usage.limits import UsageLimits

if TYPE_CHECKING:  # loaded on the storage thread, after the window is up
    from chatdesk.core.providers.registry import ProviderRegistry
    from chatdesk.core.storage.repositories import Repositories


class AnswerStarter:
    """Starts answers at once or queues them, and stops them wherever they are: ``queue`` has the answers that wait to
    be asked for, ``turns`` those that are being written; the starter itself has those on their way to either."""

    def __init__(
        self,
        repositories: Repositories,
        providers: ProviderRegistry,
        bus: EventBus,
        clock: Clock,
        *,
        context: ContextService,
        limits: UsageLimits,
        tools: ToolCalls,
    ) -> None:
        self._providers = providers
        self._bus = bus
        self._tools = tools
        self._context = context
        self._limits = limits
        self.queue = SendingQueue(repositories.waiting, repositories.messages, bus, clock, start=self._ask)
        self.turns = RunningTurns()
        self._turn_context = TurnContext(
            store=repositories.messages,
            bus=bus,
            clock=clock,
            cost_of=context.models.cost_of,
            record_rate=self.queue.record_rate,
        )
        self._taken: set[str] = set()
        self._starting: list[_StartingAnswer] = []
        self._is_closing = False

    def use_providers(self, providers: ProviderRegistry) -> None:
        self._providers = providers

    def is_answering(self, thread_id: str) -> bool:
        """Return whether an answer is being started or written in a thread, or waits to be asked for."""
        return self._count_in(thread_id) > 0

    async def plan_in(
        self,
        thread: Thread,
        provider: str | None = None,
        model: str | None = None,
        *,
        assistant_id: str | None = None,
    ) -> AnswerPlan:
        """Return who answers in a thread: the given provider, or else the assistant's or the thread's. ``assistant_id``
        is the one that is asked this time; None: the thread's. Raises ``AnotherProvider`` where somebody else chose the
        provider."""
        assistant = await self._context.assistants.find(assistant_id or thread.assistant_id)
        chosen = (thread.provider, thread.model)
        is_for_question = assistant_id not in (None, thread.assistant_id)
        wanted = model_of(assistant, self._providers, chosen=chosen, is_for_question=is_for_question)
        if provider is None and wanted == chosen and thread.provider is not None:
            await self._context.choices.check(thread.provider, project_id=thread.project_id, thread_id=thread.id)
        return self.plan(provider or wanted[0], model or wanted[1], assistant)

    async def usual_in(
        self, project: Project, assistant: Assistant | None, *, is_asking: bool
    ) -> tuple[str | None, str | None]:
        """Return the provider and model that a new thread of a project begins with; none where its assistant has its
        own. Raises ``AnotherProvider`` where somebody else chose the project's and a question would go there."""
        if assistant is not None and assistant.setup.provider is not None:
            return None, None
        if is_asking and project.provider is not None:
            await self._context.choices.check(project.provider, project_id=project.id, thread_id=None)
        return project.provider, project.model

    def plan_of(self, chosen: tuple[str | None, str | None], assistant: Assistant | None) -> AnswerPlan:
        """Return who answers in a new thread for which a provider and a model were ``chosen``, or not."""
        wanted = model_of(assistant, self._providers, chosen=chosen, is_for_question=False)
        return self.plan(*wanted, assistant)

    def plan(self, provider: str | None, model: str | None, assistant: Assistant | None = None) -> AnswerPlan:
        """Return who answers. Raises ``NotPossible`` before anything is written when there is no such provider."""
        if provider is not None:
            self._providers.get(provider)
        return AnswerPlan(*self._providers.resolve(provider, model), assistant)

    def check_room(self, thread_id: str) -> None:
        """Raise where no further answer may be written in a thread."""
        if self._is_closing:
            raise NotPossible(Text("ChatDesk is closing."))
        if self._count_in(thread_id) >= MOST_IN_THREAD:
            raise TurnInProgress

    def one_turn(self, thread_id: str) -> _TakenThread:
        if self._is_closing:
            raise NotPossible(Text("ChatDesk is closing."))
        if self.is_answering(thread_id) or thread_id in self._taken:
            raise TurnInProgress
        return _TakenThread(self._taken, thread_id)

    async def start(self, *answers: Message, events: Sequence[object]) -> None:
        """Publish ``events``, which show stored answers, and ask for each at once or when its turn comes. ``stop``
        reaches all of them from before the first event on."""
        starting = [_StartingAnswer(answer) for answer in answers]
        self._starting += starting
        try:
            for event in events:
                self._bus.publish(event)
            for each in starting:
                await self._start(each.answer)
                self._end_start(each)
        finally:
            for each in starting:
                self._end_start(each)

    async def stop(self, thread_or_message_id: str) -> Message | None:
        """Stop one answer, or all of a thread, also those that wait. Returns the last message that ended."""
        starting = [each for each in self._starting if thread_or_message_id in (each.answer.id, each.answer.thread_id)]
        for each in starting:
            each.is_stopped = True
        await self._wait_for(starting)
        waited = await self.queue.cancel(thread_or_message_id)
        return await self.turns.stop(thread_or_message_id) or waited

    async def close(self) -> None:
        """Interrupt all turns and wait until their text is stored."""
        self._is_closing = True
        await self._wait_for([*self._starting])
        await self.queue.close()
        await self.turns.close()

    # Inside

    def _count_in(self, thread_id: str) -> int:
        starting = sum(each.answer.thread_id == thread_id for each in self._starting)
        return starting + len(self.turns.in_thread(thread_id)) + len(self.queue.in_thread(thread_id))

    async def _start(self, answer: Message) -> None:
        if answer.parent_id is None:
            raise MessageNotFound
        if await self.queue.admit(answer):
            await self._ask(answer)

    def _end_start(self, starting: _StartingAnswer) -> None:
        """Forget a starting answer that is now being written or waiting, or that could not be asked for."""
        if starting in self._starting:
            self._starting.remove(starting)
            starting.has_started.set()

    @staticmethod
    async def _wait_for(starting: Sequence[_StartingAnswer]) -> None:
        for each in starting:
            await each.has_started.wait()

    async def _ask(self, answer: Message) -> None:
        provider = self._providers.get(answer.provider or self._providers.default()[0])
        try:
            request = await self._context.request_for(answer)
            expected = self._expected(provider.name, request)
            await self._limits.admit(answer.id, answer.thread_id, provider=provider.name, expected=expected)
        except (DoesNotFit, LimitReached, StorageError) as error:
            provider, request = RefusingProvider(provider, error), ChatRequest(answer.model or "", ())
        else:
            admit = partial(self._admit_next, answer, provider.name)
            provider = await self._tools.equip(answer, provider, await self._tools_of(answer), admit=admit)
        keep = self._tools.keep
        turn = Turn(self._turn_context, answer=answer, provider=provider, request=request, keep=keep)
        if any(each.is_stopped for each in self._starting if each.answer.id == answer.id):
            turn.stop()
        self.turns.start(turn)

    def _expected(self, provider: str, request: ChatRequest) -> Expected:
        usage = expected_usage(request)
        return Expected(usage.total_tokens, self._context.models.cost_of(provider, request.model, usage))

    async def _admit_next(self, answer: Message, provider: str, request: ChatRequest) -> None:
        expected = self._expected(provider, request)
        await self._limits.admit_next(answer.id, answer.thread_id, provider=provider, expected=expected)

    async def _tools_of(self, answer: Message) -> tuple[str, ...] | None:
        """Return the tool servers of the assistant that answers; None: those of the thread."""
        assistant = await self._context.assistants.find(answer.assistant_id)
        return None if assistant is None else assistant.setup.tools


class _StartingAnswer:
    """An answer that is stored and shown, but neither waits nor is being written yet. Where it ``is_stopped``, its turn
    ends before the provider is asked."""

    def __init__(self, answer: Message) -> None:
        self.answer = answer
        self.is_stopped = False
        self.has_started = asyncio.Event()


class _TakenThread:
    """Marks a thread while a turn is being set up, so that two quick presses do not start two."""

    def __init__(self, taken: set[str], thread_id: str) -> None:
        self._taken = taken
        self._thread_id = thread_id

    def __enter__(self) -> None:
        self._taken.add(self._thread_id)

    def __exit__(self, *_exc: object) -> None:
        self._taken.discard(self._thread_id)
