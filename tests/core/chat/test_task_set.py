"""Background tasks end with their owner, whatever state they are in."""

from __future__ import annotations

import asyncio
import logging

import pytest

from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.errors import NotPossible
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


async def test_what_a_cancelled_task_starts_is_ended_too() -> None:
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
