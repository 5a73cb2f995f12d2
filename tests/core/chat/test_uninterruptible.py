"""Whoever waits for a change may be cancelled: what is stored is told all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.uninterruptible import uninterruptible
from chatdesk.core.events import MessageAdded, PathChanged
from tests.helpers.chat_world import chat_world


async def test_a_question_whose_sender_is_cancelled_is_told_and_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chat_world(tmp_path) as world:
        thread = (await world.chat.create_thread(None, "")).thread
        real = world.repositories.messages.add_question
        stored, go_on = asyncio.Event(), asyncio.Event()

        async def slow(*values: Any, **options: Any) -> Any:
            result = await real(*values, **options)
            stored.set()
            await go_on.wait()
            return result

        monkeypatch.setattr(world.repositories.messages, "add_question", slow)
        sending = asyncio.ensure_future(world.chat.send_message(thread.id, "a question"))
        await stored.wait()
        sending.cancel()
        await asyncio.sleep(0)
        assert not sending.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await sending
        added = [event.message for event in world.events if isinstance(event, MessageAdded)]
        assert [message.role.value for message in added] == ["user", "assistant"]
        answer = await world.finished(added[1].id)
        assert answer.text == "ok"  # type: ignore[attr-defined]


async def test_a_version_that_is_chosen_and_given_up_is_shown(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        created = await world.chat.create_thread(None, "", "a question")
        await world.answer_of(created)
        again = await world.chat.regenerate_response(created.answer.id)  # type: ignore[union-attr]
        await world.finished(again.id)
        world.events.clear()
        choosing = asyncio.ensure_future(world.chat.paths.select_version(created.answer.id))  # type: ignore[union-attr]
        await asyncio.sleep(0)
        choosing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await choosing
        assert any(isinstance(event, PathChanged) for event in world.events)
        page = await world.chat.reader.get_thread_messages(created.thread.id)
        assert page.messages[-1].id == created.answer.id  # type: ignore[union-attr]


async def test_what_fails_after_its_caller_was_cancelled_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    @uninterruptible
    async def fail() -> None:
        begun.set()
        await go_on.wait()
        raise ValueError("not this time")

    waiting = asyncio.ensure_future(fail())
    await begun.wait()
    waiting.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(ValueError, match="not this time"):
        await fail()
    assert not caplog.records
