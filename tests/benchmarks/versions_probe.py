"""``versions_probe DATA THREAD FIRST SECOND``: switches between two versions of the first question of a thread, in the
whole application. Prints the times to the first paint of the longer path as JSON: of the clock, and of the GUI
thread's processor."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.reading_probe import Paints

_TIMES = 9


async def switching(
    application: Any, paints: Paints, thread_id: str, versions: tuple[str, str]
) -> dict[str, list[float]]:
    """First to the short path, then back to the long one, which is measured."""
    await application.services()
    view = application.panes.transcript
    first, second = versions
    await application.threads.open(thread_id)

    def is_shown(message_id: str) -> bool:
        return any(entry.message.id == message_id for entry in view.entries)

    view.jump_to(second)
    await paints.until(lambda: is_shown(second))
    wall_ms, cpu_ms = [], []
    for _ in range(_TIMES):
        await asyncio.sleep(0.2)
        began, cpu_began = time.perf_counter(), time.thread_time()
        view.actionRequested.emit("version-previous", second)
        await paints.until(lambda: is_shown(first))
        wall_ms.append((time.perf_counter() - began) * 1000)
        cpu_ms.append((paints.cpu_s - cpu_began) * 1000)
        await asyncio.sleep(0.2)
        view.actionRequested.emit("version-next", first)
        await paints.until(lambda: is_shown(second))
    return {"wall_ms": wall_ms, "cpu_ms": cpu_ms}


def main() -> int:
    data, thread_id, first, second = sys.argv[1:5]
    paints = Paints()

    async def script(application: Any) -> int:
        print(json.dumps(await switching(application, paints, thread_id, (first, second))))
        return 0

    return run_window(AppPaths.find(Path(data)), Settings(offline_speed_tokens_per_s=0), script=script)


if __name__ == "__main__":
    sys.exit(main())
