"""Marks, starts, parameters, rows and token counts of a thread's context."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.context import PathCounts
from chatdesk.core.domain.message import ContextMark, PartType, Role, Status
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import MessageInTrash, MessageNotFound, ProjectNotFound, ThreadInTrash, ThreadNotFound
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.chat.token_counts import TokenCountRepository
from tests.helpers.store import PLAN, Store

ENCODING = "o200k_base"


@pytest.fixture
def contexts(store: Store) -> ContextRepository:
    return ContextRepository(store.db)


@pytest.fixture
def token_counts(store: Store) -> TokenCountRepository:
    return TokenCountRepository(store.db)


async def _changes(store: Store, entity: str) -> list[tuple[str, str]]:
    def work(conn: Connection) -> list[tuple[str, str]]:
        rows = conn.exec_driver_sql("SELECT kind, reg FROM changes WHERE entity = ? ORDER BY n", (entity,))
        return [(row[0], row[1]) for row in rows]

    return await store.db.read(work)


async def test_rows_come_newest_first_by_position_and_in_order(store: Store, contexts: ContextRepository) -> None:
    thread = await store.thread()
    for number in range(4):
        await store.ask(thread, f"q{number}")
    rows = await contexts.tail(thread, ENCODING, before=None, limit=3)
    assert [row.position for row in rows] == [5, 6, 7]
    assert [row.role for row in rows] == [Role.ASSISTANT, Role.USER, Role.ASSISTANT]
    assert [part.text for part in rows[-1].parts] == ["answer to q3"]
    older = await contexts.tail(thread, ENCODING, before=5, limit=100)
    assert [row.position for row in older] == [0, 1, 2, 3, 4]
    middle = await contexts.between(thread, ENCODING, first=2, last=6, limit=2)
    assert [row.position for row in middle] == [2, 3]


async def test_reasoning_is_not_read_and_an_answer_being_written_has_nothing(
    store: Store, contexts: ContextRepository
) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.messages.start_streaming(answer.id, store.clock.now_ms())
    chunks = [
        StreamChunk(0, PartType.REASONING, "thinking"),
        StreamChunk(1, PartType.TEXT, "said"),
        StreamChunk(2, PartType.TOOL_CALL, "{}", {"name": "look", "call_id": "c1"}),
    ]
    await store.messages.append_chunks(answer.id, chunks)
    assert (await contexts.tail(thread, ENCODING, before=None, limit=9))[-1].parts == ()
    await store.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, store.clock.now_ms()))
    parts = (await contexts.tail(thread, ENCODING, before=None, limit=9))[-1].parts
    assert [(part.kind, part.text, part.name, part.call_id) for part in parts] == [
        (PartType.TEXT, "said", "", ""),
        (PartType.TOOL_CALL, "{}", "look", "c1"),
    ]


async def test_the_way_up_reads_versions_that_are_not_shown(store: Store, contexts: ContextRepository) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread, "old")
    await store.messages.add_question_version(question, "new", with_answer=None)
    rows = await contexts.path_up(answer, ENCODING, limit=10)
    assert [row.id for row in rows] == [question, answer]
    assert [row.id for row in await contexts.path_up(answer, ENCODING, limit=1)] == [answer]
    await store.paths.delete(question, with_later=False)
    assert [row.id for row in await contexts.path_up(answer, ENCODING, limit=10)] == [answer]


async def test_marks_are_kept_logged_once_and_counted(store: Store, contexts: ContextRepository) -> None:
    thread = await store.thread()
    first, second = await store.ask(thread, "a")
    third, _ = await store.ask(thread, "b")
    await contexts.mark(first, ContextMark.PINNED)
    await contexts.mark(first, ContextMark.PINNED)
    await contexts.mark(second, ContextMark.EXCLUDED)
    assert (await _changes(store, first)).count(("message", "lww.context")) == 1
    rows = await contexts.tail(thread, ENCODING, before=None, limit=9)
    assert [row.mark for row in rows] == [
        ContextMark.PINNED,
        ContextMark.EXCLUDED,
        ContextMark.NONE,
        ContextMark.NONE,
    ]
    assert await contexts.counts(thread, first=0, last=9) == PathCounts(total=4, excluded=1, empty=0)
    assert [row.id for row in await contexts.pinned(thread, ENCODING, before=9)] == [first]
    assert await contexts.pinned(thread, ENCODING, before=0) == ()
    await contexts.mark(first, ContextMark.NONE)
    assert await contexts.pinned(thread, ENCODING, before=9) == ()
    row = await contexts.row(third, ENCODING)
    assert row is not None
    assert row.mark is ContextMark.NONE


async def test_messages_in_the_trash_cannot_be_marked(store: Store, contexts: ContextRepository) -> None:
    thread = await store.thread()
    first, _ = await store.ask(thread)
    await store.paths.delete(first, with_later=False)
    with pytest.raises(MessageInTrash):
        await contexts.mark(first, ContextMark.PINNED)
    with pytest.raises(MessageNotFound):
        await contexts.mark(new_id(), ContextMark.PINNED)
    assert await contexts.row(first, ENCODING) is None


async def test_a_start_belongs_to_its_thread_and_is_logged(store: Store, contexts: ContextRepository) -> None:
    thread, other = await store.thread(), await store.thread("Other")
    await store.ask(thread, "a")
    second, _ = await store.ask(thread, "b")
    foreign, _ = await store.ask(other)
    await contexts.start_at(thread, second)
    frame = await contexts.frame(thread)
    assert (frame.starts_at_id, frame.starts_at, frame.end, frame.message_count) == (second, 2, 3, 4)
    with pytest.raises(MessageNotFound):
        await contexts.start_at(thread, foreign)
    await contexts.start_at(thread, None)
    assert (await contexts.frame(thread)).starts_at_id is None
    assert ("thread", "lww.context_from") in await _changes(store, thread)


async def test_a_start_on_another_branch_holds_nothing_back(store: Store, contexts: ContextRepository) -> None:
    thread = await store.thread()
    await store.ask(thread, "a")
    second, _ = await store.ask(thread, "b")
    await contexts.start_at(thread, second)
    await store.messages.add_question_version(second, "other", with_answer=None)
    assert (await contexts.frame(thread)).starts_at == 0


async def test_parameters_and_prompts_of_the_thread_go_before_those_of_its_project(
    store: Store, contexts: ContextRepository
) -> None:
    thread = await store.thread()
    project = (await store.projects.default()).id
    await contexts.set_project_parameters(project, Parameters(temperature=0.5, answer_length=10))
    await contexts.set_thread_parameters(thread, Parameters(temperature=0.0))
    assert (await contexts.frame(thread)).parameters == Parameters(temperature=0.0, answer_length=10)
    assert await contexts.own_parameters(thread) == (
        Parameters(temperature=0.0),
        Parameters(temperature=0.5, answer_length=10),
    )
    assert ("project", "lww.parameters") in await _changes(store, project)

    def prompts(conn: Connection) -> None:
        conn.exec_driver_sql("UPDATE projects SET system_prompt = 'of the project'")

    await store.db.write(prompts)
    assert (await contexts.frame(thread)).system_prompt == "of the project"


async def test_summaries_are_switched_off_for_a_thread_or_a_project(store: Store, contexts: ContextRepository) -> None:
    thread = await store.thread()
    project = (await store.projects.default()).id
    assert (await contexts.frame(thread)).has_summaries
    await contexts.switch_thread_summaries(thread, is_on=False)
    assert not (await contexts.frame(thread)).has_summaries
    await contexts.switch_thread_summaries(thread, is_on=True)
    await contexts.switch_project_summaries(project, is_on=False)
    assert not (await contexts.frame(thread)).has_summaries


async def test_what_is_not_there_is_refused(store: Store, contexts: ContextRepository) -> None:
    with pytest.raises(ThreadNotFound):
        await contexts.frame(new_id())
    with pytest.raises(ThreadNotFound):
        await contexts.own_parameters(new_id())
    with pytest.raises(ProjectNotFound):
        await contexts.set_project_parameters(new_id(), Parameters())
    thread = await store.thread()
    await store.library.delete([thread])
    with pytest.raises(ThreadInTrash):
        await contexts.set_thread_parameters(thread, Parameters())


async def test_an_empty_thread_ends_before_its_first_message(store: Store, contexts: ContextRepository) -> None:
    frame = await contexts.frame(await store.thread())
    assert (frame.end, frame.message_count, frame.starts_at) == (-1, 0, 0)


async def test_token_counts_are_kept_for_each_encoding_until_the_text_changes(
    store: Store, contexts: ContextRepository, token_counts: TokenCountRepository
) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.answer(answer.id, "half", Status.STOPPED)
    part = (await contexts.tail(thread, ENCODING, before=None, limit=9))[-1].parts[0]
    assert part.tokens is None
    await token_counts.store(ENCODING, {part.id: 7, new_id(): 3})
    await token_counts.store(ENCODING, {})
    assert (await contexts.tail(thread, ENCODING, before=None, limit=9))[-1].parts[0].tokens == 7
    assert (await contexts.tail(thread, "cl100k_base", before=None, limit=9))[-1].parts[0].tokens is None
    await store.messages.resume(answer.id, PLAN)
    await store.answer(answer.id, " and half")
    part = (await contexts.tail(thread, ENCODING, before=None, limit=9))[-1].parts[0]
    assert (part.text, part.tokens) == ("half and half", None)


async def test_how_far_off_estimates_are_is_learnt_from_what_was_reported(
    store: Store, token_counts: TokenCountRepository
) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread)  # reports 10 input tokens
    assert await token_counts.factor(PLAN.provider, PLAN.model) is None
    assert await token_counts.learn(answer, 5) == pytest.approx(2.0)
    _, second = await store.ask(thread)
    assert await token_counts.learn(second, 10) == pytest.approx(1.75)
    assert await token_counts.factor(PLAN.provider, PLAN.model) == pytest.approx(1.75)
    assert await token_counts.learn(second, 0) is None
    assert await token_counts.learn(new_id(), 5) is None


async def test_an_absurd_report_moves_the_factor_only_so_far(store: Store, token_counts: TokenCountRepository) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.messages.finish(
        answer.id, TurnOutcome(Status.COMPLETE, store.clock.now_ms(), usage=Usage(10_000_000, 1))
    )
    assert await token_counts.learn(answer.id, 1) == pytest.approx(4.0)
