"""Background tasks end with their owner, whatever state they are in."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.task_set import TaskSet, uninterruptible
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import MessageAdded, PathChanged
from tests.helpers.chat_world import chat_world
from tests.helpers.waiting import PATIENCE_S


async def test_closing_ends_what_runs_and_does_not_wait_for_what_has_ended() -> None:
    tasks = TaskSet()
    ended = tasks.start(asyncio.sleep(0), "ends")
    running = tasks.start(asyncio.Event().wait(), "runs")
    while not ended.done():
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await tasks.close()
        await tasks.close()
    assert running.cancelled()


async def test_closing_right_when_a_task_ends_returns() -> None:
    """Its callback has not run yet; waiting for that in a loop that never yields would hang for ever."""
    tasks = TaskSet()
    done = asyncio.Event()

    async def end() -> None:
        done.set()

    tasks.start(end(), "ends")
    await done.wait()
    async with asyncio.timeout(PATIENCE_S):
        await tasks.close()


async def test_tasks_started_by_a_cancelled_task_are_ended_too() -> None:
    tasks = TaskSet()
    second: list[asyncio.Task[object]] = []

    async def start_another() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            second.append(tasks.start(asyncio.Event().wait(), "another"))

    tasks.start(start_another(), "first")
    await asyncio.sleep(0)
    await tasks.close()
    assert second[0].cancelled()


@pytest.mark.parametrize(("error", "is_logged"), [(NotPossible("no"), False), (ZeroDivisionError(), True)])
async def test_only_an_unexpected_failure_is_logged(
    caplog: pytest.LogCaptureFixture, error: Exception, is_logged: bool
) -> None:
    async def fail() -> None:
        raise error

    tasks = TaskSet()
    with caplog.at_level(logging.ERROR):
        task = tasks.start(fail(), "fails")
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert bool(caplog.records) == is_logged


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
