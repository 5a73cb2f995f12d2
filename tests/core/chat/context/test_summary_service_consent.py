"""Summaries of a long thread are made when a person agrees, by the model for tasks, and end when they say so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.context.options import ContextOptions
from chatdesk.core.domain.model_info import ModelRef
from chatdesk.core.domain.summary import ConsentLimits, SummaryStage, SummaryWork
from chatdesk.core.domain.usage import UsageKind, UsageSum
from chatdesk.core.events import SummaryWorkChanged
from chatdesk.core.providers.registry import ProviderRegistry
from tests.core.chat.context.test_summary_service import World, summary_world
from tests.helpers.bulk_data import load_many
from tests.helpers.waiting import PATIENCE_S

LIMIT = ConsentLimits(cost_usd=0, tokens=5_000)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with summary_world(tmp_path) as made:
        made.chat.bus.subscribe(SummaryWorkChanged, lambda _event: made.news.set())
        made.context.use_options(ContextOptions(summary_consent=LIMIT))
        yield made


async def _imported(world: World, messages: int = 400) -> str:
    (thread,) = await load_many(world.chat.database, threads=1, messages_per_thread=messages)
    await world.chat.repositories.threads.set_model(thread, "scripted", "small")
    world.thread = thread
    return thread


def _works(world: World) -> list[SummaryWork]:
    return [event.work for event in world.chat.events if isinstance(event, SummaryWorkChanged)]


async def _until(world: World, stage: SummaryStage) -> SummaryWork:
    async with asyncio.timeout(PATIENCE_S):
        while not (_works(world) and _works(world)[-1].stage is stage):
            world.news.clear()
            await world.news.wait()
    return _works(world)[-1]


async def _ledger(world: World) -> UsageSum:
    rows = (await world.chat.repositories.usage.of_thread(world.thread)).rows
    return sum((row.total for row in rows if row.kind == UsageKind.SUMMARY), UsageSum())


@pytest.mark.parametrize("messages", [400, 20_000])
async def test_a_message_in_an_imported_thread_starts_no_chain_of_requests(world: World, messages: int) -> None:
    thread = await _imported(world, messages)
    sent = await world.chat.chat.send_message(thread, "And now?")
    await world.chat.answer_of(sent)
    asked = await _until(world, SummaryStage.ASKING)
    assert asked.planned_tokens > LIMIT.tokens
    assert asked.planned_requests > 5
    for _ in range(3):  # whoever goes on writing is not asked again and again
        await world.chat.answer_of(await world.chat.chat.send_message(thread, "And then?"))
    assert world.model.requests == []
    assert len(_works(world)) == 1
    assert world.context.summaries.work_on(thread) == asked


async def test_what_was_agreed_is_made_and_says_what_it_took(world: World) -> None:
    thread = await _imported(world)
    await world.context.totals(thread, "And now?")
    asked = await _until(world, SummaryStage.ASKING)
    world.model.rule = lambda _material: "They talked of many things, and nothing was decided."
    world.context.summaries.agree(thread)
    made = await _until(world, SummaryStage.MADE)
    ledger = await _ledger(world)
    assert (made.requests, made.tokens) == (ledger.requests, ledger.total_tokens)
    assert len(world.model.requests) == made.requests
    assert made.cost_usd is None  # nobody knows the price of that model
    assert 0.7 < made.requests / asked.planned_requests < 1.5
    assert 0.2 < made.tokens / asked.planned_tokens < 1.1
    assert world.context.summaries.work_on(thread) is None


async def test_stopping_keeps_what_was_made_and_makes_no_more(world: World) -> None:
    thread = await _imported(world)
    await world.context.totals(thread, "And now?")
    await _until(world, SummaryStage.ASKING)
    world.context.summaries.agree(thread)
    await world.made(2)
    world.context.summaries.stop(thread)
    assert _works(world)[-1].stage is SummaryStage.STOPPED
    kept = (await world.context.summaries.list(thread))[0]
    asked = len(world.model.requests)
    await world.chat.answer_of(await world.chat.chat.send_message(thread, "And then?"))
    assert len(world.model.requests) <= asked + 1  # the one that was under way
    assert (await world.context.summaries.list(thread))[0].to_position <= kept.to_position + 40
    await world.context.redo_summary(thread)  # who asks is asked what it may cost
    assert (await _until(world, SummaryStage.ASKING)).planned_tokens > LIMIT.tokens


async def test_a_request_that_is_stopped_is_given_up_at_once_and_entered(world: World) -> None:
    thread = await _imported(world)
    world.model.blocks = True
    await world.context.totals(thread, "And now?")
    await _until(world, SummaryStage.ASKING)
    world.context.summaries.agree(thread)
    async with asyncio.timeout(PATIENCE_S):
        while not world.model.requests:
            await asyncio.sleep(0)
    world.context.summaries.stop(thread)
    async with asyncio.timeout(PATIENCE_S):
        while not (await _ledger(world)).requests:
            await asyncio.sleep(0)
    assert (await _ledger(world)).estimated_requests == 1
    assert await world.context.summaries.list(thread) == ()
    world.model.blocks = False
    world.context.use_options(ContextOptions(summary_consent=ConsentLimits(0, 0)))
    await world.context.redo_summary(thread)  # the worker goes on
    await world.made()


async def test_who_says_no_is_left_alone(world: World) -> None:
    thread = await _imported(world)
    await world.context.totals(thread, "And now?")
    await _until(world, SummaryStage.ASKING)
    world.context.summaries.stop(thread)
    await world.chat.answer_of(await world.chat.chat.send_message(thread, "And then?"))
    assert _works(world)[-1].stage is SummaryStage.STOPPED
    assert world.model.requests == []


async def test_the_model_for_tasks_makes_summaries_with_its_own_window(world: World) -> None:
    options = ContextOptions(task_model=ModelRef("scripted", "gpt-4.1-mini"), summary_consent=ConsentLimits(0, 0))
    world.context.use_options(options)
    thread = await _imported(world)
    await world.context.totals(thread, "And now?")
    summary = await world.made()
    await world.settled()
    assert {request.model for request in world.model.requests} == {"gpt-4.1-mini"}
    assert (summary.provider, summary.model) == ("scripted", "gpt-4.1-mini")
    # Its window is large enough for all at once; what stays as it was said is still what the thread's model can read.
    assert len(world.model.requests) == 1
    assert 390 > summary.to_position > 360
    assert _works(world)[-1].cost_usd


async def test_a_model_for_tasks_that_cannot_be_asked_is_none(world: World) -> None:
    world.context.use_options(ContextOptions(task_model=ModelRef("gone", "small")))
    assert world.context.models.for_tasks("scripted", "small") == ("scripted", "small")
    world.context.use_options(ContextOptions(task_model=ModelRef("scripted", "cheap")))
    assert world.context.models.for_tasks("scripted", "small") == ("scripted", "cheap")
    assert world.context.models.for_tasks("offline", "offline-demo") == ("offline", "offline-demo")


async def test_idle_threads_of_every_model_are_looked_at_however_many(world: World) -> None:
    """The window that counts is that of each thread's own model, and no thread is the hundred and first."""
    threads = await load_many(world.chat.database, threads=120, messages_per_thread=80)
    small, large = threads[:110], threads[110:]

    def arrange(conn) -> None:  # type: ignore[no-untyped-def]
        conn.exec_driver_sql("UPDATE threads SET provider = 'scripted', model = 'small', last_activity_at = 1")
        for thread in large:
            conn.exec_driver_sql("UPDATE threads SET model = 'gpt-4.1' WHERE id = ?", (thread,))

    await world.chat.database.write(arrange)
    asked: list[str] = []

    async def make(thread_id: str, *_more: object, **_options: object) -> None:
        asked.append(thread_id)

    world.context.summaries.make = make  # type: ignore[method-assign]
    world.context.use_options(replace(ContextOptions(), summary_share=0.3))
    world.context.use_providers(ProviderRegistry([world.chat.provider], "scripted", "gpt-4.1"))
    await world.context.summarise_idle()
    assert sorted(asked) == sorted(small)
