"""Stop reaches answers that are only being started: nothing is asked of the model, and no answer stays pending."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.domain.message import Message, Status
from chatdesk.core.errors import StorageBusy
from chatdesk.core.events import MessageAdded, MessageChanged, PathChanged
from chatdesk.core.providers.base import ChatRequest, FinishReason, StreamFinished, TextDelta
from tests.helpers.chat_world import ChatWorld, chat_world

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
