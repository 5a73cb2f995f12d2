"""Windows over long paths: they reach as far back as is needed, and what is before them is counted, not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import Figures, ModelCatalogue
from chatdesk.core.context.groups import fenced
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.context import Reason
from chatdesk.core.domain.message import ContextMark, PartType, Status
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.events import EventBus, MessageAdded, MessageChanged, PathChanged
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.bulk_data import load_many
from tests.helpers.registries import build_registry

COUNT = 1_400
PLAN = AnswerPlan("offline", "offline-demo")


@dataclass
class World:
    database: Database
    repositories: Repositories
    bus: EventBus
    context: ContextService
    thread: str

    async def ids(self, *positions: int) -> list[str]:
        rows = await self.repositories.contexts.between(self.thread, "x", first=0, last=10**6, limit=10**6)
        return [row.id for row in rows if row.position in positions]

    async def reasons(self) -> dict[Reason, int]:
        """Counted from the entries, all of them."""
        counts = dict.fromkeys(Reason, 0)
        position = 0
        while entries := (await self.context.entries(self.thread, position, 500)).entries:
            for entry in entries:
                counts[entry.reason] += 1
            position = entries[-1].position + 1
        return counts


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = ProfileDatabase(tmp_path / "chatdesk.db", clock=Clock(), backup_dir=tmp_path / "backups")
    await database.open()
    repositories, bus = Repositories.of(database), EventBus()
    providers = build_registry(openai_api_key=None, openai_base_url=None, model=None, offline_speed=None)
    catalogue = ModelCatalogue({})
    catalogue.add_listed(PLAN.provider, PLAN.model, Figures(20_000, 100))
    context = ContextService(
        repositories=repositories,
        providers=providers,
        bus=bus,
        data=ModelData(catalogue, TokenCounter(tmp_path)),
        clock=Clock(),
    )
    (thread,) = await load_many(database, threads=1, messages_per_thread=COUNT)
    await repositories.threads.set_model(thread, PLAN.provider, PLAN.model)
    yield World(database, repositories, bus, context, thread)
    await context.close()
    await providers.close()
    await database.close()


async def test_the_counts_of_a_long_thread_are_those_of_its_entries(world: World) -> None:
    first, start, excluded, pinned, end = await world.ids(0, 10, 20, 40, 100)
    await world.repositories.paths.delete((await world.ids(60))[0], with_later=False)
    report = await world.context.report(world.thread)
    assert report.counts == await world.reasons()
    assert report.counts[Reason.DID_NOT_FIT] > 500
    await world.context.steering.mark_message(excluded, ContextMark.EXCLUDED)
    await world.context.steering.mark_message(pinned, ContextMark.PINNED)
    await world.repositories.summaries.add(NewSummary(world.thread, first, end, "short", 2, SummaryAuthor.PERSON))
    report = await world.context.report(world.thread)
    assert report.counts == await world.reasons()
    assert report.counts[Reason.SUMMARISED] == 100 - 2
    assert (report.counts[Reason.EXCLUDED], report.pinned_count) == (1, 1)
    await world.context.steering.start_at(world.thread, start)
    report = await world.context.report(world.thread)
    assert report.counts == await world.reasons()
    assert (report.counts[Reason.SUMMARISED], report.counts[Reason.EXCLUDED]) == (0, 1 + 10)


async def test_a_pinned_call_of_a_tool_is_sent_with_its_result(world: World) -> None:
    (answer,) = await world.ids(101)

    def call(conn: Connection) -> None:
        conn.exec_driver_sql("DELETE FROM message_parts WHERE message_id = ?", (answer,))
        for index, (kind, content) in enumerate(
            (("tool_call", '{"arguments":"{}"}'), ("tool_result", '{"text":"42"}'), ("text", '{"text":"It is 42."}'))
        ):
            conn.exec_driver_sql(
                "INSERT INTO message_parts (id, message_id, part_index, type, content, tool_call_id, tool_name)"
                " VALUES (?, ?, ?, ?, ?, 'c1', 'look')",
                (new_id(), answer, index, kind, content),
            )

    await world.database.write(call)
    await world.context.steering.mark_message(answer, ContextMark.PINNED)
    _, pending, _ = await world.repositories.messages.add_question(world.thread, "and now?", with_answer=PLAN)
    assert pending is not None
    request = await world.context.request_for(pending)
    assert [(message.text, message.tool_call_id) for message in request.messages[:3]] == [
        ("", ""),
        (fenced("42"), "c1"),
        ("It is 42.", ""),
    ]
    assert request.messages[0].tool_calls[0].name == "look"


async def test_what_is_told_is_followed_and_what_is_not_told_is_found(world: World) -> None:
    messages = world.repositories.messages
    await world.context.totals(world.thread)
    question, answer, _ = await messages.add_question(world.thread, "told", with_answer=PLAN)
    assert answer is not None
    world.bus.publish(MessageAdded(question))
    world.bus.publish(MessageAdded(answer))
    assert (await world.context.request_for(answer)).messages[-1].text == "told"
    await messages.start_streaming(answer.id, 1)
    await messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "an answer " * 3_000)])
    finished, _ = await messages.finish(answer.id, TurnOutcome(Status.COMPLETE, 2))
    world.bus.publish(MessageChanged(finished))
    other, _, _ = await messages.add_question(world.thread, "not told", with_answer=PLAN)
    following, pending, _ = await messages.add_question(world.thread, "told again", with_answer=PLAN)
    assert pending is not None
    world.bus.publish(MessageAdded(following))
    texts = [message.text for message in (await world.context.request_for(pending)).messages]
    assert texts[-2:] == ["not told", "told again"]
    assert "an answer an answer" in texts[-3]
    world.bus.publish(PathChanged(world.thread, other.id))
    assert [message.text for message in (await world.context.request_for(pending)).messages] == texts


async def test_a_larger_model_reads_further_back(world: World) -> None:
    few = (await world.context.report(world.thread)).counts[Reason.SENT]
    world.context.models.catalogue.add_listed(PLAN.provider, PLAN.model, Figures(200_000, 100))
    report = await world.context.report(world.thread)
    assert few < report.counts[Reason.SENT] == COUNT
    assert report.counts == await world.reasons()


async def test_what_is_told_while_a_window_is_read_is_not_lost(world: World) -> None:
    messages = world.repositories.messages
    _, answer, _ = await messages.add_question(world.thread, "q", with_answer=PLAN)
    assert answer is not None
    await messages.start_streaming(answer.id, 1)
    await messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "the answer")])
    reading = asyncio.ensure_future(world.context.report(world.thread))
    await asyncio.sleep(0)
    finished, _ = await messages.finish(answer.id, TurnOutcome(Status.COMPLETE, 2))
    world.bus.publish(MessageChanged(finished))
    await reading
    _, pending, _ = await messages.add_question(world.thread, "next", with_answer=PLAN)
    assert pending is not None
    assert (await world.context.request_for(pending)).messages[-2].text == "the answer"


async def test_a_change_far_up_is_counted_anew(world: World) -> None:
    await world.context.totals(world.thread)
    before = (await world.context.totals(world.thread)).used
    (changed,) = await world.ids(COUNT - 50)

    def grow(conn: Connection) -> None:
        conn.exec_driver_sql(
            "UPDATE message_parts SET content = ? WHERE message_id = ?", ('{"text":"' + "x" * 400 + '"}', changed)
        )

    await world.database.write(grow)
    world.bus.publish(MessageChanged(await world.repositories.messages.get(changed)))
    report = await world.context.report(world.thread)
    assert report.counts == await world.reasons()
    assert abs(report.totals.used - before) < 200  # full before and after


async def test_only_the_threads_used_last_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    contexts = world.repositories.contexts
    tail = contexts.tail

    def tail_of(thread_id: str, *arguments: Any, **options: Any) -> Any:
        read.append(thread_id)
        return tail(thread_id, *arguments, **options)

    monkeypatch.setattr(contexts, "tail", tail_of)
    threads = await load_many(world.database, threads=12, messages_per_thread=4)
    for thread in threads:
        await world.repositories.threads.set_model(thread, PLAN.provider, PLAN.model)
        assert (await world.context.report(thread)).counts[Reason.SENT] == 4
    assert read == threads
    for thread in threads[-8:]:
        assert (await world.context.report(thread)).counts[Reason.SENT] == 4
    assert read == threads
    assert (await world.context.report(threads[-9])).counts[Reason.SENT] == 4
    assert read == [*threads, threads[-9]]
