"""Slices and turns of the GUI thread while an answer of the offline provider streams, in ms of its processor time."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from chatdesk.app import run_window
from chatdesk.core.events import AnswerFinished, TextStreamed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.loop_probe import LoopProbe


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
    found = {"slices_ms": probe.cpu_ms, "turns_ms": probe.turns_ms, "characters": sum(streamed), "seconds": seconds}
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    run_window(AppPaths.find(sys.argv[1]), Settings(offline_speed_tokens_per_s=1000), script=_script)
