"""Slices of work on the GUI thread while an answer streams: from the event loop's waking to its next wait, in ms.

This is the event-loop lag probe: any script that runs in the window can use ``LoopProbe``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from PySide6.QtCore import QAbstractEventDispatcher

from chatdesk.app import run_window
from chatdesk.core.events import AnswerFinished, TextStreamed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings


class LoopProbe:
    """Records how long the thread's event loop was busy each time it was awake."""

    def __init__(self) -> None:
        self.slices_ms: list[float] = []
        self._woke_at: float | None = None
        dispatcher = QAbstractEventDispatcher.instance()
        assert dispatcher is not None
        dispatcher.awake.connect(self._on_awake)
        dispatcher.aboutToBlock.connect(self._on_about_to_block)
        self._dispatcher = dispatcher

    def _on_awake(self) -> None:
        if self._woke_at is None:
            self._woke_at = time.perf_counter()

    def _on_about_to_block(self) -> None:
        if self._woke_at is not None:
            self.slices_ms.append((time.perf_counter() - self._woke_at) * 1000)
            self._woke_at = None

    def close(self) -> None:
        self._dispatcher.awake.disconnect(self._on_awake)
        self._dispatcher.aboutToBlock.disconnect(self._on_about_to_block)


async def _script(application: Any) -> int:
    services = await application.services()
    await asyncio.sleep(1.0)
    done = asyncio.Event()
    streamed: list[int] = []
    services.events.subscribe(AnswerFinished, lambda _event: done.set())
    services.events.subscribe(TextStreamed, lambda event: streamed.append(len(event.delta)))
    composer = application.panes.composer
    composer.set_text(sys.argv[2])
    probe = LoopProbe()
    began = time.monotonic()
    composer.send_button.click()
    async with asyncio.timeout(120):
        await done.wait()
    seconds = time.monotonic() - began
    probe.close()
    json.dump({"slices_ms": probe.slices_ms, "characters": sum(streamed), "seconds": seconds}, sys.stdout)
    return 0


if __name__ == "__main__":
    run_window(AppPaths.find(sys.argv[1]), Settings(offline_speed_tokens_per_s=1000), script=_script)
