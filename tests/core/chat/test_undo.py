"""Undo: after any sequence of changes the way back leads through the same states, and the way forth again."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatdesk.core.chat.undo import Lasting, UndoStack
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.errors import MessageInTrash, MessageNotFound, NotPossible, StorageFull, ThreadInTrash
from chatdesk.core.events import PathChanged
from chatdesk.core.ids import new_id
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.counters import recounted
from tests.helpers.examples import examples

_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "delete",
                "cut",
                "restore",
                "select",
                "edit",
                "own",
                "rename",
                "mark",
                "start",
            ]
        ),
        st.integers(0, 30),
    ),
    max_size=8,
)


async def _state(world: ChatWorld, thread_id: str) -> tuple[object, ...]:
    """What a reader can tell: the thread with its counters, what is live, and what is shown."""
    thread = await world.chat.get_thread(thread_id)
    assert await recounted(world.database, thread_id) == thread
    live = await world.database.read(
        lambda conn: tuple(
            row[0]
            for row in conn.exec_driver_sql(
                "SELECT id FROM messages WHERE thread_id = ? AND deleted_at IS NULL ORDER BY id", (thread_id,)
            )
        )
    )
    page = await world.repositories.messages.page(thread_id, limit=500)
    shown = tuple(message.id for message in page.messages)
    assert page.total == len(shown)
    flags = (thread.pinned_at is None, thread.archived_at is None, thread.deleted_at is None)
    context = await world.database.read(
        lambda conn: (
            conn.exec_driver_sql("SELECT context_from_id FROM threads WHERE id = ?", (thread_id,)).scalar(),
            tuple(
                conn.exec_driver_sql("SELECT id, context_mark FROM messages WHERE context_mark <> '' ORDER BY id").all()
            ),
        )
    )
    return (thread.title, flags, thread.message_count, thread.current_leaf_id, live, shown, context)


async def _ids(world: ChatWorld, *, in_trash: bool) -> list[str]:
    condition = "IS NOT NULL" if in_trash else "IS NULL"
    return await world.database.read(
        lambda conn: [
            row[0] for row in conn.exec_driver_sql(f"SELECT id FROM messages WHERE deleted_at {condition} ORDER BY id")
        ]
    )


async def _change(world: ChatWorld, stack: UndoStack, thread_id: str, name: str, pick: int) -> None:
    ids = await _ids(world, in_trash=name == "restore")
    chosen = ids[pick % len(ids)] if ids else ""
    by_name = {
        "delete": lambda: stack.delete_message(chosen),
        "cut": lambda: stack.delete_message(chosen, with_later=True),
        "restore": lambda: stack.restore_message(chosen),
        "select": lambda: stack.select_version(chosen),
        "mark": lambda: stack.mark_message(chosen, list(ContextMark)[pick % 3]),
        "own": lambda: stack.edit_answer(chosen, f"own {pick}"),
        "start": lambda: stack.start_context(thread_id, chosen if pick % 4 else None),
        "rename": lambda: stack.rename_thread(thread_id, f"Title {pick % 3}"),
    }
    if not chosen and name != "rename":
        return  # everything is in the trash
    if name == "edit":
        sent = await stack.edit_message(chosen, f"edit {pick}")
        await world.answer_of(sent)
    else:
        await by_name[name]()


async def _there_and_back(changes: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with chat_world(Path(folder)) as world:
            created = await world.chat.create_thread(None, "Title", "one")
            await world.answer_of(created)
            thread = created.thread.id
            await world.answer_of(await world.chat.send_message(thread, "two"))
            await world.finished((await world.chat.regenerate_response(created.answer.id)).id)
            stack = UndoStack(world.chat)
            states = [await _state(world, thread)]
            for name, pick in changes:
                before = stack.last
                with suppress(NotPossible, MessageInTrash, MessageNotFound, ThreadInTrash):
                    await _change(world, stack, thread, name, pick)
                if stack.last is not before:
                    states.append(await _state(world, thread))
            forth = list(states)
            while stack.last is not None:
                await stack.undo()
                states.pop()
                assert await _state(world, thread) == states[-1]
            assert len(states) == 1
            for state in forth[1:]:
                await stack.redo()
                assert await _state(world, thread) == state
            assert stack.next is None


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=_CHANGES)
def test_undo_and_redo_lead_through_the_same_states(changes: list[tuple[str, int]]) -> None:
    asyncio.run(_there_and_back(changes))


async def test_a_deleted_message_comes_back_where_it_was(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        stack = UndoStack(world.chat)
        moved = await stack.delete_message(created.question.id)
        assert moved.message_ids == (created.question.id,)
        assert stack.last is not None and stack.last.label == "delete message"
        step = await stack.undo()
        assert step is not None and stack.next is step and stack.last is None
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert [message.id for message in page.messages] == [created.question.id, created.answer.id]


async def test_a_new_change_forgets_what_was_undone(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "Plans")).thread
        stack = UndoStack(world.chat)
        await stack.rename_thread(thread.id, "Other")
        await stack.undo()
        await stack.rename_thread(thread.id, "Third")
        assert await stack.redo() is None
        assert (await world.chat.get_thread(thread.id)).title == "Third"


async def test_a_step_counts_as_done_again_only_when_it_is() -> None:
    stack, running, goes_on = UndoStack(None), asyncio.Event(), asyncio.Event()  # type: ignore[arg-type]

    async def slow() -> None:
        running.set()
        await goes_on.wait()

    stack.record("slow", slow, slow)
    await_undo = asyncio.create_task(stack.undo())
    await running.wait()
    assert stack.last is not None and stack.next is None
    goes_on.set()
    await await_undo
    assert stack.last is None and stack.next is not None


async def test_a_step_that_storage_refuses_can_be_tried_again_and_one_that_fails_is_given_up() -> None:
    stack, failures = UndoStack(None), [StorageFull(), NotPossible()]  # type: ignore[arg-type]

    async def act() -> None:
        if failures:
            raise failures.pop(0)

    stack.record("first", act, act)
    stack.record("second", act, act)
    with pytest.raises(StorageFull):
        await stack.undo()
    assert stack.last is not None and stack.last.label == "second"
    with pytest.raises(NotPossible):
        await stack.undo()
    assert stack.last.label == "first" and stack.next is None
    await stack.undo()
    failures.append(StorageFull())
    with pytest.raises(StorageFull):
        await stack.redo()
    assert stack.next is not None
    await stack.redo()
    assert stack.last.label == "first"


async def test_nothing_to_take_back_is_no_failure_and_no_change_is_no_step(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "Plans")).thread
        stack = UndoStack(world.chat)
        await stack.rename_thread(thread.id, "Plans")
        assert await stack.undo() is None
        assert await stack.redo() is None


async def test_a_step_can_be_taken_back_out_of_turn_and_only_once(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "Plans")).thread
        stack = UndoStack(world.chat)
        await stack.rename_thread(thread.id, "Other")
        renamed = stack.last
        change = await world.library.pin([thread.id])
        stack.record("pin thread", partial(world.library.undo, change), partial(world.library.redo, change))
        assert await stack.undo(renamed) is renamed
        assert await stack.undo(renamed) is None
        now = await world.chat.get_thread(thread.id)
        assert (now.title, now.pinned_at is not None) == ("Plans", True)


async def test_what_is_gone_for_good_is_said_and_given_up(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        stack = UndoStack(world.chat)
        await stack.delete_message(created.question.id)
        await world.repositories.trash.purge_expired(2**60)
        with pytest.raises(NotPossible):
            await stack.undo()
        assert stack.last is None and stack.next is None


async def test_only_the_newest_hundred_steps_are_kept(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "0")).thread
        stack = UndoStack(world.chat)
        for number in range(1, 103):
            await stack.rename_thread(thread.id, str(number))
        while await stack.undo():
            pass
        assert (await world.chat.get_thread(thread.id)).title == "2"


async def test_messages_deleted_by_a_vanished_list_are_refused(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        await world.chat.paths.delete_message(created.answer.id)
        with pytest.raises(MessageNotFound):
            await world.chat.paths.delete_messages([created.answer.id])


async def test_going_back_to_a_version_says_from_where_the_path_differs(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        again = await world.chat.regenerate_response(created.answer.id)
        await world.finished(again.id)
        stack = UndoStack(world.chat)
        await stack.select_version(created.answer.id)
        world.events.clear()
        await stack.undo()
        (changed,) = [event for event in world.events if isinstance(event, PathChanged)]
        assert changed.from_message_id == created.question.id
        await world.chat.paths.lead_path_to(created.question.id)


async def test_of_very_large_changes_only_the_last_ones_are_remembered(tmp_path: Path) -> None:
    async def nothing() -> None:
        pass

    async with chat_world(tmp_path) as world:
        stack = UndoStack(world.chat)
        for number in range(5):
            stack.record(f"step {number}", nothing, nothing, size=140_000)
        labels = []
        while (step := await stack.undo()) is not None:
            labels.append(step.label)
        assert labels == ["step 4", "step 3"]
        stack.record("larger than all", nothing, nothing, size=10**6)
        assert stack.last is not None


def test_a_change_of_a_list_waits_behind_what_was_done_in_any_thread() -> None:
    async def nothing() -> None:
        pass

    stack = UndoStack(None)  # type: ignore[arg-type]
    stack.record("in a list", nothing, nothing)
    stack.record("in another thread", nothing, nothing, thread_id="b")
    stack.record_lasting("ask", thread_id="a")
    stack.record_lasting("note", thread_id="a")
    for shown in ("a", None):
        seen = stack.last_seen_from(shown)
        assert isinstance(seen, Lasting) and seen.label == "note"
    seen = stack.last_seen_from("b")
    assert seen is not None and seen.label == "in another thread"
    lasting = stack.last_seen_from("a")
    assert isinstance(lasting, Lasting)
    stack.pass_over(lasting)
    seen = stack.last_seen_from("a")
    assert seen is not None and seen.label == "in a list"


async def test_undo_waits_until_changes_that_have_begun_are_recorded(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "Plans")).thread
        stack = UndoStack(world.chat)
        seen: list[str | None] = []

        async def look() -> None:
            await stack.begun.wait_for_all()
            seen.append(None if stack.last is None else stack.last.label)

        renaming = asyncio.create_task(stack.rename_thread(thread.id, "Quinces"))
        await asyncio.sleep(0)
        await look()
        await renaming
        with pytest.raises(MessageNotFound):
            await stack.delete_message(new_id())
        await look()  # a change that failed keeps nobody waiting
        assert seen == ["rename thread", "rename thread"]
