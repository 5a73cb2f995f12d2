"""Asynchronous generators that are dropped in the window are closed on its loop, whoever collects them."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncGenerator, Callable

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.ui.qt.async_tasks import run_until_done
from tests.helpers.waiting import PATIENCE_S


@pytest.fixture
def unraised(monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    found: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda arguments: found.append(arguments.exc_value))
    return found


class Left:
    """A generator that has to wait to end, in a cycle, so that only the collector finds it."""

    def __init__(self, ended: Callable[[tuple[threading.Thread, bool]], object]) -> None:
        self._ended = ended
        self.numbers = self._numbers()

    async def _numbers(self) -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            self._ended((threading.current_thread(), asyncio.current_task() is not None))


def test_a_dropped_generator_is_closed_on_the_loop_of_the_window(
    qapp: QApplication, unraised: list[BaseException | None]
) -> None:
    async def main() -> int:
        ended: asyncio.Future[tuple[threading.Thread, bool]] = asyncio.get_running_loop().create_future()
        gc.collect()  # the thread below may only find what is left here: no widgets and timers of other tests
        left = Left(ended.set_result)
        assert await anext(left.numbers) == 1
        del left
        await asyncio.to_thread(gc.collect)
        async with asyncio.timeout(PATIENCE_S):
            thread, is_in_task = await ended
        assert thread is threading.main_thread()
        assert is_in_task
        return 0

    gc.disable()
    try:
        assert run_until_done(qapp, main) == 0
    finally:
        gc.enable()
    assert unraised == []


def test_generators_that_are_open_at_the_end_are_closed_and_the_hooks_are_put_back(
    qapp: QApplication, unraised: list[BaseException | None]
) -> None:
    before = sys.get_asyncgen_hooks()
    ended: list[tuple[threading.Thread, bool]] = []
    kept: list[Left] = []

    async def main() -> int:
        kept.append(Left(ended.append))
        return await anext(kept[0].numbers)

    assert run_until_done(qapp, main) == 1
    assert ended == [(threading.main_thread(), True)]
    assert sys.get_asyncgen_hooks() == before
    assert unraised == []


def test_a_generator_that_cannot_be_closed_fails_nothing(
    qapp: QApplication, unraised: list[BaseException | None]
) -> None:
    is_left = asyncio.Event()

    async def stubborn() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            is_left.set()
            raise ValueError

    async def main() -> int:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unraised.append(context["exception"]))
        await anext(stubborn())
        async with asyncio.timeout(PATIENCE_S):
            await is_left.wait()
        return 0

    assert run_until_done(qapp, main) == 0
    assert unraised == []
