"""A window of a team's member: turns of the GUI thread's loop, in processor time, while nothing comes, and while others
write.

python -m tests.benchmarks.team_idle_probe <data folder> <folder for signals> <seconds of each>
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from chatdesk.app import run_window
from chatdesk.core.domain.sharing.team import SyncPhase
from chatdesk.core.events import UnreadChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.loop_probe import LoopProbe


async def _script(application: Any) -> int:
    services = await application.services()
    signals, seconds = Path(sys.argv[2]), float(sys.argv[3])
    async with asyncio.timeout(60):
        while not (services._team and [each for each in services.team.statuses() if each.phase is SyncPhase.SYNCED]):
            await asyncio.sleep(0.05)
    await asyncio.sleep(4.0)
    unread: list[int] = [0]
    services.events.subscribe(UnreadChanged, lambda event: unread.append(sum(event.counts.values())))
    idle = LoopProbe()
    await asyncio.sleep(seconds)
    idle.close()
    (signals / "busy").touch()
    before = unread[-1]
    busy = LoopProbe()
    await asyncio.sleep(seconds)
    busy.close()
    told = {"idle_ms": _p99(idle), "busy_ms": _p99(busy), "busy_messages": unread[-1] - before}
    json.dump(told, sys.stdout)
    return 0


def _p99(probe: LoopProbe) -> float:
    slices = sorted(probe.turns_ms)
    return slices[int(len(slices) * 0.99)] if slices else 0.0


if __name__ == "__main__":
    run_window(AppPaths.find(sys.argv[1]), Settings(offline_speed_tokens_per_s=0), script=_script)
