"""A reader in a long thread, through the whole application: opening it, scrolling, jumping, resizing, memory.

``reading_probe open DATA THREAD`` or ``reading_probe scroll DATA THREAD STEPS``. Times are processor time of the GUI
thread in ms: a noisy machine does not change them much. Prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QSize
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QPlainTextEdit

from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.transcript.view import TranscriptView
from tests.benchmarks.answers import message_text
from tests.benchmarks.loop_probe import LoopProbe
from tests.benchmarks.start_probe import memory_mb

_STEP_PX = 120.0
_PACE_S = 1 / 60
_QUIET_S = 0.25


class Paints:
    """Counts what the transcript paints; ``cpu_s`` is the thread's clock right after the paint that was waited for last.
    Made before the view is: Qt looks an override up once."""

    def __init__(self) -> None:
        self.count = 0
        self.cpu_s = 0.0
        self._is_there: Callable[[], bool] = lambda: False
        self._seen: asyncio.Future[None] | None = None
        paint = TranscriptView.paintEvent

        def counted(view: TranscriptView, event: QPaintEvent) -> None:
            paint(view, event)
            cpu_s = time.thread_time()
            self.count += 1
            if self._seen is not None and not self._seen.done() and self._is_there():
                self.cpu_s = cpu_s
                self._seen.set_result(None)

        TranscriptView.paintEvent = counted  # type: ignore[method-assign]

    async def until(self, is_there: Callable[[], bool]) -> None:
        """Until something was painted while ``is_there``: a paint before that does not count."""
        self._is_there, self._seen = is_there, asyncio.get_running_loop().create_future()
        async with asyncio.timeout(20):
            await self._seen


async def opening(application: Any, paints: Paints, thread_id: str) -> dict[str, Any]:
    view = application.panes.transcript
    with LoopProbe() as probe:
        began = time.thread_time()
        opened = asyncio.ensure_future(application.threads.open(thread_id))
        await paints.until(lambda: view.thread_id == thread_id and bool(view.entries))
        first_paint_ms = (paints.cpu_s - began) * 1000
        painted_at = changed_at = time.monotonic()
        seen: object = None
        while time.monotonic() - changed_at < _QUIET_S:
            bar = view.verticalScrollBar()
            now = (bar.maximum(), bar.value(), paints.count)
            if now != seen:
                seen, changed_at = now, time.monotonic()
            await asyncio.sleep(0.01)
        await opened
    return {
        "first_paint_ms": first_paint_ms,
        "settled_ms": (changed_at - painted_at) * 1000,
        "slices_ms": probe.cpu_ms,
        "turns_ms": probe.turns_ms,
        "total": view.total,
    }


async def reading(application: Any, paints: Paints, thread_id: str, steps: int) -> dict[str, Any]:
    view = application.panes.transcript
    empty_mb = memory_mb(os.getpid())
    await application.threads.open(thread_id)
    await paints.until(lambda: view.thread_id == thread_id and bool(view.entries))
    await asyncio.sleep(1.0)
    result: dict[str, Any] = {}
    result["bare_steps_ms"] = await _bare_steps(application.panes.window.size(), min(steps, 300))
    with LoopProbe() as probe:
        result["steps_ms"] = [await _step(view) for _ in range(steps)]
    result["slices_ms"] = probe.cpu_ms
    result["resizes_ms"] = [await _resize(application.panes.window, number) for number in range(60)]
    rng = random.Random(7)
    result["jumps_ms"] = [await _jump(view, paints, rng.random()) for _ in range(40)]
    stops = max(50, steps)
    for number in range(stops + 1):
        await _jump(view, paints, number / stops)
    await asyncio.sleep(2.0)
    result["memory_mb"] = memory_mb(os.getpid()) - empty_mb
    return result


async def _bare_steps(size: QSize, steps: int) -> list[float]:
    """The same way through the same kind of text in Qt's own plain text view: what this machine can do today."""
    field = QPlainTextEdit(readOnly=True)
    field.setPlainText("\n".join(message_text(number) for number in range(steps)))
    field.resize(size)
    field.show()
    await asyncio.sleep(0.2)
    bar = field.verticalScrollBar()
    bar.setValue(bar.maximum())
    lines = max(1, round(_STEP_PX / field.fontMetrics().lineSpacing()))
    found = []
    for _ in range(steps):
        began = time.thread_time()
        bar.setValue(bar.value() - lines)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.UpdateRequest)
        found.append((time.thread_time() - began) * 1000)
        await asyncio.sleep(0.002)
    field.close()
    return found


async def _step(view: Any) -> float:
    began = time.thread_time()
    view.scrolling.by(-_STEP_PX)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.UpdateRequest)  # what is to be painted, and nothing else
    took = time.thread_time() - began
    await asyncio.sleep(_PACE_S)
    return took * 1000


async def _resize(window: Any, number: int) -> float:
    """Narrower for half of the steps, then wider again."""
    began = time.thread_time()
    window.resize(window.width() + (-8 if number < 30 else 8), window.height())
    QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.UpdateRequest)
    took = time.thread_time() - began
    await asyncio.sleep(_PACE_S)
    return took * 1000


async def _jump(view: Any, paints: Paints, share: float) -> float:
    """From the scroll bar's move until another message is at the top of the view."""
    bar = view.verticalScrollBar()
    was = view.scrolling.anchor().message_id
    value = round(bar.maximum() * share)
    if value == bar.value():
        return 0.0
    began = time.thread_time()
    bar.setValue(value)
    await paints.until(lambda: view.scrolling.anchor().message_id != was or abs(bar.value() - value) < 2)
    took = paints.cpu_s - began
    await asyncio.sleep(0.005)
    return took * 1000


async def _script(application: Any, paints: Paints) -> int:
    await application.services()
    await application.threads.open(None)  # the last run's thread would be open
    await asyncio.sleep(0.7)
    kind, _, thread_id, *rest = sys.argv[1:]
    if kind == "open":
        found = await opening(application, paints, thread_id)
    else:
        found = await reading(application, paints, thread_id, int(rest[0]))
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    run_window(AppPaths.find(sys.argv[2]), Settings(provider="offline"), script=partial(_script, paints=Paints()))
