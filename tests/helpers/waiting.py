"""Waits for conditions. A test that passes never waits long, so the patience is for the slowest machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

T = TypeVar("T")

# Half of what a test may take altogether, so that a condition that is never met fails where it is waited for.
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


async def stays(is_so: Callable[[], object], *, for_s: float) -> None:
    """Watch that a condition holds all the time, for what must not happen. What it returns is awaited where it can
    be."""
    end = time.monotonic() + for_s
    while True:
        found = is_so()
        assert (await found) if isinstance(found, Awaitable) else found, "it did not stay so"
        if time.monotonic() >= end:
            return
        await asyncio.sleep(0.005)


async def until_still(value: Callable[[], object], *, for_s: float = 0.2, within_s: float = PATIENCE_S) -> None:
    """Wait until a value has not changed for a while, as where something glides to its end. It is read five times in
    that while: what a whole window shows takes longer to read than what is waited for."""
    async with asyncio.timeout(within_s):
        last, since = value(), time.monotonic()
        while time.monotonic() - since < for_s:
            await asyncio.sleep(for_s / 5)
            if (now := value()) != last:
                last, since = now, time.monotonic()


async def paced(items: Iterable[T], *, every_s: float) -> AsyncIterator[T]:
    """Yield items with a pause after each, as a slow server sends them."""
    for item in items:
        yield item
        await asyncio.sleep(every_s)


def stays_in_window(qtbot: QtBot, is_so: Callable[[], object], *, for_s: float) -> None:
    """Watch that a condition holds all the time while Qt's events are handled."""
    end = time.monotonic() + for_s
    while True:
        assert is_so(), "it did not stay so"
        if time.monotonic() >= end:
            return
        qtbot.wait(5)
