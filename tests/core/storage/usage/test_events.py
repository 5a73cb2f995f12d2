"""The ledger: a line for each request, its sums, and what a message cost."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.thread import TitleSource
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Spent, Usage, UsageEvent, UsageKind, UsageSum
from chatdesk.core.errors import ThreadNotFound
from chatdesk.core.ids import new_id
from chatdesk.core.storage.usage.events import UsageRepository
from tests.helpers.store import PLAN, Store


async def _answered(store: Store, thread: str, cost_usd: float | None, usage: Usage | None = None) -> str:
    """A finished answer; its id."""
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await _finish(store, answer.id, cost_usd, usage)
    return answer.id


async def _finish(store: Store, message_id: str, cost_usd: float | None, usage: Usage | None = None) -> None:
    await store.messages.start_streaming(message_id, store.clock.now_ms())
    await store.messages.append_chunks(message_id, [StreamChunk(0, PartType.TEXT, "a")])
    outcome = TurnOutcome(
        Status.STOPPED,
        store.clock.now_ms(),
        latency_ms=30,
        time_to_first_token_ms=7,
        usage=usage or Usage(10, 5, 2, 1),
        cost_usd=cost_usd,
    )
    await store.messages.finish(message_id, outcome)


def _event(thread: str | None, kind: UsageKind = UsageKind.TITLE, spent: Spent | None = None) -> UsageEvent:
    return UsageEvent(kind, thread, "openai", "gpt-4o", "complete", spent or Spent(Usage(100, 8), 20, 5, 0.25))


async def test_an_answer_s_line_has_its_times_and_its_cost(store: Store) -> None:
    thread = await store.thread()
    message = await _answered(store, thread, 0.004)

    def work(conn: Connection) -> tuple[object, ...]:
        columns = "kind, status, message_id, latency_ms, time_to_first_token_ms, cost_usd, project_id"
        return tuple(conn.exec_driver_sql(f"SELECT {columns} FROM usage_events").one())

    project = (await store.projects.default()).id
    assert await store.db.read(work) == ("answer", "stopped", message, 30, 7, 0.004, project)
    assert (await store.messages.get(message)).cost_usd == 0.004


async def test_a_message_that_was_continued_was_paid_for_twice(store: Store) -> None:
    message = await _answered(store, await store.thread(), 0.004)
    await store.messages.resume(message, PLAN)
    await _finish(store, message, 0.001)
    assert (await store.messages.get(message)).cost_usd == pytest.approx(0.005)
    await store.messages.resume(message, PLAN)
    await _finish(store, message, None)
    assert (await store.messages.get(message)).cost_usd is None  # a part of it is not known


async def test_a_page_has_the_cost_of_each_answer_and_a_question_none(store: Store) -> None:
    thread = await store.thread()
    await _answered(store, thread, 0.5)
    await _answered(store, thread, None)
    page = await store.messages.page(thread, limit=10)
    assert [message.cost_usd for message in page.messages] == [None, 0.5, None, None]


async def test_a_thread_s_requests_are_summed_by_kind_and_model(store: Store) -> None:
    usage, thread = UsageRepository(store.db), await store.thread()
    await _answered(store, thread, 0.5)
    await _answered(store, thread, None, Usage(1, 1, is_estimated=True))
    await usage.add(_event(thread))
    await usage.add(_event(thread, UsageKind.SUMMARY, Spent(None)))
    await usage.add(_event(await store.thread()))
    report = await usage.of_thread(thread)
    assert [(row.kind, row.model) for row in report.rows] == [
        ("answer", "demo"),
        ("summary", "gpt-4o"),
        ("title", "gpt-4o"),
    ]
    assert report.rows[0].total == UsageSum(2, 11, 6, 2, 1, 0.5, 1, 1)
    assert report.rows[1].total == UsageSum(1)  # nothing was counted, so nothing is estimated and no price is missing
    assert report.total.requests == 4


async def test_a_stretch_of_time_is_summed_for_all_or_one_project(store: Store) -> None:
    usage, thread = UsageRepository(store.db), await store.thread()
    other = await store.projects.create("Other")
    elsewhere = (await store.threads.create(other.id, "T", provider=None, model=None)).id
    await usage.add(_event(thread))
    middle = store.clock.now_ms()
    await usage.add(_event(elsewhere))
    end = store.clock.now_ms()
    assert (await usage.between(0, end)).total.requests == 2
    assert (await usage.between(middle, end)).total.requests == 1
    assert (await usage.between(0, end, project_id=other.id)).total.requests == 1
    assert (await usage.between(0, middle, project_id=other.id)).rows == ()


async def test_background_requests_are_counted_separately(store: Store) -> None:
    usage, thread = UsageRepository(store.db), await store.thread()
    await _answered(store, thread, None)
    await usage.add(_event(thread))
    moment = store.clock.now_ms()
    await usage.add(_event(thread, UsageKind.SUMMARY))
    assert await usage.background_tokens_since(0) == 216
    assert await usage.background_tokens_since(moment) == 108
    assert await usage.background_tokens_since(store.clock.now_ms()) == 0


async def test_a_line_outlives_its_thread_and_is_entered_when_it_is_gone(store: Store) -> None:
    usage, thread = UsageRepository(store.db), await store.thread()
    await usage.add(_event(thread))
    await usage.add(_event(new_id()))
    await usage.add(_event(None))
    assert (await usage.between(0, store.clock.now_ms() + 1)).total.requests == 3
    assert (await usage.of_thread(thread)).total.requests == 1
    assert await usage.has_title_request(thread)
    assert not await usage.has_title_request(await store.thread())


async def test_a_better_title_never_replaces_a_typed_one(store: Store) -> None:
    project = (await store.projects.default()).id
    made = await store.threads.create(project, "Text", provider=None, model=None, title_source=TitleSource.TEXT)
    assert await store.threads.title_source(made.id) is TitleSource.TEXT
    better = await store.threads.retitle(made.id, "Model", TitleSource.MODEL)
    assert better is not None and better.title == "Model"
    assert await store.threads.title_source(made.id) is TitleSource.MODEL
    await store.threads.rename(made.id, "Person")
    assert await store.threads.retitle(made.id, "Model again", TitleSource.MODEL) is None
    assert (await store.threads.get(made.id)).title == "Person"
    assert await store.threads.title_source(await store.thread()) is TitleSource.PERSON
    assert await store.threads.retitle(new_id(), "x", TitleSource.MODEL) is None
    with pytest.raises(ThreadNotFound):
        await store.threads.title_source(new_id())


async def test_a_thread_in_the_trash_keeps_its_title(store: Store) -> None:
    project = (await store.projects.default()).id
    made = await store.threads.create(project, "Text", provider=None, model=None, title_source=TitleSource.TEXT)
    await store.library.delete([made.id])
    assert await store.threads.retitle(made.id, "Model", TitleSource.MODEL) is None


async def test_a_source_that_is_not_known_here_counts_as_a_person_s(store: Store) -> None:
    thread = await store.thread()
    await store.db.write(lambda conn: conn.exec_driver_sql("UPDATE threads SET title_source = 'oracle'") and None)
    assert await store.threads.title_source(thread) is TitleSource.PERSON


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT message_id, sum(cost_usd) FROM usage_events WHERE message_id IN (?) GROUP BY message_id", ("m",)),
        ("SELECT count(*) FROM usage_events WHERE thread_id = ?", ("t",)),
        ("SELECT sum(input_tokens) FROM usage_events WHERE created_at >= ? AND kind IN (?)", (1, "title")),
    ],
)
async def test_the_ledger_is_read_by_its_indexes(store: Store, sql: str, values: tuple[object, ...]) -> None:
    def work(conn: Connection) -> str:
        return " ".join(str(row[3]) for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values))

    plan = await store.db.read(work)
    assert "INDEX ix_usage_events" in plan and "SCAN" not in plan
