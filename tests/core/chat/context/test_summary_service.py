"""Summaries are made in the background by a thread of its own, and nothing ever waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.context.summary_service import SummaryMaking
from chatdesk.core.clock import Clock
from chatdesk.core.context import summary_worker
from chatdesk.core.context.catalogue import Figures, ModelCatalogue
from chatdesk.core.context.held_back import HELD_BACK
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.options import ContextOptions
from chatdesk.core.context.summary_prompt import is_refusal
from chatdesk.core.context.summary_setup import summariser_opener
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.context import Reason
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.summary import Summary, SummaryAuthor, SummaryState
from chatdesk.core.domain.tools import NAME_JOINT, PROJECT_FILES_SERVER
from chatdesk.core.domain.usage import Usage, UsageKind
from chatdesk.core.errors import InvalidInput, NotPossible, SummaryRangeGone
from chatdesk.core.events import ContextChanged, EventBus, SummaryFailed
from chatdesk.core.ids import new_id
from chatdesk.core.paths import resources_dir
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    ListedModel,
    StreamEvent,
    StreamFinished,
    TextDelta,
    UsageReported,
)
from chatdesk.core.providers.offline.provider import OfflineProvider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.usage.limits import BackgroundBudget, day_of
from tests.helpers.bulk_data import load_many
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.waiting import PATIENCE_S, running_tasks, until

WINDOW = 2_000


class Summariser(OfflineProvider):
    """Answers summaries by the offline model's rule, or as a test says; remembers what it was asked."""

    name = "scripted"

    def __init__(self) -> None:
        super().__init__(speed_tokens_per_s=None)
        self.requests: list[ChatRequest] = []
        self.answers: list[Sequence[StreamEvent | Exception]] = []
        self.rule: Callable[[str], str] | None = None
        self.blocks = self.blocks_later = False
        self.is_blocked = asyncio.Event()

    async def list_models(self) -> tuple[ListedModel, ...]:
        return (ListedModel("small", "Small", WINDOW),)

    async def stream(self, request: ChatRequest):  # type: ignore[no-untyped-def]
        self.requests.append(request)
        if self.blocks:
            await asyncio.get_running_loop().create_future()
        if self.answers:
            for event in self.answers.pop(0):
                if isinstance(event, Exception):
                    raise event
                yield event
            return
        if self.rule is not None:
            yield TextDelta(self.rule(request.messages[-1].text))
            yield StreamFinished(FinishReason.STOP)
            return
        if self.blocks_later:
            await asyncio.get_running_loop().create_future()
        async for event in super().stream(ChatRequest("offline-demo", request.messages, is_summary=True)):
            yield event


