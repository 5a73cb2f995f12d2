"""Messages as a tree: pages, versions, the trash, and every step of a turn."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import (
    InvalidId,
    InvalidInput,
    MessageInTrash,
    MessageNotFound,
    NotPossible,
    ProjectNotFound,
    ThreadInTrash,
    ThreadNotFound,
    TurnInProgress,
    UnknownParent,
)
from chatdesk.core.ids import new_id
from chatdesk.core.storage.upkeep.reachability import unreachable
from tests.helpers.checks import integrity_check
from tests.helpers.counters import recounted
from tests.helpers.store import PLAN, Store


async def _ten(store: Store) -> tuple[str, list[str]]:
    thread = await store.thread()
    ids: list[str] = []
    for number in range(5):
        ids.extend(await store.ask(thread, str(number)))
    return thread, ids


async def test_newest_page_is_the_end_of_the_thread_oldest_first(store: Store) -> None:
    thread, ids = await _ten(store)
    page = await store.messages.page(thread, limit=4)
    assert [m.id for m in page.messages] == ids[6:]
    assert (page.has_older, page.has_newer, page.total) == (True, False, 10)


async def test_page_before_a_message_holds_the_newest_older_ones(store: Store) -> None:
    thread, ids = await _ten(store)
    page = await store.messages.page(thread, limit=4, before=ids[6])
    assert [m.id for m in page.messages] == ids[2:6]
    assert (page.has_older, page.has_newer) == (True, True)


async def test_page_after_a_message_holds_the_oldest_newer_ones(store: Store) -> None:
    thread, ids = await _ten(store)
    page = await store.messages.page(thread, limit=4, after=ids[5])
    assert [m.id for m in page.messages] == ids[6:]
    assert (page.has_older, page.has_newer) == (True, False)


async def test_before_and_after_mean_the_open_interval(store: Store) -> None:
    thread, ids = await _ten(store)
    page = await store.messages.page(thread, limit=3, after=ids[1], before=ids[8])
    assert [m.id for m in page.messages] == ids[2:5]
    empty = await store.messages.page(thread, limit=3, after=ids[1], before=ids[2])
    assert empty.messages == ()
    assert (empty.has_older, empty.has_newer) == (True, True)


async def test_page_around_a_message_is_filled_at_the_ends(store: Store) -> None:
    thread, ids = await _ten(store)
    for centre, expected in ((5, ids[3:7]), (0, ids[:4]), (9, ids[6:])):
        page = await store.messages.page(thread, limit=4, around=ids[centre])
        assert [m.id for m in page.messages] == expected


async def test_page_edges_are_checked(store: Store) -> None:
    thread, ids = await _ten(store)
    other = await store.thread()
    with pytest.raises(MessageNotFound):
        await store.messages.page(other, limit=4, before=ids[1])
    with pytest.raises(ThreadNotFound):
        await store.messages.page(new_id(), limit=4)
    with pytest.raises(InvalidInput):
        await store.messages.page(thread, limit=4, before=ids[1], around=ids[2])
    with pytest.raises(InvalidId):
        await store.messages.page("nonsense", limit=4)


async def test_a_question_and_its_answer_come_in_one_step(store: Store) -> None:
    project = await store.projects.default()
    thread, question, answer = await store.messages.create_thread_with_question(
        project.id, "Title", "why?", provider="offline", model="demo", with_answer=PLAN
    )
    assert answer is not None
    assert (question.role, question.status, question.text) == (Role.USER, Status.COMPLETE, "why?")
    assert (answer.role, answer.status, answer.parent_id) == (Role.ASSISTANT, Status.PENDING, question.id)
    assert thread.message_count == 2
    assert thread.current_leaf_id == answer.id


async def test_a_thread_is_not_made_when_its_question_fails(store: Store) -> None:
    with pytest.raises(ProjectNotFound):
        await store.messages.create_thread_with_question(new_id(), "T", "why?", provider=None, model=None)
    assert (await store.library.page(ThreadQuery(), limit=5)).threads == ()


async def test_streamed_text_is_readable_before_the_end_and_merged_at_the_end(store: Store) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    assert (await store.messages.start_streaming(answer.id, 1)).status is Status.STREAMING
    await store.messages.append_chunks(
        answer.id, [StreamChunk(0, PartType.REASONING, "hm"), StreamChunk(1, PartType.TEXT, "one ")]
    )
    await store.messages.append_chunks(answer.id, [StreamChunk(1, PartType.TEXT, "two ")])
    running = await store.messages.get(answer.id)
    assert (running.text, running.reasoning) == ("one two ", "hm")
    outcome = TurnOutcome(
        Status.ERROR,
        99,
        latency_ms=7,
        time_to_first_token_ms=3,
        usage=Usage(10, 5, 2, 1),
        error="It broke.",
        error_type="server",
        error_details={"status": 500},
        tail=(StreamChunk(1, PartType.TEXT, "three"),),
    )
    ended, now = await store.messages.finish(answer.id, outcome)
    assert (ended.text, ended.reasoning, ended.status) == ("one two three", "hm", Status.ERROR)
    assert (ended.error, ended.error_type, ended.error_details) == ("It broke.", "server", {"status": 500})
    assert (ended.prompt_tokens, ended.total_tokens, ended.latency_ms) == (10, 15, 7)
    assert (now.total_input_tokens, now.total_cached_tokens, now.total_reasoning_tokens) == (10, 2, 1)
    left = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM part_chunks").scalar())
    assert left == 0


async def test_a_part_ends_where_the_next_one_begins(store: Store) -> None:
    _, answer, _ = await store.messages.add_question(await store.thread(), "q", with_answer=PLAN)
    assert answer is not None
    chunks = (
        StreamChunk(0, PartType.REASONING, "hm", began_at=1_000),
        StreamChunk(1, PartType.TEXT, "a", began_at=1_150),
    )
    await store.messages.append_chunks(answer.id, chunks[:1])
    await store.messages.append_chunks(answer.id, chunks[1:])
    running = await store.messages.get(answer.id)
    assert [(part.started_at, part.completed_at) for part in running.parts] == [(1_000, 1_150), (1_150, None)]
    ended, _ = await store.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, 5_000))
    assert [(part.started_at, part.completed_at) for part in ended.parts] == [(1_000, 1_150), (1_150, 5_000)]


async def test_a_tool_call_streams_its_arguments(store: Store) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.messages.append_chunks(
        answer.id,
        [
            StreamChunk(0, PartType.TOOL_CALL, '{"a"', {"call_id": "c1"}),
            StreamChunk(0, PartType.TOOL_CALL, ":1}", {"name": "look", "call_id": None}),
        ],
    )
    ended, now = await store.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, 5))
    part = ended.parts[0]
    assert part.content == {"name": "look", "arguments": '{"a":1}'}
    assert (part.tool_name, part.tool_call_id) == ("look", "c1")
    assert now.tool_counts == {}  # nobody ran it
    assert await recounted(store.db, thread) == now


async def test_an_ended_answer_takes_no_more_text(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread)
    with pytest.raises(NotPossible):
        await store.messages.append_chunks(answer, [StreamChunk(0, PartType.TEXT, "x")])
    with pytest.raises(NotPossible):
        await store.messages.finish(answer, TurnOutcome(Status.COMPLETE, 5))
    with pytest.raises(NotPossible):
        await store.messages.start_streaming(answer, 1)
    with pytest.raises(NotPossible):
        await store.messages.resume(answer, PLAN)
    for call in (
        store.messages.append_chunks(new_id(), []),
        store.messages.start_streaming(new_id(), 1),
        store.messages.finish(new_id(), TurnOutcome(Status.COMPLETE, 5)),
    ):
        with pytest.raises(MessageNotFound):
            await call


async def test_a_turn_cannot_end_unfinished(store: Store) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    with pytest.raises(NotPossible):
        await store.messages.finish(answer.id, TurnOutcome(Status.STREAMING, 5))


async def test_continuing_keeps_the_text_and_adds_the_usage(store: Store) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.answer(answer.id, "first half, ", Status.STOPPED)
    waiting = await store.messages.resume(answer.id, PLAN)
    assert (waiting.status, waiting.text) == (Status.PENDING, "first half, ")
    await store.answer(answer.id, "second half")
    ended = await store.messages.get(answer.id)
    assert (ended.text, ended.prompt_tokens) == ("first half, second half", 20)
    assert await recounted(store.db, thread) == await store.threads.get(thread)


async def test_regenerating_shows_the_new_version_and_keeps_the_old(store: Store) -> None:
    thread = await store.thread()
    question, first = await store.ask(thread)
    await store.ask(thread, "later")
    second, _ = await store.messages.add_answer(question, PLAN)
    await store.answer(second.id, "second")
    assert (second.version_index, second.version_count) == (2, 2)
    assert await store.shown(thread) == ["question", "second"]
    assert [m.id for m in await store.messages.versions(first)] == [first, second.id]
    await store.paths.select_version(first)
    assert await store.shown(thread) == ["question", "answer to question", "later", "answer to later"]


async def test_editing_a_question_makes_a_version(store: Store) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread)
    edited, new_answer, now = await store.messages.add_question_version(question, "better", PLAN)
    assert new_answer is not None
    assert await store.shown(thread) == ["better", ""]
    assert edited.version_count == 2
    assert now.current_leaf_id == new_answer.id
    with pytest.raises(NotPossible):
        await store.messages.add_question_version(answer, "no", None)


async def test_selecting_a_hidden_message_shows_its_whole_branch(store: Store) -> None:
    thread = await store.thread()
    _first, _ = await store.ask(thread, "a")
    _deep, deep_answer = await store.ask(thread, "b")
    await store.messages.add_question_version(_first, "other root", None)
    assert await store.shown(thread) == ["other root"]
    await store.paths.select_version(deep_answer)
    assert await store.shown(thread) == ["a", "answer to a", "b", "answer to b"]


async def test_deleting_leaves_a_gap_and_restoring_fills_it(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread, "a")
    await store.ask(thread, "b")
    now, ids = await store.paths.delete(answer, with_later=False)
    assert ids == (answer,)
    assert now.message_count == 3
    assert await store.shown(thread) == ["a", "b", "answer to b"]
    await store.paths.restore(answer)
    assert await store.shown(thread) == ["a", "answer to a", "b", "answer to b"]


async def test_a_question_after_a_deleted_end_keeps_its_place_when_that_is_restored(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread, "a")
    await store.paths.delete(answer, with_later=False)
    await store.ask(thread, "b")
    await store.paths.restore(answer)
    assert await store.shown(thread) == ["a", "answer to a", "b", "answer to b"]


async def test_deleting_with_later_takes_the_rest_and_restoring_brings_it_back(store: Store) -> None:
    thread, ids = await _ten(store)
    now, gone = await store.paths.delete(ids[4], with_later=True)
    assert set(gone) == set(ids[4:])
    assert now.current_leaf_id == ids[3]
    assert len(await store.shown(thread)) == 4
    now, back = await store.paths.restore(ids[7])
    assert set(back) == set(ids[4:])
    assert now.current_leaf_id == ids[9]


async def test_deleting_a_version_shows_its_sibling(store: Store) -> None:
    thread = await store.thread()
    question, first = await store.ask(thread)
    second, _ = await store.messages.add_answer(question, PLAN)
    await store.answer(second.id, "second")
    await store.paths.delete(second.id, with_later=False)
    assert await store.shown(thread) == ["question", "answer to question"]
    assert (await store.messages.get(first)).version_count == 1
    trashed = await store.messages.get(second.id)
    assert (trashed.version_index, trashed.version_count) == (2, 2)  # the place that it would come back to


async def test_each_message_of_a_page_has_its_own_place_among_versions(store: Store) -> None:
    thread, ids = await _ten(store)
    again, _ = await store.messages.add_answer(ids[2], PLAN)
    await store.answer(again.id, "again")
    last = (await store.ask(thread, "after it"))[1]
    root, _, _ = await store.messages.add_question_version(ids[0], "another root", None)
    await store.paths.select_version(last)
    page = await store.messages.page(thread, limit=10)
    places = [(each.version_index, each.version_count) for each in page.messages]
    assert [each.id for each in page.messages][:4] == [ids[0], ids[1], ids[2], again.id]
    assert places == [(1, 2), (1, 1), (1, 1), (2, 2), (1, 1), (1, 1)]
    assert (await store.messages.get(root.id)).version_index == 2


async def test_trashed_messages_and_threads_refuse_work(store: Store) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread)
    await store.paths.delete(answer, with_later=False)
    with pytest.raises(MessageInTrash):
        await store.paths.delete(answer, with_later=False)
    with pytest.raises(MessageInTrash):
        await store.messages.add_question(thread, "x", parent_id=answer, with_answer=None)
    with pytest.raises(MessageInTrash):
        await store.paths.select_version(answer)
    await store.library.delete([thread])
    with pytest.raises(ThreadInTrash):
        await store.messages.add_question(thread, "x", with_answer=None)
    with pytest.raises(ThreadInTrash):
        await store.messages.add_answer(question, PLAN)


async def test_unknown_parents_are_refused(store: Store) -> None:
    thread, other = await store.thread(), await store.thread()
    question, _ = await store.ask(other)
    for parent in (question, new_id()):
        with pytest.raises(UnknownParent):
            await store.messages.add_question(thread, "x", parent_id=parent, with_answer=None)
    for call in (
        store.messages.get(new_id()),
        store.messages.versions(new_id()),
        store.paths.delete(new_id(), with_later=True),
        store.paths.restore(new_id()),
        store.paths.select_version(new_id()),
    ):
        with pytest.raises(MessageNotFound):
            await call


async def test_an_unfinished_answer_cannot_be_deleted(store: Store) -> None:
    thread = await store.thread()
    question, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    with pytest.raises(TurnInProgress):
        await store.paths.delete(answer.id, with_later=False)
    with pytest.raises(TurnInProgress):
        await store.paths.delete(question.id, with_later=True)


async def test_restoring_what_is_not_in_the_trash_changes_nothing(store: Store) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread)
    now, ids = await store.paths.restore(question)
    assert ids == ()
    assert now.message_count == 2


async def test_text_that_sqlite_cannot_hold_is_replaced(store: Store) -> None:
    thread = await store.thread()
    asked, _, _ = await store.messages.add_question(thread, "a\0b \ud83d c \ud83d\ude00", with_answer=None)
    assert asked.text == "a\ufffdb \ufffd c \U0001f600"


async def test_a_purged_version_gives_way_to_one_that_is_there(store: Store) -> None:
    thread = await store.thread()
    question, kept = await store.ask(thread)
    version, _ = await store.messages.add_answer(question, PLAN)
    await store.answer(version.id, "another")
    below, _, _ = await store.messages.add_question(thread, "below", with_answer=None)
    for each in (version.id, below.id):
        await store.paths.delete(each, with_later=False)
    await store.paths.restore(below.id)
    await store.paths.delete(below.id, with_later=False)
    await store.trash.purge_expired(store.clock.now_ms() + 1)
    assert [each.id for each in (await store.messages.page(thread, limit=9)).messages] == [question, kept]
    assert (await store.threads.get(thread)) == (await recounted(store.db, thread))
    assert await store.db.read(unreachable) == []


async def test_a_thread_deeper_than_sqlites_recursion_limit_can_be_purged(store: Store) -> None:
    from tests.helpers.bulk_data import load_many

    ids = await load_many(store.db, threads=1, messages_per_thread=3000)
    await store.library.delete([ids[0]])
    assert await store.trash.purge_expired(store.clock.now_ms() + 1) == 1
    assert await integrity_check(store.db) == []


async def test_no_message_is_complete_before_it_is_made(store: Store) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread)
    note, *_ = await store.messages.add_note(thread, "a note")
    edited, *_ = await store.messages.add_edited_answer(answer, "other words")
    for message_id in (question, answer, note.id, edited.id):
        message = await store.messages.get(message_id)
        assert message.completed_at is not None
        assert message.created_at <= message.completed_at
