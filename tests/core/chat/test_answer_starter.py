"""Stop reaches answers that are only being set up: nothing is asked of the model, and no answer stays pending. Each
thread has room for so many answers, however many calls come at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.results import Sent
from chatdesk.core.chat.running_turns import MOST_IN_THREAD
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.domain.limits import Rate
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.errors import StorageBusy, TurnInProgress
from chatdesk.core.events import MessageAdded, MessageChanged, PathChanged
from chatdesk.core.providers.base import ChatRequest, FinishReason, StreamFinished, TextDelta
from chatdesk.core.storage.chat.waiting import WaitingRepository
from chatdesk.core.tools.tool_service import ToolService
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.waiting import PATIENCE_S, until

Ask = Callable[[ChatWorld, str, str], Awaitable[object]]


async def _send(world: ChatWorld, thread_id: str, _answer_id: str) -> object:
    return await world.chat.send_message(thread_id, "again")


async def _compare(world: ChatWorld, thread_id: str, _answer_id: str) -> object:
    return await world.chat.compare(thread_id, "again", [("scripted", "small"), ("scripted", "large")])


async def _regenerate(world: ChatWorld, _thread_id: str, answer_id: str) -> object:
    return await world.chat.regenerate_response(answer_id)


async def _edit(world: ChatWorld, _thread_id: str, answer_id: str) -> object:
    question = (await world.chat.reader.get_message(answer_id)).parent_id
    return await world.chat.edit_message(question or "", "again")


async def _go_on(world: ChatWorld, _thread_id: str, answer_id: str) -> object:
    return await world.chat.continue_message(answer_id)


@pytest.mark.parametrize("ask", [_send, _compare, _regenerate, _edit, _go_on])
async def test_stop_reaches_an_answer_from_the_moment_it_is_shown(tmp_path: Path, ask: Ask) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("cut off"), StreamFinished(FinishReason.LENGTH))
        created = await world.chat.create_thread(None, "", "go")
        first = await world.answer_of(created)
        world.events.clear()
        stops: list[asyncio.Future[Message | None]] = []

        def stop(_event: object) -> None:
            if not stops:
                stops.append(asyncio.ensure_future(world.chat.stop(created.thread.id)))

        for kind in (MessageAdded, MessageChanged, PathChanged):
            world.bus.subscribe(kind, stop)
        await ask(world, created.thread.id, first.id)
        stopped = await stops[0]
        assert stopped is not None
        assert (stopped.status, len(world.provider.requests)) == (Status.STOPPED, 1)
        assert not world.chat.is_answering(created.thread.id)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        versions = await world.chat.reader.list_versions(page.messages[-1].id)
        assert {each.status for each in (*versions, *page.messages)} <= {Status.STOPPED, Status.COMPLETE}
        assert page.messages[-1].text in ("", "cut off")


async def test_stop_reaches_the_first_answer_of_a_thread_by_its_message(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        stops: list[asyncio.Future[Message | None]] = []

        def stop(event: MessageAdded) -> None:
            stops.append(asyncio.ensure_future(world.chat.stop(event.message.id)))

        world.bus.subscribe(MessageAdded, stop)  # of the question, which nothing writes, and of the answer
        created = await world.chat.create_thread(None, "", "go")
        question, answer = await asyncio.gather(*stops)
        assert question is None
        assert answer is not None and answer.id == created.answer.id
        assert (answer.status, world.provider.requests) == (Status.STOPPED, [])


async def test_a_thread_is_answering_from_the_moment_the_answer_is_shown(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        seen: list[bool] = []
        world.bus.subscribe(MessageAdded, lambda e: seen.append(world.chat.is_answering(e.message.thread_id)))
        await world.answer_of(await world.chat.create_thread(None, "", "go"))
        assert seen == [True, True]


async def test_an_answer_that_storage_does_not_let_begin_ends_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_context: ContextService, _answer: Message) -> ChatRequest:
        raise StorageBusy

    monkeypatch.setattr(ContextService, "request_for", busy)
    async with chat_world(tmp_path) as world:
        failed = await world.answer_of(await world.chat.create_thread(None, "", "go"))
        assert (failed.status, failed.error_type) == (Status.ERROR, StorageBusy.code)
        assert not world.chat.is_answering(failed.thread_id)


class _SlowTools:
    """Tools that take for ever to load."""

    def __init__(self, world: ChatWorld) -> None:
        self.loading = 0
        self.loads = 0
        world.chat.tools.use(self._load, ToolLimits)

    async def _load(self) -> ToolService | None:
        self.loading += 1
        self.loads += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.loading -= 1
        return None


_COMPARED = [("scripted", "small"), ("scripted", "large")]


async def test_stop_does_not_wait_for_slow_tools(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world, asyncio.timeout(PATIENCE_S):
        thread = (await world.chat.create_thread(None, "T")).thread
        tools = _SlowTools(world)
        comparing = asyncio.ensure_future(world.chat.compare(thread.id, "go", _COMPARED))
        await until(lambda: tools.loads == len(_COMPARED))
        stopped = await world.chat.stop(thread.id)
        compared = await comparing
        assert stopped is not None and stopped.id == compared.answers[-1].id
        answers = [await world.chat.reader.get_message(each.id) for each in compared.answers]
        assert {each.status for each in answers} == {Status.STOPPED}
        assert (tools.loading, world.provider.requests) == (0, [])
        assert not world.chat.is_answering(thread.id)


async def test_slow_tools_hold_up_only_their_own_answer(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world, asyncio.timeout(PATIENCE_S):
        world.chat.queue.use_rate(Rate(1, 3600))
        await world.answer_of(await world.chat.create_thread(None, "", "one"))
        slow = (await world.chat.create_thread(None, "", "two")).thread  # waits
        tools = _SlowTools(world)
        world.chat.queue.use_rate(None)
        await until(lambda: tools.loading)
        world.chat.tools.use(_no_tools, ToolLimits)
        await world.answer_of(await world.chat.create_thread(None, "", "three"))
        stopped = await world.chat.stop(slow.id)
        assert stopped is not None and (stopped.status, tools.loading) == (Status.STOPPED, 0)


async def _no_tools() -> ToolService | None:
    return None


async def test_an_answer_that_is_set_up_when_chatdesk_ends_is_interrupted(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world, asyncio.timeout(PATIENCE_S):
        tools = _SlowTools(world)
        creating = asyncio.ensure_future(world.chat.create_thread(None, "", "go"))
        await until(lambda: tools.loading)
        await world.chat.close()
        answer = (await creating).answer
        assert answer is not None
        stored = await world.repositories.messages.get(answer.id)
        assert (stored.status, tools.loading) == (Status.INTERRUPTED, 0)


@pytest.mark.parametrize("error", [StorageBusy(), RuntimeError("a mistake")])
async def test_one_answer_that_cannot_be_started_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    project_of, count = WaitingRepository.project_of, 0

    async def busy_once(self: WaitingRepository, thread_id: str) -> str:
        nonlocal count
        count += 1
        if count == 1:
            raise error
        return await project_of(self, thread_id)

    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        monkeypatch.setattr(WaitingRepository, "project_of", busy_once)
        compared = await world.chat.compare(thread.id, "go", _COMPARED)
        failed, answered = [await world.finished(each.id) for each in compared.answers]
        assert isinstance(failed, Message) and isinstance(answered, Message)
        assert (failed.status, answered.status) == (Status.ERROR, Status.COMPLETE)
        assert failed.error
        assert (await world.chat.reader.get_message(failed.id)).error == failed.error


async def test_calls_at_once_start_no_more_answers_than_a_thread_has_room_for(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "go")
        await world.answer_of(created)
        assert created.question is not None
        for _ in range(3 * MOST_IN_THREAD):
            world.provider.will(asyncio.Event())
        edits = [world.chat.edit_message(created.question.id, f"go {n}") for n in range(3 * MOST_IN_THREAD)]
        results = await asyncio.gather(*edits, return_exceptions=True)
        assert sum(isinstance(each, Sent) for each in results) == MOST_IN_THREAD
        assert sum(isinstance(each, TurnInProgress) for each in results) == 2 * MOST_IN_THREAD
        assert len(world.chat.turns.in_thread(created.thread.id)) == MOST_IN_THREAD
        await world.chat.stop(created.thread.id)
        world.provider.scripts.clear()
        await world.answer_of(await world.chat.send_message(created.thread.id, "room again"))


async def test_what_waits_takes_its_place_also_while_it_is_sent(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "go")
        await world.answer_of(created)
        assert created.question is not None
        world.chat.queue.use_rate(Rate(1, 3600))
        question_id, thread_id = created.question.id, created.thread.id
        for n in range(MOST_IN_THREAD):
            world.provider.will(asyncio.Event())
            await world.chat.edit_message(question_id, f"go {n}")
        refused: list[bool] = []
        claim = WaitingRepository.claim

        async def edit_meanwhile(self: WaitingRepository, message_id: str) -> Message:
            with pytest.raises(TurnInProgress):
                await world.chat.edit_message(question_id, "one more")
            refused.append(True)
            return await claim(self, message_id)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(WaitingRepository, "claim", edit_meanwhile)
            world.chat.queue.use_rate(None)
            await until(lambda: len(world.chat.turns.in_thread(thread_id)) == MOST_IN_THREAD)
        assert refused


async def test_a_call_that_fails_gives_its_room_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(_self: object, *_args: object, **_options: object) -> None:
        raise StorageBusy

    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "go")
        await world.answer_of(created)
        assert created.question is not None
        with monkeypatch.context() as patch:
            patch.setattr(type(world.repositories.messages), "add_question_version", busy)
            for _ in range(MOST_IN_THREAD + 1):
                with pytest.raises(StorageBusy):
                    await world.chat.edit_message(created.question.id, "again")
        await world.answer_of(await world.chat.edit_message(created.question.id, "again"))
