"""The loop of the window runs what asyncio's own loops would run, in their order, with few of Qt's timers."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Coroutine
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QEventLoop, QObject
from PySide6.QtWidgets import QApplication

from chatdesk.ui.qt.async_tasks import run_until_done
from tests.helpers.waiting import PATIENCE_S, until


def _run(qapp: QApplication, work: Coroutine[Any, Any, None]) -> None:
    async def main() -> int:
        async with asyncio.timeout(PATIENCE_S):
            await work
        return 0

    assert run_until_done(qapp, main) == 0


def test_callbacks_run_in_the_order_they_were_asked_for_but_for_cancelled_ones(qapp: QApplication) -> None:
    async def work() -> None:
        loop, ran = asyncio.get_running_loop(), list[int]()
        handles = [loop.call_soon(ran.append, number) for number in range(5)]
        handles[2].cancel()
        await asyncio.sleep(0)
        assert ran == [0, 1, 3, 4]

    _run(qapp, work())


def test_callbacks_run_at_their_times_and_never_sooner(qapp: QApplication) -> None:
    async def work() -> None:
        loop, ran = asyncio.get_running_loop(), list[tuple[str, bool]]()

        def note(name: str, when: float) -> None:
            ran.append((name, loop.time() >= when))

        now = loop.time()
        for name, delay in (("last", 0.03), ("first", 0.001), ("cancelled", 0.004), ("second", 0.0123)):
            handle = loop.call_at(now + delay, note, name, now + delay)
            if name == "cancelled":
                handle.cancel()
        await until(lambda: len(ran) == 3)
        assert ran == [("first", True), ("second", True), ("last", True)]

    _run(qapp, work())


def test_a_timer_fires_after_many_others_were_cancelled(qapp: QApplication) -> None:
    async def work() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(0.02, done.set)
        for _ in range(1_000):
            loop.call_later(60, done.clear).cancel()
        await done.wait()

    _run(qapp, work())


def test_a_cancelled_callback_is_let_go_of_before_its_time(qapp: QApplication) -> None:
    class Held:
        def call(self) -> None: ...

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for ask in (loop.call_soon, lambda call: loop.call_later(60, call)):
            held = Held()
            seen, handle = weakref.ref(held), ask(held.call)
            handle.cancel()
            del held
            assert seen() is None and handle.cancelled()

    _run(qapp, work())


def test_a_callback_that_fails_holds_up_none_behind_it(qapp: QApplication) -> None:
    async def work() -> None:
        loop, ran, failed = asyncio.get_running_loop(), list[int](), list[object]()
        loop.set_exception_handler(lambda _loop, context: failed.append(context["exception"]))
        error = ValueError("expected")

        def fail() -> None:
            raise error

        loop.call_soon(fail)
        loop.call_soon(ran.append, 1)
        await asyncio.sleep(0)
        assert (failed, ran) == ([error], [1])

    _run(qapp, work())


@pytest.mark.parametrize("is_asked_before", [True, False])
def test_callbacks_run_inside_a_loop_that_a_callback_opened(qapp: QApplication, is_asked_before: bool) -> None:
    """As while the dialog of a file is open."""

    async def work() -> None:
        loop, inner, over = asyncio.get_running_loop(), QEventLoop(), asyncio.Event()

        def open_loop() -> None:
            if not is_asked_before:
                loop.call_soon(inner.quit)
            inner.exec()
            over.set()

        loop.call_soon(open_loop)
        if is_asked_before:
            loop.call_soon(inner.quit)
        await over.wait()

    _run(qapp, work())


def test_callbacks_asked_for_together_share_one_of_qts_timers(qapp: QApplication) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        with _TimerEvents(qapp) as events:
            for _ in range(300):
                loop.call_soon(int)
            await asyncio.sleep(0)
        assert events.count < 100

    _run(qapp, work())


class _TimerEvents(QObject):
    """Counts those of the whole application."""

    def __init__(self, qapp: QApplication) -> None:
        super().__init__()
        self._qapp = qapp
        self.count = 0

    def __enter__(self) -> _TimerEvents:
        self._qapp.installEventFilter(self)
        return self

    def __exit__(self, *_raised: object) -> None:
        self._qapp.removeEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.Timer
        return False
