"""A note is in the thread, asks for no answer, and the model sees it where the person says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatdesk.core.chat.undo import UndoStack
from chatdesk.core.domain.message import NOTE, ContextMark, Role
from chatdesk.core.errors import EmptyMessage, NotPossible
from chatdesk.core.storage.sync.wire import bodies as sync_bodies
from chatdesk.core.storage.sync.wire import rows as sync_inbox_rows
from chatdesk.core.transfer.exports.export import thread_to_json, thread_to_markdown
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.checks import integrity_check


async def _thread(world: ChatWorld) -> str:
    created = await world.chat.create_thread(None, "", "first question")
    await world.answer_of(created)
    return created.thread.id


async def test_a_note_gets_no_answer_and_is_seen_by_choice(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id = await _thread(world)
        noted = await world.chat.manual_messages.add_note(thread_id, "buy quinces")
        note = noted.question
        assert note.is_note
        assert (note.role, note.finish_reason, note.context_mark) == (Role.USER, NOTE, ContextMark.EXCLUDED)
        assert noted.thread.current_leaf_id == note.id
        assert not world.chat.is_answering(thread_id)
        assert len(world.provider.requests) == 1
        sent = await world.chat.send_message(thread_id, "second question")
        await world.answer_of(sent)
        assert sent.question.parent_id == note.id
        assert "quinces" not in str(world.provider.requests[-1])
        await world.chat.context.steering.mark_message(note.id, ContextMark.NONE)
        again = await world.chat.send_message(thread_id, "third question")
        await world.answer_of(again)
        assert "quinces" in str(world.provider.requests[-1])
        assert await integrity_check(world.database) == []


async def test_a_new_thread_may_begin_with_a_note(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "")).thread
        noted = await world.chat.manual_messages.add_note(thread.id, "Plans for the garden")
        assert noted.thread.title == "Plans for the garden"
        sent = await world.chat.send_message(thread.id, "what now?")
        await world.answer_of(sent)
        with pytest.raises(EmptyMessage):
            await world.chat.manual_messages.add_note(thread.id, "  ")


async def test_editing_a_note_makes_another_note(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id = await _thread(world)
        note = (await world.chat.manual_messages.add_note(thread_id, "one")).question
        stack = UndoStack(world.chat)
        edited = await stack.edit_message(note.id, "two")
        assert edited.question.is_note
        assert edited.question.version_count == 2
        page = await world.chat.reader.get_thread_messages(thread_id)
        assert [message.text for message in page.messages] == ["first question", "ok", "two"]
        assert len(world.provider.requests) == 1
        await stack.undo()
        page = await world.chat.reader.get_thread_messages(thread_id)
        assert page.messages[-1].id == note.id
        with pytest.raises(NotPossible):
            await world.chat.manual_messages.edit_note(page.messages[0].id, "no note")


async def test_a_note_travels_and_stays_unseen_by_the_model_elsewhere(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id = await _thread(world)
        note = (await world.chat.manual_messages.add_note(thread_id, "for the team")).question
        bodies = await world.database.read(lambda conn: sync_bodies.make_messages(conn, [note.id]))
        text = bodies[note.id].text()
        assert json.loads(text)["finish_reason"] == NOTE
        rows = sync_inbox_rows.read_message(text, message_id=note.id, hlc=1, device="d")
        assert rows is not None
        read = dict(zip(sync_inbox_rows.MESSAGE_COLUMNS, rows.message, strict=True))
        assert (read["finish_reason"], read["context_mark"]) == (NOTE, ContextMark.EXCLUDED)
        question = json.loads(text) | {"finish_reason": None}
        plain = sync_inbox_rows.read_message(json.dumps(question), message_id=note.id, hlc=1, device="d")
        assert plain is not None
        assert plain.message[sync_inbox_rows.MESSAGE_COLUMNS.index("context_mark")] == ContextMark.NONE


async def test_an_export_says_that_it_is_a_note(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        thread_id = await _thread(world)
        await world.chat.manual_messages.add_note(thread_id, "noted")
        page = await world.chat.reader.get_thread_messages(thread_id)
        value = thread_to_json(await world.chat.get_thread(thread_id), page.messages)
        exported = json.loads(value) if isinstance(value, str) else value
        assert NOTE in json.dumps(exported)
        text = thread_to_markdown(await world.chat.get_thread(thread_id), page.messages)
        assert [line[:7] for line in text.splitlines() if line.startswith("## ")][-1] == "## Note"
