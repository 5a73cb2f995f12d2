"""What threads of sync tell on the loop, when the program ends in between."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Coroutine
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from chatdesk.core.domain.sharing.team import SyncPhase, SyncStatus
from chatdesk.core.events import EventBus
from chatdesk.core.sync.event_publisher import SyncEventPublisher
from tests.helpers.waiting import until

STATUS = SyncStatus("w", SyncPhase.SYNCED)


async def _nothing() -> None:
    pass


def publisher() -> SyncEventPublisher:
    return SyncEventPublisher(Mock(), EventBus(), status_of=lambda _: STATUS, name_of=str, refresh=_nothing)


def warnings_of(work: Callable[[], Coroutine[Any, Any, None]]) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        asyncio.run(work())
        gc.collect()
    return [str(each.message) for each in found]


def test_what_is_cancelled_before_it_began_leaves_nothing_unawaited() -> None:
    async def close_at_once() -> None:
        told = publisher()
        told.start(asyncio.get_running_loop())
        told.on_status(STATUS)
        await asyncio.sleep(0)  # its task is made, and has not begun
        await told.close()

    assert warnings_of(close_at_once) == []


def test_what_is_told_to_a_loop_that_ends_leaves_nothing_unawaited() -> None:
    async def end_at_once() -> None:
        told = publisher()
        told.start(asyncio.get_running_loop())
        told.on_status(STATUS)

    assert warnings_of(end_at_once) == []


ONE, TWO = frozenset("1"), frozenset("2")
# Every report: what is called on a thread of sync, while the one before is being told.
REPORTS: dict[str, Callable[[SyncEventPublisher], None]] = {
    "people": lambda told: told.on_team(frozenset()),
    "projects": lambda told: told.on_team(ONE),
    "counts": lambda told: told.on_counts(),
    "files": lambda told: told.on_files(TWO),
}


@pytest.mark.parametrize("report", REPORTS)
async def test_what_is_reported_while_the_one_before_is_told_is_told_as_well(report: str) -> None:
    readings: list[asyncio.Event] = []

    async def read() -> None:
        readings.append(asyncio.Event())
        await readings[-1].wait()

    told = SyncEventPublisher(AsyncMock(), EventBus(), status_of=lambda _: STATUS, name_of=str, refresh=read)
    told.start(asyncio.get_running_loop())
    REPORTS[report](told)
    await until(lambda: len(readings) == 1)
    REPORTS[report](told)  # the profile was read already
    readings[0].set()
    await until(lambda: len(readings) == 2)
    readings[1].set()
    await told.close()
