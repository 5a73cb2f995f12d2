"""A model gives a thread its title in the background; what a person typed stays, whatever the model does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chatdesk.core.chat.title_service import TitleService, read_title_prompt
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Role, Status
from chatdesk.core.domain.thread import TitleSource
from chatdesk.core.domain.usage import Usage, UsageEvent, UsageKind, UsageReport
from chatdesk.core.errors import StorageFull
from chatdesk.core.events import AnswerFinished, ThreadChanged, UsageRecorded
from chatdesk.core.paths import resources_dir
from chatdesk.core.providers.base import FinishReason, ReasoningDelta, StreamFinished, TextDelta, UsageReported
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.usage.limits import BackgroundBudget
from tests.helpers.chat_world import ChatWorld, Step, chat_world
from tests.helpers.waiting import PATIENCE_S, running_tasks, until

STOP = StreamFinished(FinishReason.STOP)
ANSWER = (TextDelta("Use sorted()."), STOP)
GOOD = (TextDelta('"Sorting a list '), TextDelta('in Python."'), UsageReported(Usage(90, 7)), STOP)


@dataclass
class World:
    chat: ChatWorld
    titles: TitleService
    budget: BackgroundBudget

    async def ask(self, text: str = "How do I sort a list?", title: str = "") -> str:
        """A new thread with a finished answer; its id."""
        created = await self.chat.chat.create_thread(None, title, text)
        await self.chat.answer_of(created)
        return created.thread.id

    async def asked(self, count: int = 2) -> None:
        """Once so many requests were made."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.chat.provider.requests) < count:
                await asyncio.sleep(0)

    async def settled(self) -> None:
        """Once every title that was begun has ended."""
        await until(lambda: not running_tasks("title of"))

    async def title(self, thread: str) -> tuple[str, TitleSource]:
        return (await self.chat.chat.get_thread(thread)).title, await self.chat.repositories.threads.title_source(
            thread
        )

    async def usage(self, thread: str) -> UsageReport:
        return await self.chat.repositories.usage.of_thread(thread)

    async def statuses(self) -> list[tuple[str, float | None]]:
        def work(conn):  # type: ignore[no-untyped-def]
            sql = "SELECT status, is_estimated FROM usage_events WHERE kind = 'title' ORDER BY id"
            return [tuple(row) for row in conn.exec_driver_sql(sql)]

        return await self.chat.database.read(work)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with chat_world(tmp_path) as chat:
        clock = Clock()
        budget = BackgroundBudget(chat.repositories.usage, clock)
        titles = TitleService(
            chat.repositories,
            context=chat.chat.context,
            providers=ProviderRegistry([chat.provider], "scripted", "small"),
            bus=chat.bus,
            clock=clock,
            budget=budget,
            read_prompt=lambda: read_title_prompt(resources_dir()),
        )
        titles.follow()
        titles.follow()
        yield World(chat, titles, budget)
        await titles.close()


async def test_after_the_first_answer_the_model_gives_a_title(world: World) -> None:
    world.chat.provider.will(*ANSWER)
    world.chat.provider.will(*GOOD)
    thread = await world.ask()
    assert await world.title(thread) == ("How do I sort a list?", TitleSource.TEXT)
    await world.settled()
    assert await world.title(thread) == ("Sorting a list in Python", TitleSource.MODEL)
    changed = [event for event in world.chat.events if isinstance(event, ThreadChanged)][-1]
    assert changed.thread.title == "Sorting a list in Python"
    assert UsageRecorded(thread) in world.chat.events
    request = world.chat.provider.requests[-1]
    assert request.max_output_tokens == 24 + 512  # it may think: nobody knows
    assert request.reasoning_effort is None
    assert "How do I sort a list?" in request.messages[-1].text
    assert "Use sorted()." in request.messages[-1].text
    (row,) = [row for row in (await world.usage(thread)).rows if row.kind == UsageKind.TITLE]
    assert (row.total.requests, row.total.input_tokens, row.total.output_tokens) == (1, 90, 7)
    assert (row.total.estimated_requests, row.total.unpriced_requests) == (0, 1)


async def test_it_is_asked_for_once(world: World) -> None:
    thread = await world.ask()
    await world.settled()
    sent = await world.chat.chat.send_message(thread, "And in Rust?")
    await world.chat.answer_of(sent)
    await world.settled()
    assert len(world.chat.provider.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        (STOP,),
        (TextDelta(" \n*** \n"), STOP),
        (TextDelta("Sure!\nHere is one:\nSorting"), STOP),
        (TextDelta("word " * 5_000), STOP),
        (TextDelta("A title that was cut"), StreamFinished(FinishReason.LENGTH)),
        (TextDelta("A title without an end"),),
        (ReasoningDelta("hm"), StorageFull()),
        (TextDelta("half"), StorageFull()),
    ],
)
async def test_a_title_that_is_none_leaves_the_one_from_the_text(world: World, answer: Sequence[Step]) -> None:
    world.chat.provider.will(*ANSWER)
    world.chat.provider.will(*answer)
    thread = await world.ask()
    await world.settled()
    assert await world.title(thread) == ("How do I sort a list?", TitleSource.TEXT)
    assert len(await world.statuses()) == 1
    assert world.chat.provider.open_streams == 0


