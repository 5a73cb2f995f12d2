"""An answer in a person's own words: a version beside the model's, which the model takes for what it said."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chatdesk.core.chat.temporary import TemporaryThreads
from chatdesk.core.chat.undo import UndoStack
from chatdesk.core.clock import Clock
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import EDITED, ContextMark, Message, Part, PartType, Role, Status
from chatdesk.core.errors import EmptyMessage, MessageInTrash, NotPossible, TurnInProgress
from chatdesk.core.events import PathChanged
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, Usage, UsageReported
from chatdesk.core.storage.sync.wire import bodies as sync_bodies
from chatdesk.core.storage.sync.wire import rows as sync_inbox_rows
from chatdesk.core.transfer.exports.export import thread_to_json, thread_to_markdown
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.checks import integrity_check
from tests.helpers.counters import recounted


async def _asked(world: ChatWorld, *words: str) -> tuple[str, list[Message]]:
    """A thread with a question and an answer for each of ``words``, which are the answers."""
    thread_id = (await world.chat.create_thread(None, "")).thread.id
    for word in words:
        world.provider.will(TextDelta(word), UsageReported(Usage(7, 3)), StreamFinished(FinishReason.STOP))
        await world.answer_of(await world.chat.send_message(thread_id, f"to {word}"))
    return thread_id, await _shown(world, thread_id)


async def _shown(world: ChatWorld, thread_id: str) -> list[Message]:
    return list((await world.chat.reader.get_thread_messages(thread_id)).messages)


async def test_the_words_stand_beside_the_answer_and_are_sent_as_it(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (question, old, *_later) = await _asked(world, "grey", "late")
        world.events.clear()
        edited = await world.chat.manual_messages.edit_answer(old.id, "  green\n")
        mine = edited.answer
        assert (mine.role, mine.status, mine.text) == (Role.ASSISTANT, Status.COMPLETE, "  green\n")
        assert mine.is_edited_answer and not old.is_edited_answer
        assert (mine.parent_id, mine.version_index, mine.version_count) == (question.id, 2, 2)
        assert (mine.provider, mine.model, mine.total_tokens, mine.cost_usd) == (None, None, None, None)
        assert [message.id for message in await _shown(world, thread_id)] == [question.id, mine.id]
        assert edited.thread.current_leaf_id == mine.id
        assert await recounted(world.database, thread_id) == edited.thread
        assert PathChanged(thread_id, question.id) in world.events
        assert len(world.provider.requests) == 2  # nobody was asked
        # The model's own version is as it was, with what came after it.
        assert (await world.chat.reader.get_message(old.id)).text == "grey"
        await world.chat.paths.select_version(old.id)
        assert [message.text for message in await _shown(world, thread_id)][1:] == ["grey", "to late", "late"]
        await world.chat.paths.select_version(mine.id)
        await world.answer_of(await world.chat.send_message(thread_id, "and now?"))
        said = [(each.role, each.text) for each in world.provider.requests[-1].messages]
        assert said == [(Role.USER, "to grey"), (Role.ASSISTANT, "  green\n"), (Role.USER, "and now?")]
        assert await integrity_check(world.database) == []


async def test_it_is_counted_as_what_it_says(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (_question, old) = await _asked(world, "grey")
        before = (await world.chat.context.entries(thread_id)).entries[1]
        await world.chat.manual_messages.edit_answer(old.id, "green leaf " * 100)
        after = (await world.chat.context.entries(thread_id)).entries[1]
        assert (before.role, after.role) == ("assistant", "assistant")
        assert after.tokens > before.tokens + 100
        thread = await world.chat.get_thread(thread_id)
        assert (thread.total_input_tokens, thread.total_output_tokens) == (7, 3)  # what the provider was asked for


async def test_after_it_one_may_regenerate_and_edit_again_but_not_continue(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (question, old) = await _asked(world, "grey")
        mine = (await world.chat.manual_messages.edit_answer(old.id, "green")).answer
        with pytest.raises(NotPossible):
            await world.chat.continue_message(mine.id)
        again = (await world.chat.manual_messages.edit_answer(mine.id, "blue")).answer
        assert (again.version_index, again.version_count) == (3, 3)
        other = await world.chat.regenerate_response(again.id)
        await world.finished(other.id)
        assert [each.text for each in world.provider.requests[-1].messages] == ["to grey"]
        texts = [each.text for each in await world.chat.reader.list_versions(other.id)]
        assert texts == ["grey", "green", "blue", "ok"]
        assert (await world.chat.reader.get_message(other.id)).parent_id == question.id
        branch = await world.chat.paths.branch_thread(again.id)
        assert [each.is_edited_answer for each in await _shown(world, branch.id)] == [False, True]
        assert thread_id != branch.id


async def test_an_answer_that_broke_off_becomes_whole(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("half a"), StreamFinished(FinishReason.LENGTH))
        created = await world.chat.create_thread(None, "", "one")
        await world.answer_of(created)
        assert created.answer is not None
        mine = (await world.chat.manual_messages.edit_answer(created.answer.id, "half a loaf")).answer
        assert (mine.status, mine.finish_reason) == (Status.COMPLETE, EDITED)
        with pytest.raises(NotPossible):
            await world.chat.continue_message(mine.id)


async def test_not_while_an_answer_is_being_written(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (_question, old) = await _asked(world, "grey")
        goes_on = asyncio.Event()
        world.provider.will(TextDelta("so far"), goes_on, StreamFinished(FinishReason.STOP))
        sent = await world.chat.send_message(thread_id, "two")
        for message_id in (old.id, sent.answer.id):
            with pytest.raises(TurnInProgress):
                await world.chat.manual_messages.edit_answer(message_id, "green")
        with pytest.raises(TurnInProgress):  # nor does storage take it, whoever writes
            await world.repositories.messages.add_edited_answer(sent.answer.id, "green")
        goes_on.set()
        await world.answer_of(sent)
        assert (await world.chat.reader.get_message(old.id)).version_count == 1
        assert (await world.chat.manual_messages.edit_answer(sent.answer.id, "green")).answer.version_count == 2


async def test_what_cannot_be_edited_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (question, old) = await _asked(world, "grey")
        with pytest.raises(NotPossible):
            await world.chat.manual_messages.edit_answer(question.id, "no answer")
        with pytest.raises(NotPossible):
            await world.chat.edit_message(old.id, "no question")
        with pytest.raises(EmptyMessage):
            await world.chat.manual_messages.edit_answer(old.id, " \n")
        await world.chat.paths.delete_message(old.id)
        with pytest.raises(MessageInTrash):
            await world.chat.manual_messages.edit_answer(old.id, "green")
        assert (await world.chat.get_thread(thread_id)).message_count == 1


async def test_undo_shows_the_old_path_again_and_redo_the_new_one(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (_question, old, *_later) = await _asked(world, "grey", "late")
        stack = UndoStack(world.chat)
        mine = (await stack.edit_answer(old.id, "green")).answer
        assert stack.last is not None
        assert (stack.last.label, stack.last.thread_id) == ("edit", thread_id)
        await stack.undo()
        assert [message.text for message in await _shown(world, thread_id)] == ["to grey", "grey", "to late", "late"]
        assert (await world.chat.reader.get_message(old.id)).version_count == 1
        await stack.redo()
        assert [message.id for message in await _shown(world, thread_id)][1:] == [mine.id]


async def test_it_travels_as_an_ordinary_message(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        _thread_id, (_question, old) = await _asked(world, "grey")
        mine = (await world.chat.manual_messages.edit_answer(old.id, "green")).answer
        changes = await world.database.read(
            lambda conn: conn.exec_driver_sql(
                "SELECT kind, op FROM changes WHERE entity = ? AND mine = 1", (mine.id,)
            ).all()
        )
        assert [tuple(row) for row in changes] == [("message", "new")]
        bodies = await world.database.read(lambda conn: sync_bodies.make_messages(conn, [mine.id]))
        text = bodies[mine.id].text()
        rows = sync_inbox_rows.read_message(text, message_id=mine.id, hlc=1, device="d")
        assert rows is not None
        read = dict(zip(sync_inbox_rows.MESSAGE_COLUMNS, rows.message, strict=True))
        assert (read["role"], read["finish_reason"], read["model"]) == ("assistant", EDITED, None)
        assert (read["parent_id"], read["context_mark"]) == (old.parent_id, ContextMark.NONE)
        assert json.loads(text)["finish_reason"] == EDITED


async def test_an_export_says_who_wrote_it(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (_question, old) = await _asked(world, "grey")
        await world.chat.manual_messages.edit_answer(old.id, "green")
        thread, shown = await world.chat.get_thread(thread_id), await _shown(world, thread_id)
        headings = [line for line in thread_to_markdown(thread, shown).splitlines() if line.startswith("## ")]
        assert headings[-1].startswith("## Edited answer · ")
        assert json.loads(thread_to_json(thread, shown))["messages"][-1]["finish_reason"] == EDITED


async def test_the_tree_of_versions_knows_it(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id, (_question, old) = await _asked(world, "grey")
        mine = (await world.chat.manual_messages.edit_answer(old.id, "green")).answer
        tree = await world.chat.reader.get_tree(thread_id)
        assert [row.node.id for row in tree if row.node.is_edited] == [mine.id]
        assert {row.version_count for row in tree if row.node.role == "assistant"} == {2}


async def test_in_a_temporary_chat_it_is_kept_with_the_rest(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        temporary = TemporaryThreads(world.chat, world.database, world.bus, Clock())
        thread = await temporary.create()
        chat = temporary.chat_of(thread.id)
        sent = await chat.send_message(thread.id, "one")
        await chat.turns.wait_for_all()
        await chat.manual_messages.edit_answer(sent.answer.id, "green")
        count = "SELECT count(*) FROM messages"
        assert await world.database.read(lambda conn: conn.exec_driver_sql(count).scalar()) == 0
        kept = await temporary.keep()
        _question, mine = await _shown(world, kept.id)
        assert (mine.text, mine.is_edited_answer, mine.version_count) == ("green", True, 2)


async def test_what_was_attached_to_the_answer_stays_with_it(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        _thread_id, (_question, old) = await _asked(world, "grey")
        file = Attachment("leaf.txt", "text/plain", "a" * 64, 4)
        mine = (await world.chat.manual_messages.edit_answer(old.id, "green", attachments=(file,))).answer
        assert [part.type for part in mine.parts] == [PartType.FILE, PartType.TEXT]
        again = (await world.chat.manual_messages.edit_answer(mine.id, "blue")).answer
        assert [_name(part) for part in again.parts] == ["leaf.txt", ""]


def _name(part: Part) -> str:
    return str(part.content.get("name", ""))
