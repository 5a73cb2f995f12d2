"""One of two windows on one team: the first asks, the second only looks. Prints when each text left, or was painted.

    python -m tests.benchmarks.team_latency_probe <data folder> <thread> <folder for signals> asks|looks <how many>

Times are nanoseconds of the one clock that both processes share.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest

from chatdesk.app import run_window
from chatdesk.core.domain.sharing.team import SyncPhase
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.loop_probe import LoopProbe

_BREATH_S = 0.8


class _PaintWatch(QObject):
    """Notes the first paint of each text that is in view; plain words are there before Markdown is laid out."""

    def __init__(self, transcript: Any, prefix: str) -> None:
        super().__init__()
        self._transcript = transcript
        self._prefix = prefix
        self.painted: dict[str, int] = {}
        self.authors: set[str] = set()
        transcript.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            area = self._transcript.viewport().rect()
            for entry in self._transcript.entries[-4:]:
                text = entry.message.text
                is_new = text.startswith(self._prefix) and text not in self.painted
                if is_new and self._transcript.message_rect(entry).intersects(area):
                    self.painted[text] = time.monotonic_ns()
                    self.authors.add(entry.author)
        return super().eventFilter(watched, event)


async def _script(application: Any) -> int:
    thread_id, signals, role, count = sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    services = await application.services()
    await application.threads.open(thread_id)
    async with asyncio.timeout(60):
        while not (services._team and [each for each in services.team.statuses() if each.phase is SyncPhase.SYNCED]):
            await asyncio.sleep(0.05)
    await asyncio.sleep(1.5)
    (signals / f"{role}.ready").touch()
    while len(list(signals.glob("*.ready"))) < 2:
        await asyncio.sleep(0.05)
    probe = LoopProbe()
    told = await (_ask(application, count) if role == "asks" else _look(application, signals, count))
    probe.close()
    slices = sorted(probe.slices_ms)
    (signals / f"{role}.done").touch()
    json.dump(told | {"p99_ms": slices[int(len(slices) * 0.99)] if slices else 0.0}, sys.stdout)
    return 0


async def _ask(application: Any, count: int) -> dict[str, Any]:
    sent: dict[str, int] = {}
    editor = application.panes.composer.editor
    for number in range(count):
        text = f"Question number {number} of this evening"
        application.panes.composer.set_text(text)
        await asyncio.sleep(0.05)
        sent[text] = time.monotonic_ns()
        QTest.keyClick(editor, Qt.Key.Key_Return)
        await asyncio.sleep(_BREATH_S + 0.037 * (number % 7))
    await asyncio.sleep(1.0)
    return {"times": sent}


async def _look(application: Any, signals: Path, count: int) -> dict[str, Any]:
    watch = _PaintWatch(application.panes.transcript, "Question number")
    end = time.monotonic() + count * 2 + 30
    while len(watch.painted) < count and time.monotonic() < end:
        await asyncio.sleep(0.2)
    return {"times": watch.painted, "authors": sorted(watch.authors)}


if __name__ == "__main__":
    run_window(AppPaths.find(sys.argv[1]), Settings(offline_speed_tokens_per_s=0), script=_script)