@dataclass
class World:
    chat: ChatWorld
    context: ContextService
    model: Summariser
    thread: str
    budget: BackgroundBudget
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, count: int = 1) -> None:
        """So many questions with answers, of about 60 tokens each."""
        for number in range(count):
            text = f"Question {number}: Alice decided on option {number} in March. " + "More words follow here. " * 6
            sent = await self.chat.chat.send_message(self.thread, text)
            await self.chat.answer_of(sent)

    async def made(self, least: int = 1) -> Summary:
        """The newest summary, once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.news.clear()
                found = await self.context.summaries.list(self.thread)
                if len(found) >= least:
                    return found[0]
                await self.news.wait()

    async def settled(self) -> Summary:
        """The newest summary, once no other is being made."""
        async with asyncio.timeout(PATIENCE_S):
            while self.context.summaries.pending:
                self.news.clear()
                await self.news.wait()
        return (await self.context.summaries.list(self.thread))[0]

    async def failed(self) -> SummaryFailed:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.news.clear()
                for event in self.chat.events:
                    if isinstance(event, SummaryFailed):
                        return event
                await self.news.wait()


@asynccontextmanager
async def summary_world(
    directory: Path, *, can_summarise: bool = True, tokens_per_day: int = 0
) -> AsyncIterator[World]:
    model, counter, clock = Summariser(), TokenCounter(directory), Clock()
    catalogue = ModelCatalogue.of_files(resources_dir() / "models.json")
    catalogue.add_listed("scripted", "small", Figures(WINDOW))
    opener = summariser_opener(
        directory / "chatdesk.db",
        backup_dir=directory / "backups",
        build_providers=lambda: ProviderRegistry([model], "scripted", "small"),
        data=ModelData(catalogue, counter),
        clock=clock,
        resources=resources_dir(),
    )
    budgets = []

    def make_context(repositories: Repositories, providers: ProviderRegistry, bus: EventBus) -> ContextService:
        budgets.append(BackgroundBudget(repositories.usage, clock, tokens_per_day=tokens_per_day))
        return ContextService(
            repositories=repositories,
            providers=providers,
            bus=bus,
            data=ModelData(catalogue, counter),
            clock=clock,
            making=SummaryMaking(opener if can_summarise else None, budgets[0]),
        )

    async with chat_world(directory, make_context=make_context) as chat:
        thread = (await chat.chat.create_thread(None, "Long")).thread.id
        made = World(chat, chat.chat.context, model, thread, budgets[0])
        for kind in (ContextChanged, SummaryFailed):
            chat.bus.subscribe(kind, lambda _event: made.news.set())
        yield made


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with summary_world(tmp_path) as made:
        yield made


async def _long_thread(world: World) -> str:
    (thread,) = await load_many(world.chat.database, threads=1, messages_per_thread=400)
    await world.chat.repositories.threads.set_model(thread, "scripted", "small")
    return thread


async def test_a_filling_window_is_summarised_and_the_summary_sent(world: World) -> None:
    await world.ask(14)
    summary = await world.made()
    assert (summary.state, summary.author, summary.prompt_version) == (SummaryState.VALID, SummaryAuthor.MODEL, "1")
    assert summary.from_position == 0
    assert "Alice decided on option" in summary.text
    assert summary.input_tokens > 0
    await world.ask()
    sent = world.chat.provider.requests[-1].messages
    assert sent[0].role is Role.SYSTEM
    assert summary.text in sent[0].text or len(await world.context.summaries.list(world.thread)) > 1
    report = await world.context.report(world.thread)
    assert report.counts[Reason.SUMMARISED] > 0
    assert report.counts[Reason.DID_NOT_FIT] == 0
    assert report.message_count == 30  # nothing was deleted or hidden


async def test_what_tools_read_in_files_is_in_no_request_for_a_summary(world: World) -> None:
    """A summary may be made by a provider that never gets the files, and is sent to others later."""
    await world.ask(4)
    page = await world.chat.repositories.messages.page(world.thread, limit=8)
    answer = next(each.id for each in page.messages if each.role is Role.ASSISTANT)
    name = f"{PROJECT_FILES_SERVER}{NAME_JOINT}search_project_files"

    def read_files(conn: Connection) -> None:
        parts = (("tool_call", '{"arguments":"{}"}'), ("tool_result", '{"text":"The vault opens at nine."}'))
        for index, (kind, content) in enumerate((*parts, ("text", '{"text":"I looked it up."}'))):
            conn.exec_driver_sql(
                "INSERT INTO message_parts (id, message_id, part_index, type, content, tool_call_id, tool_name)"
                " VALUES (?, ?, ?, ?, ?, 'c1', ?)",
                (new_id(), answer, 100 + index, kind, content, name),
            )

    await world.chat.database.write(read_files)
    await world.ask(12)
    await world.made()
    asked = "\n".join(each.text for request in world.model.requests for each in request.messages)
    assert "I looked it up." in asked and HELD_BACK in asked
    assert "vault" not in asked


async def test_a_thought_in_the_text_is_no_part_of_a_summary(world: World) -> None:
    world.model.rule = lambda _asked: "<think>What did they say?</think>\n\nThey spoke of tides."
    await world.ask(14)
    assert (await world.made()).text == "They spoke of tides."


async def test_what_was_summarised_before_is_folded_in(world: World) -> None:
    await world.ask(14)
    first = await world.made()
    await world.ask(14)
    second = await world.made(2)
    assert second.from_message_id == first.from_message_id
    assert second.to_position > first.to_position
    asked = world.model.requests[-1]
    assert asked.messages[-1].text.startswith("Earlier summary:\n- ")
    assert asked.is_summary


FACTS = {
    0: "Maria Lindqvist is the harbour master.",
    60: "Decided: the quay is closed on 14 May.",
    140: "There are 37 cranes and 4,210 containers.",
    220: "Open: who pays for the new pump?",
}


def _text_with_facts(position: int) -> str:
    return FACTS.get(position, "Nothing else is of interest here, it is only talk. " * 5)


def _kept_facts(material: str) -> str:
    """What a model does that obeys the prompt: names, decisions, numbers and open questions of both stay."""
    return "\n".join(fact for fact in FACTS.values() if fact in material) or "Nothing was said."


@pytest.mark.parametrize("rule", [_kept_facts, None], ids=["scripted", "offline"])
async def test_summaries_of_summaries_keep_what_was_said_first(world: World, rule: Callable[[str], str] | None) -> None:
    world.model.rule = rule
    (thread,) = await load_many(world.chat.database, threads=1, messages_per_thread=400, text_of=_text_with_facts)
    await world.chat.repositories.threads.set_model(thread, "scripted", "small")
    world.thread = thread
    await world.context.totals(thread, "And now?")
    await world.made()
    summary = await world.settled()
    assert summary.version > 4
    assert [fact for fact in FACTS.values() if fact not in summary.text] == []
    sent = await world.chat.chat.send_message(thread, "Who is Maria?")
    await world.chat.answer_of(sent)
    request = world.chat.provider.requests[-1]
    assert summary.text in request.messages[0].text
    assert not any("harbour master" in message.text for message in request.messages[1:])


async def test_a_thread_many_windows_long_is_covered_piece_by_piece(world: World) -> None:
    thread = await _long_thread(world)
    world.thread = thread
    await world.context.redo_summary(thread)
    async with asyncio.timeout(PATIENCE_S):
        while (await world.context.report(thread)).counts[Reason.DID_NOT_FIT]:
            world.news.clear()
            await world.news.wait()
    versions = await world.context.summaries.list(thread)
    assert len(versions) > 3
    assert [each.to_position for each in versions] == sorted((each.to_position for each in versions), reverse=True)
    for request in world.model.requests:
        assert sum(len(message.text) for message in request.messages) / 4 < WINDOW


@pytest.mark.parametrize(
    "answer",
    [
        [StreamFinished(FinishReason.STOP)],
        [TextDelta(" \n…"), StreamFinished(FinishReason.STOP)],
        [TextDelta("word " * 20_000), UsageReported(Usage(5, 6)), StreamFinished(FinishReason.STOP)],
        [TextDelta("a good start"), StreamFinished(FinishReason.LENGTH)],
        [TextDelta("so it goes " * 40), StreamFinished(FinishReason.STOP)],
        [TextDelta("{|}~^ a " * 9), StreamFinished(FinishReason.STOP)],
        [TextDelta("I’m sorry, but I can’t help with that request."), StreamFinished(FinishReason.STOP)],
        [RuntimeError("unexpected")],
        [NotPossible("No network.")],
    ],
)
async def test_a_failing_summariser_blocks_nothing_and_says_so_once(
    world: World, answer: Sequence[StreamEvent | Exception]
) -> None:
    world.model.answers = [answer] * 3
    await world.ask(14)
    failure = await world.failed()
    assert failure.thread_id == world.thread
    assert failure.sentence
    await world.ask(2)
    assert world.chat.provider.requests[-1].messages[-1].text.startswith("Question 1")
    assert await world.context.summaries.list(world.thread) == ()
    assert len(world.model.requests) == 1  # later, and not with every message
    assert sum(isinstance(event, SummaryFailed) for event in world.chat.events) == 1


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("**I cannot** assist with summarising this conversation.", True),
        ("As an AI language model, I am not able to do this.", True),
        ("Please provide the messages that I am to summarise.", True),
        ("Es tut mir leid, dabei kann ich nicht helfen.", True),
        ("很抱歉，我无法完成这个请求。", True),
        ("The person apologised: “Sorry, I can't come.” Maria moved the meeting to Friday.", False),
        ("Sorry about the length. " + "Maria is the harbour master and keeps the keys. " * 12, False),
        ("Maria is the harbour master. Nobody can’t be reached.", False),
    ],
)
def test_a_refusal_in_good_prose_is_rejected_as_a_summary(text: str, is_one: bool) -> None:
    assert is_refusal(text) is is_one


async def test_one_that_failed_is_tried_again_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_worker, "_PAUSES_MS", (30,))
    world.model.answers = [[NotPossible("No network.")]] * 2
    await world.ask(14)
    made = await world.made()
    assert made.message_count > 2
    assert len(world.model.requests) >= 3
    assert sum(isinstance(event, SummaryFailed) for event in world.chat.events) == 1


async def test_one_that_was_asked_for_and_failed_is_tried_again_as_it_was_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_worker, "_PAUSES_MS", (30,))
    await world.ask(14)
    before = await world.settled()
    world.model.answers = [[NotPossible("No network.")]]
    await world.context.redo_summary(world.thread)
    after = await world.made(before.version + 1)
    assert after.from_position == 0


async def test_a_long_thread_is_summarised_once_somebody_writes_in_it_and_not_when_it_is_only_read(
    world: World,
) -> None:
    thread = await _long_thread(world)
    await world.context.totals(thread)
    await world.context.report(thread)
    assert not world.context.summaries.pending
    await world.context.totals(thread, "And now?")
    async with asyncio.timeout(PATIENCE_S):
        while not await world.context.summaries.list(thread):
            world.news.clear()
            await world.news.wait()


async def test_what_a_quit_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    async with summary_world(tmp_path) as world:
        thread = await _long_thread(world)
        world.model.answers = [[TextDelta("Alice decided on option 1."), StreamFinished(FinishReason.STOP)]]
        world.model.blocks_later = True
        await world.context.totals(thread, "And now?")
        async with asyncio.timeout(PATIENCE_S):
            while not (kept := await world.context.summaries.list(thread)):
                await asyncio.to_thread(lambda: None)
        await world.context.close()
    async with summary_world(tmp_path) as world:
        await world.context.totals(thread, "And now?")
        async with asyncio.timeout(PATIENCE_S):
            while (newest := (await world.context.summaries.list(thread))[0]).id == kept[0].id:
                await asyncio.to_thread(lambda: None)
        assert newest.from_position == 0 and newest.to_position > kept[0].to_position
        assert kept[0].text in world.model.requests[0].messages[1].text


async def test_it_ends_within_a_second_whatever_the_model_is_doing(tmp_path: Path) -> None:
    async with summary_world(tmp_path) as world:
        world.model.blocks = True
        await world.ask(14)
        async with asyncio.timeout(PATIENCE_S):
            while not world.model.requests:
                await asyncio.to_thread(lambda: None)
        clock = Clock()
        began = clock.monotonic_s()
        await world.context.close()
        assert clock.monotonic_s() - began < 1.5
        await world.context.redo_summary(world.thread)  # nobody listens any more


async def test_switched_off_for_a_thread_a_project_or_everywhere_none_is_made(world: World) -> None:
    await world.context.summaries.switch_thread(world.thread, is_on=False)
    await world.ask(14)
    await world.context.summaries.switch_thread(world.thread, is_on=True)
    project = (await world.chat.chat.projects.default()).id
    await world.context.summaries.switch_project(project, is_on=False)
    await world.ask()
    await world.context.summaries.switch_project(project, is_on=True)
    world.context.use_options(ContextOptions(has_summaries=False))
    await world.ask()
    assert world.model.requests == []


async def test_a_reader_edits_pins_facts_and_has_it_made_anew(world: World) -> None:
    await world.ask(14)
    await world.made()
    made = await world.settled()
    edited = await world.context.summaries.edit(made.id, " Better. ", pinned_facts=("the  port is 8080", " "))
    assert (edited.text, edited.author, edited.version) == ("Better.", SummaryAuthor.PERSON, made.version + 1)
    assert edited.pinned_facts == ("the port is 8080",)
    again = await world.context.summaries.edit(edited.id, "Even better.")
    assert again.pinned_facts == ("the port is 8080",)
    await world.context.redo_summary(world.thread)
    await world.made(again.version + 1)
    anew = await world.settled()
    assert (anew.author, anew.pinned_facts) == (SummaryAuthor.MODEL, ("the port is 8080",))
    assert (anew.from_position, anew.to_position >= made.to_position) == (0, True)
    await world.ask()
    assert "- the port is 8080" in world.chat.provider.requests[-1].messages[0].text
    assert (await world.context.summaries.switch(anew.id, is_on=False)).state is SummaryState.OFF
    for text, facts in (("", ()), ("x", ("y" * 501,)), ("x", ("y",) * 51)):
        with pytest.raises(InvalidInput):
            await world.context.summaries.edit(made.id, text, pinned_facts=facts)
    await world.chat.chat.edit_message((await world.context.entries(world.thread, 0, 1)).entries[0].message_id, "new")
    with pytest.raises(SummaryRangeGone):
        await world.context.summaries.edit(made.id, "x")


async def test_one_that_is_not_to_be_sent_gets_no_successor_unasked(world: World) -> None:
    await world.ask(14)
    await world.made()
    made = await world.settled()
    await world.context.summaries.switch(made.id, is_on=False)
    asked = len(world.model.requests)
    await world.ask(14)
    await world.context.totals(world.thread, "And now?")
    await until(lambda: not (world.context.summaries.pending or running_tasks("see whether")))
    assert len(world.model.requests) == asked
    assert await world.context.summaries.list(world.thread) != ()
    assert (await world.context.report(world.thread)).summary_id is None
    await world.context.redo_summary(world.thread)
    anew = await world.made(made.version + 1)
    assert (await world.settled()).state is SummaryState.VALID
    assert anew.version > made.version


async def test_idle_threads_are_found_at_the_times_of_the_schedule(world: World) -> None:
    clock = Clock()
    thread = await _long_thread(world)

    def long_ago(conn) -> None:  # type: ignore[no-untyped-def]
        conn.exec_driver_sql("UPDATE threads SET last_activity_at = ?", (clock.now_ms() - 3_600_000,))

    await world.chat.database.write(long_ago)
    assert await world.context.summaries.long_threads(lambda _provider, _model: 1_500) == (thread,)
    assert await world.context.summaries.long_threads(lambda _provider, _model: 1_500_000) == ()
    world.context.use_options(ContextOptions(summary_cron="0 3 * * *"))
    world.context.use_options(ContextOptions(summary_cron="0 4 * * *"))
    assert not world.context.summaries.schedule("every now and then", world.context.summarise_idle)
    await world.context.summarise_idle()
    world.thread = thread
    assert (await world.made()).from_position == 0


async def test_where_nothing_is_written_none_is_made(tmp_path: Path) -> None:
    async with summary_world(tmp_path, can_summarise=False) as world:
        await world.ask(14)
        with pytest.raises(NotPossible):
            await world.context.redo_summary(world.thread)
        assert world.context.summaries.schedule("0 3 * * *", world.context.summarise_idle)


async def test_what_a_summary_took_is_in_the_ledger_with_times_and_price(world: World) -> None:
    await world.ask(14)
    await world.made()
    await world.settled()

    def work(conn) -> list[tuple[object, ...]]:  # type: ignore[no-untyped-def]
        sql = "SELECT status, latency_ms >= 0, time_to_first_token_ms >= 0, cost_usd, is_estimated FROM usage_events"
        return [tuple(row) for row in conn.exec_driver_sql(f"{sql} WHERE kind = 'summary'")]

    assert set(await world.chat.database.read(work)) == {("complete", 1, 1, None, 0)}
    report = await world.chat.repositories.usage.of_thread(world.thread)
    assert {row.kind for row in report.rows} == {UsageKind.ANSWER, UsageKind.SUMMARY}


async def test_what_was_written_before_a_failure_is_in_the_ledger(world: World) -> None:
    world.model.answers = [[TextDelta("half a summary"), NotPossible("Broken off.")]]
    await world.ask(14)
    await world.failed()
    rows = (await world.chat.repositories.usage.of_thread(world.thread)).rows
    (row,) = [row for row in rows if row.kind == UsageKind.SUMMARY]
    assert (row.total.requests, row.total.estimated_requests) == (1, 1)
    assert row.total.input_tokens > 0


async def test_the_limit_of_the_day_is_said_once_and_a_new_limit_goes_on(tmp_path: Path) -> None:
    async with summary_world(tmp_path, tokens_per_day=500) as world:
        await world.ask(14)
        failure = await world.failed()
        assert "limit of 500 tokens" in failure.sentence
        assert "tomorrow" in failure.sentence
        assert world.context.summaries.waits_for_tomorrow
        await world.ask(2)
        other = await _long_thread(world)
        await world.context.summaries.make(other, "scripted", "small")
        assert world.model.requests == []
        assert sum(isinstance(event, SummaryFailed) for event in world.chat.events) == 1
        await world.context.redo_summary(world.thread)  # who asks is answered
        async with asyncio.timeout(PATIENCE_S):
            while sum(isinstance(event, SummaryFailed) for event in world.chat.events) < 2:
                world.news.clear()
                await world.news.wait()
        world.budget.set_limit(0)
        world.context.summaries.wake()
        assert not world.context.summaries.waits_for_tomorrow
        await world.made()


async def test_who_switched_summaries_off_is_known(world: World) -> None:
    project = (await world.chat.chat.projects.default()).id
    assert (await world.context.summaries.switches(world.thread)).is_on
    await world.context.summaries.switch_thread(world.thread, is_on=False)
    assert not (await world.context.summaries.switches(world.thread)).is_thread_on
    await world.context.summaries.switch_project(project, is_on=False)
    world.context.use_options(ContextOptions(has_summaries=False))
    switches = await world.context.summaries.switches(world.thread)
    assert not (switches.is_project_on or switches.is_on_everywhere)


def test_a_day_lasts_from_midnight_to_midnight() -> None:
    now = Clock().now_ms()
    start, end = day_of(now)
    assert start <= now < end
    assert 23 * 3_600_000 <= end - start <= 25 * 3_600_000
    assert day_of(start) == (start, end)
    assert day_of(end)[0] == end


async def test_a_server_that_gave_its_list_is_not_asked_again(world: World) -> None:
    asked: list[str] = []

    class Listing(Summariser):
        async def list_models(self) -> tuple[ListedModel, ...]:
            asked.append(self.name)
            return (ListedModel("small", "Small", 7_000),)

    world.context.use_providers(ProviderRegistry([Listing()], "scripted", "small"))
    await world.context.models.fetch_lists()
    await world.context.models.fetch_lists()
    assert len(asked) == 1
    assert world.context.models.info(None, None).context_window == 7_000
    world.context.use_providers(ProviderRegistry([Listing()], "scripted", "small"))
    world.context.models.add_listed("scripted", (ListedModel("small", "Small", 9_000),))  # the window's menu was first
    await world.context.models.fetch_lists()
    assert len(asked) == 1
    assert world.context.models.info(None, None).context_window == 9_000
