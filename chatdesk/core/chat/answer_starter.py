"""Starts answers: chooses their provider, checks that another may start, and requests each in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.prompts.assistants import model_of
from chatdesk.core.chat.running_turns import MOST_IN_THREAD, RunningTurns
from chatdesk.core.chat.sending_queue import SendingQueue
from chatdesk.core.chat.tool_calls.tool_calls import ToolCalls
from chatdesk.core.chat.turn import Turn
from chatdesk.core.chat.turn_context import SetUp, TurnContext
from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import Expected
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.prompt import Assistant
from chatdesk.core.domain.thread import Project, Thread
from chatdesk.core.domain.turn import AnswerPlan
from chatdesk.core.errors import NotPossible, TurnInProgress
from chatdesk.core.events import EventBus
from chatdesk.core.providers.base import ChatRequest, Provider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.texts import Text
from chatdesk.core.usage.estimates import expected_usage
from chatdesk.core.usage.limits import UsageLimits


class AnswerStarter:
    """Starts answers at once or queues them, and stops them wherever they are: ``queue`` has the answers that wait to
    be asked for, ``turns`` those that are being set up or written; the starter itself has those on their way to either,
    and the room that is kept for answers that are not stored yet."""

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
        self._rooms: list[_Reservation] = []
        self._starting: list[_StartingAnswer] = []
        self._in_turn = asyncio.Lock()
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
        """Return the answering provider and model of a thread: the given ones, or else the assistant's or the thread's.
        ``assistant_id`` names the assistant for this time; None: the thread's. Raises ``AnotherProvider`` if another
        member chose the provider."""
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
        """Return the answering provider. Raises ``NotPossible`` before any write if there is none."""
        if provider is not None:
            self._providers.get(provider)
        return AnswerPlan(*self._providers.resolve(provider, model), assistant)

    def room_in(self, thread_id: str, *, answers: int = 1, is_alone: bool = False) -> _Reservation:
        """Keep room for further answers in a thread, until ``start`` is given it or the ``with`` block ends;
        ``is_alone``: they must be its only ones. Raises ``TurnInProgress`` where there is none."""
        if self._is_closing:
            raise NotPossible(Text("ChatDesk is closing."))
        others = self._count_in(thread_id) + sum(each.count for each in self._rooms if each.thread_id == thread_id)
        if (others and is_alone) or others + answers > MOST_IN_THREAD:
            raise TurnInProgress
        return _Reservation(self._rooms, thread_id, answers)

    async def start(self, *answers: Message, events: Sequence[object], room: _Reservation | None = None) -> None:
        """Publish ``events``, which show stored answers, and ask for each at once or when its turn comes. ``stop``
        reaches all of them from before the first event on. Each ends with the reason where it cannot be asked for.
        ``room`` was kept for them; None in a new thread."""
        starting = [_StartingAnswer(answer) for answer in answers]
        self._starting += starting
        if room is not None:
            room.release()
        try:
            for event in events:
                self._bus.publish(event)
            for each in starting:
                await self._start(each)
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
        try:
            waited = await self.queue.cancel(thread_or_message_id)
        finally:
            ended = await self.turns.stop(thread_or_message_id)
        return ended or waited

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

    async def _start(self, starting: _StartingAnswer) -> None:
        answer = starting.answer
        try:
            is_due = await self.queue.admit(answer)
        except Exception as error:  # noqa: BLE001 - its turn ends with it: stored, shown and, if it is a mistake, logged
            self._start_turn(answer, partial(_fail, error), is_stopped=starting.is_stopped)
        else:
            if is_due:
                self._start_turn(answer, partial(self._set_up, answer), is_stopped=starting.is_stopped)

    def _end_start(self, starting: _StartingAnswer) -> None:
        """Forget a starting answer that is now being written or waiting."""
        if starting in self._starting:
            self._starting.remove(starting)
            starting.has_started.set()

    @staticmethod
    async def _wait_for(starting: Sequence[_StartingAnswer]) -> None:
        for each in starting:
            await each.has_started.wait()

    def _ask(self, answer: Message) -> None:
        self._start_turn(answer, partial(self._set_up, answer))

    def _start_turn(self, answer: Message, set_up: SetUp, *, is_stopped: bool = False) -> None:
        """Begin the turn of an answer, which is set up in it: whatever is slow or fails there is stopped or ends as any
        turn does, and nothing else waits for it."""
        turn = Turn(self._turn_context, answer=answer, set_up=set_up, keep=self._tools.keep)
        if is_stopped:
            turn.stop()
        self.turns.start(turn)

    async def _set_up(self, answer: Message) -> tuple[Provider, ChatRequest]:
        """Return the provider of an answer and the request for it. Raises if no provider may be asked."""
        provider = self._providers.get(answer.provider or self._providers.default()[0])
        async with self._in_turn:  # one at a time, so that each is checked against the expected cost of those before it
            request = await self._context.request_for(answer)
            expected = self._expected(provider.name, request)
            await self._limits.admit(answer.id, answer.thread_id, provider=provider.name, expected=expected)
        admit = partial(self._admit_next, answer, provider.name)
        return await self._tools.equip(answer, provider, await self._tools_of(answer), admit=admit), request

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


async def _fail(error: Exception) -> tuple[Provider, ChatRequest]:
    raise error


class _StartingAnswer:
    """An answer that is stored and shown, but neither waits nor has a turn yet. Where it ``is_stopped``, its turn ends
    before anything is set up or asked."""

    def __init__(self, answer: Message) -> None:
        self.answer = answer
        self.is_stopped = False
        self.has_started = asyncio.Event()


class _Reservation:
    """Room for ``count`` answers of a thread that are not stored yet, so that calls at the same time do not start more
    than are allowed. Given back at the end of the block, or when the answers count themselves."""

    def __init__(self, rooms: list[_Reservation], thread_id: str, count: int) -> None:
        self.thread_id = thread_id
        self.count = count
        self._rooms = rooms
        rooms.append(self)

    def release(self) -> None:
        if self in self._rooms:
            self._rooms.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.release()
