"""Versions of summaries, and what makes one stale."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import ContextMark, Status
from chatdesk.core.domain.summary import NewSummary, StaleReason, Summary, SummaryAuthor, SummaryState
from chatdesk.core.domain.usage import Spent, Usage
from chatdesk.core.errors import SummaryNotFound, SummaryRangeGone
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.chat.summaries import SummaryRepository
from tests.helpers.store import PLAN, Store


class World:
    """A thread of four questions with answers; the first two of them are summarised."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.summaries = SummaryRepository(store.db)
        self.contexts = ContextRepository(store.db)
        self.thread = ""
        self.ids: list[str] = []

    async def fill(self) -> World:
        self.thread = await self.store.thread()
        for number in range(4):
            self.ids += await self.store.ask(self.thread, f"q{number}")
        return self

    def new(self, **changes: object) -> NewSummary:
        made = NewSummary(
            self.thread,
            self.ids[0],
            self.ids[3],
            "in short",
            3,
            SummaryAuthor.MODEL,
            provider="offline",
            model="demo",
            prompt_version="1",
            pinned_facts=("the answer is 42",),
            input_tokens=100,
            output_tokens=20,
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    async def state(self) -> tuple[SummaryState, StaleReason | None]:
        newest = (await self.summaries.list(self.thread))[0]
        return newest.state, newest.stale_reason

    async def sent(self) -> Summary | None:
        return (await self.contexts.frame(self.thread)).summary


@pytest.fixture
async def world(store: Store) -> World:
    return await World(store).fill()


async def test_a_summary_is_kept_with_everything_about_it(world: World) -> None:
    made = await world.summaries.add(world.new(), spent=Spent(Usage(100, 20), 5))
    assert made == await world.summaries.get(made.id) == (await world.summaries.list(world.thread))[0]
    assert (made.version, made.text, made.message_count, made.state) == (1, "in short", 4, SummaryState.VALID)
    assert (made.from_position, made.to_position, made.is_range_gone) == (0, 3, False)
    assert made.pinned_facts == ("the answer is 42",)
    assert await world.sent() == made


async def test_only_what_a_model_made_is_in_the_ledger(world: World) -> None:
    await world.summaries.add(world.new())
    await world.summaries.add(world.new(author=SummaryAuthor.PERSON))

    def work(conn: Connection) -> list[tuple[object, ...]]:
        rows = conn.exec_driver_sql(
            "SELECT status, input_tokens, output_tokens FROM usage_events WHERE kind = 'summary' ORDER BY id"
        )
        return [tuple(row) for row in rows]

    assert await world.store.db.read(work) == [("complete", 100, 20)]


async def test_the_newest_version_is_sent_and_none_while_it_is_switched_off(world: World) -> None:
    await world.summaries.add(world.new())
    second = await world.summaries.add(world.new(text="shorter", author=SummaryAuthor.PERSON))
    assert [each.version for each in await world.summaries.list(world.thread)] == [2, 1]
    assert await world.sent() == second
    assert (await world.summaries.switch(second.id, is_on=False)).state is SummaryState.OFF
    frame = await world.contexts.frame(world.thread)
    assert (frame.summary, frame.stale_summary_id, frame.is_summary_off) == (None, None, True)
    await world.summaries.switch(second.id, is_on=True)
    assert await world.sent() == second
    assert not (await world.contexts.frame(world.thread)).is_summary_off


async def test_a_change_in_the_range_makes_it_stale_and_one_after_it_does_not(world: World) -> None:
    made = await world.summaries.add(world.new())
    await world.store.paths.delete(world.ids[5], with_later=False)
    await world.contexts.mark(world.ids[4], ContextMark.EXCLUDED)
    assert await world.state() == (SummaryState.VALID, None)
    await world.store.paths.delete(world.ids[1], with_later=False)
    assert await world.state() == (SummaryState.STALE, StaleReason.DELETED)
    frame = await world.contexts.frame(world.thread)
    assert (frame.summary, frame.stale_summary_id) == (None, made.id)
    await world.store.paths.restore(world.ids[1])
    assert (await world.state())[0] is SummaryState.STALE


async def test_another_version_above_its_end_makes_it_stale_until_the_path_comes_back(world: World) -> None:
    await world.summaries.add(world.new())
    await world.store.messages.add_question_version(world.ids[2], "edited", with_answer=None)
    assert await world.state() == (SummaryState.STALE, StaleReason.SWITCHED)
    await world.store.paths.select_version(world.ids[2])
    assert await world.state() == (SummaryState.VALID, None)


async def test_what_changed_while_it_was_out_of_sight_keeps_it_stale(world: World) -> None:
    await world.summaries.add(world.new())
    await world.store.messages.add_question_version(world.ids[2], "edited", with_answer=None)
    await world.store.paths.delete(world.ids[3], with_later=False)
    await world.store.paths.select_version(world.ids[2])
    assert await world.state() == (SummaryState.STALE, StaleReason.DELETED)


async def test_a_version_below_its_end_changes_nothing(world: World) -> None:
    await world.summaries.add(world.new())
    await world.store.messages.add_question_version(world.ids[4], "edited", with_answer=None)
    assert await world.state() == (SummaryState.VALID, None)


async def test_excluding_and_taking_back_a_message_in_the_range_makes_it_stale(world: World) -> None:
    await world.contexts.mark(world.ids[1], ContextMark.EXCLUDED)
    await world.summaries.add(world.new())
    await world.contexts.mark(world.ids[0], ContextMark.PINNED)
    assert await world.state() == (SummaryState.VALID, None)
    await world.contexts.mark(world.ids[1], ContextMark.NONE)
    assert await world.state() == (SummaryState.STALE, StaleReason.EXCLUDED)


async def test_going_on_with_an_answer_in_the_range_makes_it_stale(store: Store) -> None:
    world = World(store)
    world.thread = await store.thread()
    question, answer, _ = await store.messages.add_question(world.thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.answer(answer.id, "half", Status.STOPPED)
    world.ids = [question.id, answer.id, answer.id, answer.id]
    await world.summaries.add(world.new())
    await store.messages.resume(answer.id, PLAN)
    assert await world.state() == (SummaryState.STALE, StaleReason.EDITED)


async def test_a_summary_of_what_is_not_shown_is_refused(world: World) -> None:
    for changes in (
        {"to_message_id": new_id()},
        {"from_message_id": world.ids[5]},
    ):
        with pytest.raises(SummaryRangeGone):
            await world.summaries.add(world.new(**changes))
    await world.store.messages.add_question_version(world.ids[2], "edited", with_answer=None)
    with pytest.raises(SummaryRangeGone):
        await world.summaries.add(world.new())
    with pytest.raises(SummaryNotFound):
        await world.summaries.get(new_id())


async def test_messages_that_are_gone_for_good_are_told(world: World) -> None:
    made = await world.summaries.add(world.new())
    await world.store.paths.delete(world.ids[3], with_later=False)
    await world.store.trash.purge_expired(world.store.clock.now_ms() + 1)
    assert (await world.summaries.get(made.id)).is_range_gone
    assert await world.sent() is None


async def test_a_start_after_its_beginning_keeps_a_summary_back(world: World) -> None:
    await world.summaries.add(world.new())
    await world.contexts.start_at(world.thread, world.ids[2])
    assert await world.sent() is None
    await world.contexts.start_at(world.thread, world.ids[0])
    assert await world.sent() is not None


async def test_facts_that_are_damaged_read_as_none(world: World) -> None:
    made = await world.summaries.add(world.new())
    for stored in ("not json", "3", "[1]"):

        def damage(conn: Connection, stored: str = stored) -> None:
            conn.exec_driver_sql("UPDATE summaries SET pinned_facts = ?", (stored,))

        await world.store.db.write(damage)
        assert (await world.summaries.get(made.id)).pinned_facts == ()
