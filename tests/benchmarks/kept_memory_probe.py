"""Memory of a window while a person asks in many threads, turn by turn. The caches have limits that are reached after
thousands of turns; they are small here, so that what has no limit shows at once."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from chatdesk.app import run_window
from chatdesk.core.context import path_windows
from chatdesk.core.events import AnswerFinished
from chatdesk.core.paths import AppPaths
from chatdesk.core.rendering import client
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine import connection

_DATA, _TURNS, _EVERY = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
_THREADS, _IN_A_ROW = 25, 3
_BLOCK_BYTES, _CACHED_THREADS, _PAGES_KIB = 64 * 1024, 1, 100


def _resident_kib() -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def _script(application: Any) -> int:
    services = await application.services()
    await asyncio.sleep(1.0)
    threads: list[str] = []
    figures: list[int] = []
    for turn in range(_TURNS):
        if turn % _IN_A_ROW == 0:
            place = turn // _IN_A_ROW % _THREADS
            await application.threads.open(threads[place] if place < len(threads) else None)
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        subscription = services.events.subscribe(
            AnswerFinished, lambda event, done=done: done.done() or done.set_result(event.message.thread_id)
        )
        application.panes.composer.set_text(f"question {turn}: a short answer, please")
        application.panes.composer.send_button.click()
        async with asyncio.timeout(60):
            thread = await done
        subscription.cancel()
        if thread not in threads:
            threads.append(thread)
        if turn % _EVERY == _EVERY - 1:
            await application.threads.open(None)
            await asyncio.sleep(0.5)
            figures.append(_resident_kib())
            await application.threads.open(thread)
    size = services.paths.database.stat().st_size
    json.dump({"kib": figures, "database_bytes": size}, sys.stdout)
    return 0


def _with_few_pages(execute: Any) -> Any:
    def run(conn: Any, sql: str, parameters: Any = (), /) -> Any:
        found = execute(conn, sql, parameters)
        if sql.startswith(("PRAGMA cache_size", "PRAGMA cell_size_check")):
            execute(conn, f"PRAGMA cache_size=-{_PAGES_KIB}")
        return found

    return run


if __name__ == "__main__":
    kind = connection._Connection
    with ExitStack() as stack:
        stack.enter_context(patch.object(client, "_CACHE_BYTES", _BLOCK_BYTES))
        stack.enter_context(patch.object(path_windows, "_MOST_THREADS", _CACHED_THREADS))
        stack.enter_context(patch.object(kind, "execute", _with_few_pages(kind.execute)))
        run_window(AppPaths.find(_DATA), Settings(offline_speed_tokens_per_s=0, provider="offline"), script=_script)
