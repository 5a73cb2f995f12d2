"""``library_probe STARTED DATA list``: how long until the list of threads is there. ``library_probe STARTED DATA way``: the
GUI thread's slices while one scrolls through thousands of threads, types in the filter, and threads come in above.
Prints JSON; the whole application runs."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from chatdesk.app import run_window
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.benchmarks.loop_probe import LoopProbe

_PAGES = 100
_REST_S = 1.0


async def _filled(application: Any) -> Any:
    view = application.panes.sidebar.thread_list
    await application.services()
    while not view.model().thread_count:
        await asyncio.sleep(0.001)
    return view


async def _scroll(view: Any) -> None:
    """To the end of what is there, again and again, a page and a frame at a time."""
    bar = view.verticalScrollBar()
    for _ in range(_PAGES):
        count = view.model().thread_count
        bar.setValue(bar.maximum())
        for _ in range(200):
            await asyncio.sleep(0.004)
            if view.model().thread_count > count or not view.model().canFetchMore():
                break


async def _filter(application: Any) -> None:
    box = application.panes.sidebar.search_box
    for text in ("t", "th", "thread 7", "thread 77", "no such thread", ""):
        box.setText(text)
        box.searched.emit(text)  # as after the pause in typing
        await asyncio.sleep(0.15)


async def _come_in(application: Any) -> None:
    services = await application.services()
    page = await services.library.list_threads(ThreadQuery(), limit=30)
    for thread in page.threads:
        await services.library.pin([thread.id])
        await asyncio.sleep(0.01)
    await services.library.pin([thread.id for thread in page.threads], is_pinned=False)
    await asyncio.sleep(0.1)


async def _way(application: Any) -> dict[str, Any]:
    view = await _filled(application)
    await asyncio.sleep(_REST_S)
    found: dict[str, Any] = {}
    for name, act in (
        ("scroll", lambda: _scroll(view)),
        ("come in", lambda: _come_in(application)),
        ("filter", lambda: _filter(application)),
    ):
        with LoopProbe() as probe:
            await act()
        found[name] = {"wall_ms": probe.slices_ms, "cpu_ms": probe.cpu_ms, "threads": view.model().thread_count}
    return found


def main() -> int:
    started, data, what = float(sys.argv[1]), sys.argv[2], sys.argv[3]

    async def script(application: Any) -> int:
        if what == "way":
            print(json.dumps(await _way(application)))
            return 0
        await _filled(application)
        print(json.dumps({"seconds": time.monotonic() - started, "cpu_seconds": time.process_time()}))
        return 0

    return run_window(AppPaths.find(Path(data)), Settings(offline_speed_tokens_per_s=0), script=script)


if __name__ == "__main__":
    sys.exit(main())
