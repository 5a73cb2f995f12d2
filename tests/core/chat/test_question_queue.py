"""What is sent while an answer is being written waits for its end: on disk, in order, and never asked twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.chat.question_queue import QuestionQueue
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Role, Status
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.errors import EmptyMessage, NotFound, NotPossible, ProviderError, ProviderErrorKind
from chatdesk.core.events import WaitingQuestionsChanged
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.waiting import until

FILE = Attachment("notes.txt", "text/plain", "a" * 64, 5)


@asynccontextmanager
async def _queued(path: Path) -> AsyncIterator[tuple[ChatWorld, QuestionQueue]]:
    async with chat_world(path) as world:
        queue = QuestionQueue(world.repositories.waiting_questions, world.chat, world.bus)
        await queue.load()
        try:
            yield world, queue
        finally:
            await queue.close()


async def _questions(world: ChatWorld, thread_id: str) -> list[str]:
    page = await world.chat.reader.get_thread_messages(thread_id)
    return [message.text for message in page.messages if message.role is Role.USER]


async def _all_answered(world: ChatWorld, thread_id: str, count: int) -> None:
    async def is_there() -> bool:
        return not (len(await _questions(world, thread_id)) < count or world.chat.is_answering(thread_id))

    await until(is_there)


async def test_waiting_questions_are_asked_in_order_after_the_answer_before(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        go = asyncio.Event()
        world.provider.will(go, TextDelta("first"), StreamFinished(FinishReason.STOP))
        thread_id = (await world.chat.create_thread(None, "", "one")).thread.id
        await queue.add(thread_id, "two", (FILE,))
        await queue.add(thread_id, "three")
        assert [each.text for each in queue.in_thread(thread_id)] == ["two", "three"]
        assert await _questions(world, thread_id) == ["one"]
        go.set()
        await _all_answered(world, thread_id, 3)
        assert await _questions(world, thread_id) == ["one", "two", "three"]
        await until(lambda: not queue.all)
        assert await world.repositories.waiting_questions.all() == ()
        page = await world.chat.reader.get_thread_messages(thread_id)
        assert attachments_of(page.messages[2]) == (FILE,)
        assert any(isinstance(event, WaitingQuestionsChanged) for event in world.events)


async def test_what_waits_survives_the_end_of_the_program_and_then_waits_for_the_person(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        world.provider.will(asyncio.Event())
        thread_id = (await world.chat.create_thread(None, "", "one")).thread.id
        await queue.add(thread_id, "two", (FILE,))
    async with _queued(tmp_path) as (world, queue):
        (waiting,) = queue.in_thread(thread_id)
        assert (waiting.text, waiting.attachments) == ("two", (FILE,))
        assert await _questions(world, thread_id) == ["one"]
        await world.answer_of(await queue.send_now(waiting.id))
        assert await _questions(world, thread_id) == ["one", "two"]


async def test_sending_now_stops_the_answer_and_keeps_what_came(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        world.provider.will(TextDelta("half an answer"), asyncio.Event())
        created = await world.chat.create_thread(None, "", "one")
        thread_id = created.thread.id
        await queue.add(thread_id, "two")
        second = await queue.add(thread_id, "three")
        await until(lambda: any("half" in getattr(event, "delta", "") for event in world.events))
        await world.answer_of(await queue.send_now(second.id))
        assert created.answer is not None
        stopped = await world.chat.reader.get_message(created.answer.id)
        assert (stopped.status, stopped.text) == (Status.STOPPED, "half an answer")
        await _all_answered(world, thread_id, 3)
        assert await _questions(world, thread_id) == ["one", "three", "two"]


@pytest.mark.parametrize("end", ["stopped", "failed"])
async def test_after_an_answer_without_an_end_it_waits_on(tmp_path: Path, end: str) -> None:
    async with _queued(tmp_path) as (world, queue):
        go = asyncio.Event()
        world.provider.will(go, ProviderError(ProviderErrorKind.UNAUTHORISED, "No.", next_step="Check."))
        created = await world.chat.create_thread(None, "", "one")
        assert created.answer is not None
        waiting = await queue.add(created.thread.id, "two")
        await world.asked()
        if end == "failed":
            go.set()
            await world.answer_of(created)
        else:
            await world.chat.stop(created.thread.id)
        assert queue.all == (waiting,)
        # The next answer there that is complete lets it go.
        await world.answer_of(await world.chat.send_message(created.thread.id, "again"))
        await _all_answered(world, created.thread.id, 3)
        assert await _questions(world, created.thread.id) == ["one", "again", "two"]


async def test_what_is_sent_in_the_moment_of_the_end_is_asked_at_once(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        await queue.add(created.thread.id, "two")
        await _all_answered(world, created.thread.id, 2)
        await until(lambda: not queue.all)


async def test_taking_back_stores_it_elsewhere_first(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        world.provider.will(asyncio.Event())
        thread_id = (await world.chat.create_thread(None, "", "one")).thread.id
        waiting = await queue.add(thread_id, "two")

        async def fail(_question: WaitingQuestion) -> None:
            raise NotPossible("The disk is full.")

        with pytest.raises(NotPossible):
            await queue.withdraw(waiting.id, fail)
        assert queue.all == (waiting,)

        async def keep(question: WaitingQuestion) -> None:
            assert await world.repositories.waiting_questions.all() == (waiting,)
            await world.chat.drafts.save(question.thread_id, question.text, 0)

        await queue.withdraw(waiting.id, keep)
        draft = await world.chat.drafts.get(thread_id)
        assert draft is not None and draft.text == "two"
        assert queue.all == ()
        with pytest.raises(NotPossible):
            await queue.withdraw(waiting.id, keep)


async def test_moving_up_changes_the_order_on_disk(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        world.provider.will(asyncio.Event())
        thread_id = (await world.chat.create_thread(None, "", "one")).thread.id
        for text in ("a", "b", "c"):
            await queue.add(thread_id, text)
        await queue.move_up(queue.all[2].id)
        await queue.move_up(queue.all[0].id)  # nothing is before it
        assert [each.text for each in queue.all] == ["a", "c", "b"]
    async with _queued(tmp_path) as (_world, queue):
        assert [each.text for each in queue.in_thread(thread_id)] == ["a", "c", "b"]


async def test_what_cannot_be_asked_says_why_and_waits_on(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        go = asyncio.Event()
        world.provider.will(go, TextDelta("x"), StreamFinished(FinishReason.STOP))
        created = await world.chat.create_thread(None, "", "one")
        waiting = await queue.add(created.thread.id, "two" * 400)
        world.chat.use_message_limits(1_000, world.chat.attachment_limits)
        go.set()
        await until(lambda: queue.problem_of(waiting.id))
        assert "1,000 bytes" in queue.problem_of(waiting.id)
        assert queue.all == (waiting,)


async def test_a_question_is_never_asked_twice(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        world.provider.will(asyncio.Event())
        thread_id = (await world.chat.create_thread(None, "", "one")).thread.id
        waiting = await queue.add(thread_id, "two")
        await world.asked()
        results = await asyncio.gather(queue.send_now(waiting.id), queue.send_now(waiting.id), return_exceptions=True)
        assert sorted(type(each).__name__ for each in results) == ["NotPossible", "Sent"]
        await _all_answered(world, thread_id, 2)
        with pytest.raises(NotPossible):
            await world.chat.send_message(thread_id, "two", waited=waiting)
        assert await _questions(world, thread_id) == ["one", "two"]


async def test_the_trash_takes_it_along_and_gives_it_back(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        world.provider.will(asyncio.Event())
        thread_id = (await world.chat.create_thread(None, "", "one")).thread.id
        waiting = await queue.add(thread_id, "two")
        await world.library.delete([thread_id])
        await until(lambda: not queue.all)
        await world.library.restore([thread_id])
        await until(lambda: queue.all == (waiting,))
        assert await _questions(world, thread_id) == ["one"]


async def test_nothing_waits_without_words_or_without_a_thread(tmp_path: Path) -> None:
    async with _queued(tmp_path) as (world, queue):
        thread_id = (await world.chat.create_thread(None, "t")).thread.id
        with pytest.raises(EmptyMessage):
            await queue.add(thread_id, " ")
        with pytest.raises(NotFound):
            await queue.add("01900000-0001-7000-8000-000000000001", "x")
        assert queue.all == ()
