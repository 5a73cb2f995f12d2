"""Objects of Qt end in the thread that made them, whichever thread makes the garbage."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from types import ModuleType
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from chatdesk.ui.qt.async_tasks import run_until_done
from chatdesk.ui.qt.garbage import Collector, collected_here
from tests.helpers.waiting import until

# Ends the context of a window where Qt's objects are garbage: each has a connection, for which Qt has 131 locks.
_END_OF_A_WINDOW = """
import gc

from PySide6.QtCore import QCoreApplication, QObject

from chatdesk.ui.qt.garbage import collected_here


class InACycle(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.itself = self
        self.objectNameChanged.connect(print)


app = QCoreApplication([])
gc.disable()
for _ in range(3):
    with collected_here():
        for _ in range(400):
            InACycle()
        many = [[] for _ in range(3000)]
"""


class _InACycle(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.itself = self


def _make_garbage() -> None:
    """More than Python's own thresholds, all three generations of them."""
    for _ in range(200):
        pieces: list[Any] = [[] for _ in range(1_000)]
        pieces.append(pieces)


@pytest.mark.parametrize("maker", ["a thread", "the thread of the window"])
def test_an_object_of_qt_that_only_the_collector_finds_ends_in_the_windows_thread(
    qapp: QApplication, maker: str
) -> None:
    ended: list[threading.Thread] = []

    async def main() -> int:
        with collected_here():
            weakref.finalize(_InACycle(), lambda: ended.append(threading.current_thread()))

            async def has_ended() -> bool:
                if maker == "a thread":
                    await asyncio.to_thread(_make_garbage)
                else:
                    _make_garbage()
                return bool(ended)

            await until(has_ended)
        return 0

    assert run_until_done(qapp, main) == 0
    assert ended == [threading.main_thread()]


@pytest.mark.parametrize("is_enabled", [False, True])
def test_python_collects_afterwards_only_if_it_did_before(qapp: QApplication, is_enabled: bool) -> None:
    collects: list[bool] = []

    async def main() -> int:
        with collected_here():
            collects.append(gc.isenabled())
        collects.append(gc.isenabled())
        return 0

    (gc.enable if is_enabled else gc.disable)()
    try:
        assert run_until_done(qapp, main) == 0
    finally:
        gc.disable()
    assert collects == [False, is_enabled]


def test_a_window_ends_although_a_collection_could_wait_for_a_lock_of_its_own_thread() -> None:
    assert subprocess.run([sys.executable, "-c", _END_OF_A_WINDOW], timeout=60).returncode == 0


def test_the_loop_of_a_window_ends_with_it_and_its_running_timers_too(qapp: QApplication) -> None:
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def main() -> int:
        loop = asyncio.get_running_loop()
        loop.call_later(3_600, print, "far too late")
        loops.append(weakref.ref(loop))
        return 0

    assert run_until_done(qapp, main) == 0
    assert loops[0]() is None


def test_nothing_is_collected_before_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    counts = [(700, 10, 10), (701, 0, 0), (701, 11, 0), (0, 11, 11), (5, 0, 11)]
    monkeypatch.setattr(gc, "collect", collected.append)
    monkeypatch.setattr(gc, "get_count", lambda: counts.pop(0))
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    collector = Collector()
    while counts:
        collector.collect_what_is_due()
    assert collected == [0, 1, 2, 2]


def test_a_collection_skips_imported_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()
    frozen: list[int] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(len(sys.modules)))
    before = len(sys.modules)
    for number in range(100):
        monkeypatch.setitem(sys.modules, f"made_for_a_test_{number}", ModuleType("made"))
        collector.collect_what_is_due()
    assert frozen == [before + 30, before + 60, before + 90]


def test_a_busy_loop_collects_at_most_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    collector, now, collected = Collector(), [0.0], []
    monkeypatch.setattr("chatdesk.ui.qt.garbage.time.monotonic", lambda: now[0])
    monkeypatch.setattr(collector, "collect_what_is_due", lambda: collected.append(now[0]))
    for tenth in range(20):
        now[0] = tenth / 10
        collector.collect_sometimes()
    assert collected == [0.0, 0.5, 1.0, 1.5]