async def test_a_title_that_a_person_typed_is_never_bettered(world: World) -> None:
    typed = await world.ask(title="Mine")
    await world.settled()
    assert (await world.title(typed), len(world.chat.provider.requests)) == (("Mine", TitleSource.PERSON), 1)


async def test_a_title_that_is_typed_while_the_model_thinks_stays(world: World) -> None:
    go = asyncio.Event()
    world.chat.provider.will(*ANSWER)
    world.chat.provider.will(go, *GOOD)
    thread = await world.ask()
    await world.asked()
    await world.chat.chat.rename_thread(thread, "Mine")
    go.set()
    await world.settled()
    assert await world.title(thread) == ("Mine", TitleSource.PERSON)
    assert await world.statuses() == [("complete", 0)]


async def test_of_a_thread_that_is_deleted_meanwhile_only_the_cost_stays(world: World) -> None:
    go = asyncio.Event()
    world.chat.provider.will(*ANSWER)
    world.chat.provider.will(go, *GOOD)
    thread = await world.ask()
    await world.asked()
    await world.chat.library.delete([thread])
    go.set()
    await world.settled()
    assert (await world.title(thread))[1] is TitleSource.TEXT
    assert await world.statuses() == [("complete", 0)]


async def test_compared_models_give_one_title(world: World) -> None:
    thread = (await world.chat.chat.create_thread(None, "")).thread.id
    compared = await world.chat.chat.compare(thread, "Which is better?", [("scripted", "small"), ("scripted", "other")])
    assert compared.thread.title == "Which is better?"
    for answer in compared.answers:
        await world.chat.finished(answer.id)
    await world.settled()
    assert len(await world.statuses()) == 1


async def test_the_offline_model_is_not_asked_nor_for_a_stopped_or_empty_answer(world: World) -> None:
    thread = (await world.chat.chat.create_thread(None, "")).thread.id
    message = (await world.chat.repositories.messages.add_question(thread, "x", with_answer=None))[0]
    answer = replace(message, role=Role.ASSISTANT, provider="scripted")
    for other in (
        replace(answer, provider="offline"),
        replace(answer, status=Status.STOPPED),
        replace(answer, parts=()),
    ):
        world.chat.bus.publish(AnswerFinished(other))
    await world.settled()
    assert world.chat.provider.requests == []


async def test_switched_off_none_is_made(world: World) -> None:
    world.titles.use(ProviderRegistry([world.chat.provider], "scripted", "small"), is_on=False)
    thread = await world.ask()
    await world.settled()
    assert len(world.chat.provider.requests) == 1
    world.titles.use(ProviderRegistry([world.chat.provider], "scripted", "small"), is_on=True)
    world.chat.provider.will(*ANSWER)
    world.chat.provider.will(*GOOD)
    await world.chat.answer_of(await world.chat.chat.send_message(thread, "again"))
    await world.settled()
    assert (await world.title(thread))[1] is TitleSource.MODEL


async def test_a_long_thread_keeps_the_name_that_its_reader_knows(world: World) -> None:
    world.titles.use(ProviderRegistry([world.chat.provider], "scripted", "small"), is_on=False)
    thread = await world.ask()
    for number in range(4):
        await world.chat.answer_of(await world.chat.chat.send_message(thread, f"more {number}"))
    world.titles.use(ProviderRegistry([world.chat.provider], "scripted", "small"), is_on=True)
    await world.chat.answer_of(await world.chat.chat.send_message(thread, "last"))
    await world.settled()
    assert await world.statuses() == []


async def test_the_limit_of_the_day_holds_titles_back(world: World) -> None:
    world.budget.set_limit(50)
    thread = await world.ask()
    await world.settled()
    assert len(world.chat.provider.requests) == 1
    world.budget.set_limit(0)
    await world.chat.answer_of(await world.chat.chat.send_message(thread, "again"))
    await world.settled()
    assert len(await world.statuses()) == 1


async def test_it_ends_at_once_and_what_was_asked_is_in_the_ledger(world: World) -> None:
    world.chat.provider.will(*ANSWER)
    world.chat.provider.will(TextDelta("half"), asyncio.Event())
    thread = await world.ask()
    async with asyncio.timeout(PATIENCE_S):
        while len(world.chat.provider.requests) < 2:
            await asyncio.sleep(0)
    clock = Clock()
    began = clock.monotonic_s()
    await world.titles.close()
    assert clock.monotonic_s() - began < 30
    assert await world.statuses() == [("interrupted", 1)]
    assert (await world.title(thread))[1] is TitleSource.TEXT
    assert world.chat.provider.open_streams == 0


async def test_a_ledger_that_cannot_be_written_stops_no_title(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def add(_event: UsageEvent) -> None:
        raise StorageFull

    monkeypatch.setattr(world.chat.repositories.usage, "add", add)
    world.chat.provider.will(*ANSWER)
    world.chat.provider.will(*GOOD)
    thread = await world.ask()
    await world.settled()
    assert (await world.title(thread))[1] is TitleSource.MODEL
