"""Where the context of a thread starts and where its summaries end."""

from __future__ import annotations

from chatdesk.core.context.options import ContextOptions
from chatdesk.core.domain.context import ContextLandmarks, SummaryEnd
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.events import ContextChanged, MessageChanged
from tests.helpers.chat_world import ChatWorld


async def _asked(world: ChatWorld, count: int) -> tuple[str, list[str]]:
    """A thread with ``count`` questions and their answers; its id and theirs."""
    thread_id = (await world.chat.create_thread(None, "Asked")).thread.id
    ids = []
    for number in range(count):
        sent = await world.chat.send_message(thread_id, f"question {number}")
        await world.finished(sent.answer.id)
        ids += [sent.question.id, sent.answer.id]
    return thread_id, ids


async def _summarise(world: ChatWorld, thread_id: str, first: str, last: str) -> None:
    new = NewSummary(thread_id, first, last, "In short.", 3, SummaryAuthor.PERSON)
    await world.repositories.summaries.add(new)


async def test_a_new_thread_has_none(world: ChatWorld) -> None:
    thread_id, _ = await _asked(world, 1)
    assert await world.chat.context.landmarks(thread_id) == ContextLandmarks()


async def test_a_valid_and_a_newer_stale_summary_both_end_somewhere(world: ChatWorld) -> None:
    thread_id, ids = await _asked(world, 3)
    await _summarise(world, thread_id, ids[0], ids[1])
    await _summarise(world, thread_id, ids[0], ids[3])
    await world.chat.context.steering.mark_message(ids[3], ContextMark.EXCLUDED)
    found = await world.chat.context.landmarks(thread_id)
    assert found.summary_ends == (SummaryEnd(ids[1], 2), SummaryEnd(ids[3], 4, is_stale=True))
    await world.chat.context.steering.start_at(thread_id, ids[4])
    assert await world.chat.context.landmarks(thread_id) == ContextLandmarks(ids[4])


async def test_two_summaries_that_end_alike_are_one_line(world: ChatWorld) -> None:
    thread_id, ids = await _asked(world, 2)
    await _summarise(world, thread_id, ids[0], ids[1])
    await _summarise(world, thread_id, ids[0], ids[1])
    assert (await world.chat.context.landmarks(thread_id)).summary_ends == (SummaryEnd(ids[1], 2),)


async def test_summaries_that_are_switched_off_end_nowhere(world: ChatWorld) -> None:
    thread_id, ids = await _asked(world, 2)
    await _summarise(world, thread_id, ids[0], ids[1])
    told: list[str | None] = []
    world.bus.subscribe(ContextChanged, lambda event: told.append(event.thread_id))
    world.chat.context.use_options(ContextOptions(has_summaries=False))
    assert (await world.chat.context.landmarks(thread_id)).summary_ends == ()
    world.chat.context.use_options(ContextOptions(has_summaries=False, system_prompt="x"))
    world.chat.context.use_options(ContextOptions())
    assert told == [None, None]
    assert len((await world.chat.context.landmarks(thread_id)).summary_ends) == 1


async def test_a_mark_is_told_with_the_message(world: ChatWorld) -> None:
    _, ids = await _asked(world, 1)
    told: list[ContextMark] = []
    world.bus.subscribe(MessageChanged, lambda event: told.append(event.message.context_mark))
    marked = await world.chat.context.steering.mark_message(ids[1], ContextMark.PINNED)
    assert marked.context_mark is ContextMark.PINNED
    assert told == [ContextMark.PINNED]
    assert (await world.chat.reader.get_message(ids[1])).context_mark is ContextMark.PINNED
