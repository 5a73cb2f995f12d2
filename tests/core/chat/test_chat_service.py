"""ChatService over a real database: what is returned, what is stored, what is published, and every refusal."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.chat.titles import NEW_THREAD_TITLE
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import (
    EmptyMessage,
    InvalidId,
    InvalidInput,
    InvalidTitle,
    MessageNotFound,
    MessageTooLarge,
    NotPossible,
    ProviderError,
    ProviderErrorKind,
    ThreadInTrash,
    ThreadNotFound,
    TurnInProgress,
    UnknownParent,
)
from chatdesk.core.events import (
    MessageAdded,
    MessageChanged,
    PathChanged,
    TextStreamed,
    ThreadCreated,
    ThreadsChanged,
    TurnStarted,
)
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import (
    FinishReason,
    ReasoningDelta,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.waiting import PATIENCE_S, until

DONE = StreamFinished(FinishReason.STOP)


def kinds(world: ChatWorld) -> list[str]:
    return [type(event).__name__ for event in world.events]


async def test_reasoning_ends_when_the_text_begins_and_is_said_to(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thought, go_on = asyncio.Event(), asyncio.Event()
        world.bus.subscribe(TextStreamed, lambda event: thought.set() if event.kind == "text" else None)
        world.provider.will(ReasoningDelta("let me see"), TextDelta("So"), go_on, TextDelta(" it is."), DONE)
        created = await world.chat.create_thread(None, "", "why?")

        def told() -> list[Any]:
            return [e.message.parts for e in world.events if isinstance(e, MessageChanged)]

        await until(lambda: thought.is_set() and told() and told()[-1])
        live = (await world.chat.reader.get_message(created.answer.id)).parts
        assert told()[-1][0].completed_at == live[0].completed_at == live[1].started_at
        assert live[0].completed_at is not None and live[1].completed_at is None
        while time.time() * 1000 <= live[1].started_at + 1:  # the text takes longer than the thought
            await asyncio.sleep(0)
        go_on.set()
        answer = await world.answer_of(created)
        assert (answer.parts[0].started_at, answer.parts[0].completed_at) == (live[0].started_at, live[0].completed_at)
        assert answer.parts[1].completed_at > live[0].completed_at


async def test_a_question_and_its_answer_are_stored(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("Hello"), TextDelta(" you"), UsageReported(Usage(7, 2)), DONE)
        created = await world.chat.create_thread(None, "", "Say **hello** to me")
        answer = await world.answer_of(created)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert created.thread.title == "Say **hello** to me".strip()
        assert [message.text for message in page.messages] == ["Say **hello** to me", "Hello you"]
        assert page.messages[1] == answer
        assert answer.status is Status.COMPLETE
        assert (answer.prompt_tokens, answer.completion_tokens, answer.finish_reason) == (7, 2, "stop")
        assert answer.time_to_first_token_ms is not None and answer.latency_ms is not None
        thread = await world.chat.get_thread(created.thread.id)
        assert (thread.message_count, thread.total_input_tokens, thread.total_output_tokens) == (2, 7, 2)
        order = kinds(world)
        assert order.index("ThreadCreated") < order.index("MessageAdded") < order.index("TurnStarted")
        assert order.index("TextStreamed") < order.index("AnswerFinished")


async def test_the_streamed_deltas_are_the_stored_text(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(*(TextDelta(f"{n} ") for n in range(2000)), DONE)
        created = await world.chat.create_thread(None, "", "count")
        answer = await world.answer_of(created)
        streamed = "".join(event.delta for event in world.events if isinstance(event, TextStreamed))
        assert streamed == answer.text == "".join(f"{n} " for n in range(2000))


async def test_reasoning_and_tool_calls_become_parts_of_their_own(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(
            ReasoningDelta("hm "),
            ReasoningDelta("yes"),
            ToolCallDelta(0, "call-1", "read_file", '{"path":'),
            ToolCallDelta(1, "call-2", "list", "{}"),
            ToolCallDelta(0, None, None, '"a"}'),
            TextDelta("done"),
            StreamFinished(FinishReason.TOOL_CALLS),
        )
        created = await world.chat.create_thread(None, "", "look")
        answer = await world.answer_of(created)
        stored = await world.chat.reader.get_message(answer.id)
        assert [part.type for part in stored.parts] == [
            PartType.REASONING,
            PartType.TOOL_CALL,
            PartType.TOOL_CALL,
            PartType.TEXT,
        ]
        assert stored.reasoning == "hm yes"
        assert stored.parts[1].content == {"name": "read_file", "arguments": '{"path":"a"}'}
        assert stored.parts[1].tool_call_id == "call-1"
        assert stored.text == "done"


async def test_the_whole_path_is_sent(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "T", "one")
        await world.answer_of(created)
        sent = await world.chat.send_message(created.thread.id, "two")
        await world.answer_of(sent)
        assert [(m.role, m.text) for m in world.provider.requests[1].messages] == [
            (Role.USER, "one"),
            (Role.ASSISTANT, "ok"),
            (Role.USER, "two"),
        ]
        assert sent.question.position == 2


async def test_stopping_keeps_the_partial_answer(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("partial"), asyncio.Event(), DONE)
        created = await world.chat.create_thread(None, "", "go")
        await _streamed(world)
        stopped = await world.chat.stop(created.thread.id)
        assert stopped is not None
        assert (stopped.status, stopped.text) == (Status.STOPPED, "partial")
        assert world.provider.open_streams == 0
        assert await world.chat.stop(created.thread.id) is None
        assert (await world.chat.reader.get_message(stopped.id)).text == "partial"


async def test_continue_goes_on_in_place(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("first "), asyncio.Event())
        created = await world.chat.create_thread(None, "", "go")
        await _streamed(world)
        stopped = await world.chat.stop(created.thread.id)
        world.events.clear()
        world.provider.will(TextDelta("second"), DONE)
        answer = await world.chat.continue_message(stopped.id)
        finished = await world.finished(answer.id)
        assert answer.id == stopped.id
        assert finished.text == "first second"
        assert finished.status is Status.COMPLETE
        assert len([part for part in finished.parts if part.type is PartType.TEXT]) == 1
        assert world.provider.requests[-1].continue_text == "first "


async def test_a_complete_answer_cannot_be_continued(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "go")
        answer = await world.answer_of(created)
        with pytest.raises(NotPossible):
            await world.chat.continue_message(answer.id)


async def test_a_cut_off_answer_can_be_continued(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("long"), StreamFinished(FinishReason.LENGTH))
        created = await world.chat.create_thread(None, "", "go")
        answer = await world.answer_of(created)
        world.events.clear()
        world.provider.will(TextDelta("er"), DONE)
        await world.chat.continue_message(answer.id)
        assert (await world.finished(answer.id)).text == "longer"


async def test_a_failure_keeps_the_text_and_its_cause(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        failure = ProviderError(
            ProviderErrorKind.RESET, "The connection broke.", next_step="Continue.", details={"status": 200}
        )
        world.provider.will(TextDelta("half"), failure)
        created = await world.chat.create_thread(None, "", "go")
        answer = await world.answer_of(created)
        assert (answer.status, answer.text, answer.error_type) == (Status.ERROR, "half", "reset")
        assert answer.error == failure.sentence
        assert answer.error_details["status"] == 200
        assert answer.error_details["next_step"] == "Continue."


async def test_a_bug_in_a_provider_is_an_error_of_that_answer_only(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("x"), RuntimeError("secret detail"))
        created = await world.chat.create_thread(None, "", "go")
        answer = await world.answer_of(created)
        assert (answer.status, answer.error_type) == (Status.ERROR, "internal")
        assert "secret detail" not in (answer.error or "")
        sent = await world.chat.send_message(created.thread.id, "again")
        assert (await world.answer_of(sent)).text == "ok"


async def test_a_failure_without_text_is_retried_in_place(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(ProviderError(ProviderErrorKind.DNS, "No such host.", next_step="Check it."))
        created = await world.chat.create_thread(None, "", "go")
        failed = await world.answer_of(created)
        world.events.clear()
        again = await world.chat.retry_message(failed.id)
        assert again.id == failed.id
        finished = await world.finished(failed.id)
        assert (finished.text, finished.status, finished.error) == ("ok", Status.COMPLETE, None)


async def test_a_failure_with_text_is_retried_as_another_version(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("half"), ProviderError(ProviderErrorKind.RESET, "Broke.", next_step="Retry."))
        created = await world.chat.create_thread(None, "", "go")
        failed = await world.answer_of(created)
        again = await world.chat.retry_message(failed.id)
        await world.finished(again.id)
        assert again.id != failed.id
        assert (await world.chat.reader.get_message(failed.id)).text == "half"
        assert [version.text for version in await world.chat.reader.list_versions(again.id)] == ["half", "ok"]


async def test_closing_interrupts_and_keeps(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("some text"), asyncio.Event())
        created = await world.chat.create_thread(None, "", "go")
        await _streamed(world)
    async with chat_world(tmp_path) as world:
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert (page.messages[-1].status, page.messages[-1].text) == (Status.INTERRUPTED, "some text")


async def test_regenerate_makes_a_version_and_select_goes_back(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("A"), DONE)
        world.provider.will(TextDelta("B"), DONE)
        created = await world.chat.create_thread(None, "", "go")
        first = await world.answer_of(created)
        second = await world.chat.regenerate_response(first.id)
        await world.finished(second.id)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert page.messages[-1].text == "B"
        assert (page.messages[-1].version_index, page.messages[-1].version_count) == (2, 2)
        await world.chat.paths.select_version(first.id)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert (page.messages[-1].text, page.messages[-1].version_index) == ("A", 1)
        assert any(isinstance(event, PathChanged) for event in world.events)


async def test_editing_a_question_keeps_the_old_version_and_what_followed(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "first")
        await world.answer_of(created)
        later = await world.chat.send_message(created.thread.id, "later")
        await world.answer_of(later)
        edited = await world.chat.edit_message(created.question.id, "better")
        await world.answer_of(edited)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert [message.text for message in page.messages] == ["better", "ok"]
        await world.chat.paths.select_version(created.question.id)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert [message.text for message in page.messages] == ["first", "ok", "later", "ok"]


async def test_only_questions_can_be_edited(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "q")
        answer = await world.answer_of(created)
        with pytest.raises(NotPossible):
            await world.chat.edit_message(answer.id, "no")


async def test_a_deleted_message_comes_back(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "q")
        await world.answer_of(created)
        moved = await world.chat.paths.delete_message(created.question.id, with_later=True)
        assert len(moved.message_ids) == 2
        assert (await world.chat.reader.get_thread_messages(created.thread.id)).messages == ()
        await world.chat.paths.restore_message(created.question.id)
        assert len((await world.chat.reader.get_thread_messages(created.thread.id)).messages) == 2


async def test_deleting_a_thread_stops_its_answer_and_restoring_keeps_it(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("part"), asyncio.Event())
        created = await world.chat.create_thread(None, "", "q")
        await _streamed(world)
        await world.library.delete([created.thread.id])
        assert world.provider.open_streams == 0
        assert isinstance(world.events[-1], ThreadsChanged)
        assert (await world.library.list_threads(ThreadQuery())).threads == ()
        with pytest.raises(ThreadInTrash):
            await world.chat.send_message(created.thread.id, "more")
        assert [t.id for t in (await world.library.list_threads(ThreadQuery("trash"))).threads] == [created.thread.id]
        await world.library.restore([created.thread.id])
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert (page.messages[-1].status, page.messages[-1].text) == (Status.STOPPED, "part")


async def test_rename_archive_and_pin(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "Old")).thread
        assert (await world.chat.rename_thread(thread.id, "  New\nname ")).title == "New name"
        with pytest.raises(InvalidTitle):
            await world.chat.rename_thread(thread.id, " \n ")
        assert (await world.library.pin([thread.id])).threads[thread.id][1] is not None
        assert (await world.library.archive([thread.id])).threads[thread.id][1] is not None
        assert (await world.library.list_threads(ThreadQuery())).threads == ()
        assert len((await world.library.list_threads(ThreadQuery("archive"))).threads) == 1


async def test_a_thread_without_title_takes_it_from_the_first_question(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "")).thread
        assert thread.title == NEW_THREAD_TITLE
        sent = await world.chat.send_message(thread.id, "# How do I sort?\nplease")
        assert sent.thread.title == "How do I sort?"
        await world.answer_of(sent)


async def test_pages_before_after_and_between(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        for number in range(5):
            await world.answer_of(await world.chat.send_message(thread.id, str(number)))
        every = (await world.chat.reader.get_thread_messages(thread.id)).messages
        assert len(every) == 10
        before = await world.chat.reader.get_thread_messages(thread.id, 3, before=every[5].id)
        assert [m.id for m in before.messages] == [m.id for m in every[2:5]]
        assert (before.has_older, before.has_newer, before.total) == (True, True, 10)
        after = await world.chat.reader.get_thread_messages(thread.id, 3, after=every[5].id)
        assert [m.id for m in after.messages] == [m.id for m in every[6:9]]
        between = await world.chat.reader.get_thread_messages(thread.id, 50, before=every[6].id, after=every[2].id)
        assert [m.id for m in between.messages] == [m.id for m in every[3:6]]
        middle = await world.chat.reader.get_thread_messages(thread.id, 4, at=5)
        assert [m.id for m in middle.messages] == [m.id for m in every[3:7]]
        with pytest.raises(InvalidInput):
            await world.chat.reader.get_thread_messages(thread.id, 4, before=every[5].id, at=5)
        newest = await world.chat.reader.get_thread_messages(thread.id, 2)
        assert [m.id for m in newest.messages] == [m.id for m in every[8:]]


async def test_a_live_answer_is_read_as_shown(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("now"), asyncio.Event())
        created = await world.chat.create_thread(None, "", "q")
        await _streamed(world)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert (page.messages[-1].text, page.messages[-1].status) == ("now", Status.STREAMING)


async def test_one_turn_a_thread_and_any_number_of_threads(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("x"), asyncio.Event())
        created = await world.chat.create_thread(None, "", "q")
        await world.asked()
        with pytest.raises(TurnInProgress):
            await world.chat.send_message(created.thread.id, "another")
        with pytest.raises(TurnInProgress):
            await world.chat.regenerate_response(created.answer.id)
        other = await world.chat.create_thread(None, "", "elsewhere")
        assert (await world.answer_of(other)).text == "ok"
        await world.chat.stop(created.answer.id)


async def test_two_quick_presses_start_one_turn(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        results = await asyncio.gather(
            world.chat.send_message(thread.id, "once"),
            world.chat.send_message(thread.id, "once"),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in results) == ["Sent", "TurnInProgress"]
        await world.answer_of(next(result for result in results if not isinstance(result, Exception)))
        assert (await world.chat.get_thread(thread.id)).message_count == 2


async def test_each_refusal_has_its_own_error_and_changes_nothing(tmp_path: Path) -> None:
    async with chat_world(tmp_path, max_message_bytes=2048) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        chat = world.chat
        for error, call in (
            (InvalidId, chat.send_message("nonsense", "x")),
            (InvalidId, chat.get_thread("1; drop table threads")),
            (ThreadNotFound, chat.send_message(new_id(), "x")),
            (ThreadNotFound, chat.get_thread(new_id())),
            (ThreadNotFound, chat.reader.get_thread_messages(new_id())),
            (EmptyMessage, chat.send_message(thread.id, " \n\t")),
            (MessageTooLarge, chat.send_message(thread.id, "é" * 1025)),
            (UnknownParent, chat.send_message(thread.id, "x", parent_id=new_id())),
            (MessageNotFound, chat.reader.get_message(new_id())),
            (MessageNotFound, chat.paths.select_version(new_id())),
            (InvalidInput, chat.reader.get_thread_messages(thread.id, 0)),
            (InvalidInput, world.library.list_threads(ThreadQuery(), limit=100_000)),
            (NotPossible, chat.send_message(thread.id, "x", provider="nobody")),
        ):
            with pytest.raises(error):
                await call
        assert (await chat.get_thread(thread.id)).message_count == 0
        assert world.provider.requests == []
        await world.answer_of(await chat.send_message(thread.id, "é" * 1024))


async def test_a_parent_in_another_thread_is_unknown(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        one = await world.chat.create_thread(None, "", "q")
        await world.answer_of(one)
        two = (await world.chat.create_thread(None, "Two")).thread
        with pytest.raises(UnknownParent):
            await world.chat.send_message(two.id, "x", parent_id=one.question.id)


async def test_drafts_are_kept_for_each_thread(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "T")).thread
        await world.chat.drafts.save(thread.id, "half a th", 4)
        await world.chat.drafts.save(None, "new", 3)
    async with chat_world(tmp_path) as world:
        draft = await world.chat.drafts.get(thread.id)
        assert draft is not None and (draft.text, draft.cursor) == ("half a th", 4)
        await world.chat.drafts.save(thread.id, "", 0)
        assert await world.chat.drafts.get(thread.id) is None
        assert (await world.chat.drafts.get(None)).text == "new"


async def test_events_of_a_new_thread(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        await world.answer_of(await world.chat.create_thread(None, "", "q"))
        added = [event for event in world.events if isinstance(event, MessageAdded)]
        assert [event.message.role for event in added] == [Role.USER, Role.ASSISTANT]
        assert sum(isinstance(event, ThreadCreated) for event in world.events) == 1
        assert sum(isinstance(event, TurnStarted) for event in world.events) == 1


async def _streamed(world: ChatWorld) -> None:
    """Until the first text was published."""
    arrived = asyncio.Event()
    subscription = world.bus.subscribe(TextStreamed, lambda _event: arrived.set())
    if any(isinstance(event, TextStreamed) for event in world.events):
        arrived.set()
    async with asyncio.timeout(PATIENCE_S):
        await arrived.wait()
    subscription.cancel()


async def test_a_branch_is_a_thread_of_its_own(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "Plans", "one")
        await world.answer_of(created)
        branched = await world.chat.paths.branch_thread(created.answer.id)
        assert branched.title == "Plans (branch)"
        again = await world.chat.paths.branch_thread(branched.current_leaf_id)
        assert again.title == "Plans (branch)"
        assert sum(isinstance(event, ThreadCreated) for event in world.events) == 3
        await world.answer_of(await world.chat.send_message(branched.id, "two"))
        assert (await world.chat.get_thread(created.thread.id)).message_count == 2
        assert (await world.chat.get_thread(branched.id)).message_count == 4


async def test_an_answer_that_is_still_written_is_not_branched(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        release = asyncio.Event()
        world.provider.will(TextDelta("half"), release, DONE)
        created = await world.chat.create_thread(None, "", "one")
        with pytest.raises(TurnInProgress):
            await world.chat.paths.branch_thread(created.answer.id)
        release.set()
        await world.answer_of(created)


async def test_the_tree_of_a_thread_has_all_versions_and_the_trash(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("one\n two"), DONE)
        created = await world.chat.create_thread(None, "", "question")
        await world.answer_of(created)
        again = await world.chat.regenerate_response(created.answer.id)
        await world.finished(again.id)
        await world.chat.paths.delete_message(again.id)
        rows = await world.chat.reader.get_tree(created.thread.id)
        assert [(row.node.preview, row.node.is_in_trash, row.version) for row in rows] == [
            ("question", False, 1),
            ("ok", True, 0),
            ("one two", False, 1),
        ]


async def test_an_answer_out_of_a_file_goes_on_with_the_persons_own_choice(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("first "), asyncio.Event())
        created = await world.chat.create_thread(None, "", "go")
        await _streamed(world)
        stopped = await world.chat.stop(created.thread.id)
        assert stopped is not None

        def as_imported(conn: Connection) -> None:
            conn.exec_driver_sql("UPDATE messages SET provider = 'theirs', model = 'dear' WHERE id = ?", (stopped.id,))
            conn.exec_driver_sql("UPDATE threads SET provider = NULL, model = NULL")
            conn.exec_driver_sql("INSERT INTO import_origins VALUES ('claude', 'c/m', ?, '')", (stopped.id,))

        await world.database.write(as_imported)
        world.events.clear()
        world.provider.will(TextDelta("second"), DONE)
        answer = await world.chat.continue_message(stopped.id)
        finished = await world.finished(answer.id)
        assert (finished.provider, finished.model, finished.text) == ("scripted", "small", "first second")
