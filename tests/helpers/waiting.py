"""Waits for conditions. A test that passes never waits long, so the patience is for the slowest machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

#: Half of what a test may take altogether, so that a condition that is never met fails where it is waited for.
PATIENCE_S: Final = 60.0


async def until(is_met: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    """Wait on the event loop until the condition holds. What it returns is awaited where it can be."""
    async with asyncio.timeout(within_s):
        while True:
            found = is_met()
            if isinstance(found, Awaitable):
                found = await found
            if found:
                return
            await asyncio.sleep(0.005)


def running_tasks(name: str) -> list[asyncio.Task[object]]:
    """Return the tasks of this loop, this one left out, whose names begin with ``name``."""
    return [
        task for task in asyncio.all_tasks() if task is not asyncio.current_task() and task.get_name().startswith(name)
    ]


def wait_until(is_met: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    """Block this thread until the condition holds."""
    end = time.monotonic() + within_s
    while not is_met():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)
