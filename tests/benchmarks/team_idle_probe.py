"""A window of a team's member with a tool server: turns of the GUI thread's loop, in processor time, while nothing
comes, and while others write; and how often the thread is woken while nobody uses the window.

python -m tests.benchmarks.team_idle_probe <data folder> <folder for signals> <seconds of each>
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from chatdesk.app import run_window
from chatdesk.core.domain.sharing.team import SyncPhase
from chatdesk.core.domain.tools import ServerState
from chatdesk.core.events import UnreadChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.loop_probe import LoopProbe
from tests.helpers.tools_world import server
from tests.helpers.waiting import until


async def _script(application: Any) -> int:
    services = await application.services()
    signals, seconds = Path(sys.argv[2]), float(sys.argv[3])
    async with asyncio.timeout(60):
        while not (services._team and [each for each in services.team.statuses() if each.phase is SyncPhase.SYNCED]):
            await asyncio.sleep(0.05)
    tools = await services.tools.load()
    await tools.save(server())
    await services.chat.create_thread(None, "", "/demo code")  # an answer that has tools waits for their server
    await until(lambda: ServerState.READY in [each.state for each in tools.statuses()])
    await asyncio.sleep(4.0)
    unread: list[int] = [0]
    services.events.subscribe(UnreadChanged, lambda event: unread.append(sum(event.counts.values())))
    idle = LoopProbe()
    await asyncio.sleep(seconds)
    idle.close()
    window = application.panes.window
    shown = await _wake_ups(seconds)
    window.hide()
    await asyncio.sleep(4.0)
    hidden = await _wake_ups(seconds)
    window.show()
    (signals / "busy").touch()
    before = unread[-1]
    busy = LoopProbe()
    await asyncio.sleep(seconds)
    busy.close()
    quiet = {"shown": shown, "hidden": hidden}
    told = {**quiet, "idle_ms": _p99(idle), "busy_ms": _p99(busy), "busy_messages": unread[-1] - before}
    json.dump(told, sys.stdout)
    return 0


async def _wake_ups(seconds: float) -> float:
    """Return how often a second this thread was woken."""
    before, began = _waits(), time.monotonic()
    await asyncio.sleep(seconds)
    return (_waits() - before) / (time.monotonic() - began)


def _waits() -> int:
    status = Path(f"/proc/self/task/{threading.get_native_id()}/status").read_text(encoding="ascii")
    return int(status.split("voluntary_ctxt_switches:")[1].split()[0])


def _p99(probe: LoopProbe) -> float:
    slices = sorted(probe.turns_ms)
    return slices[int(len(slices) * 0.99)] if slices else 0.0


if __name__ == "__main__":
    run_window(AppPaths.find(sys.argv[1]), Settings(offline_speed_tokens_per_s=0), script=_script)
