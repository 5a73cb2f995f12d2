"""PySide6 6.12.0 on Python 3.10 and 3.11 loses references to ``None`` or ``True`` at these calls and dies after some
thousand. The pin in pyproject.toml keeps it out; this notices when a pin, or a new release, lets it in again."""

from __future__ import annotations

import gc
import sys

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

ROUNDS = 5000
SLACK = ROUNDS // 2  # each round loses one or more; what other tests left may be dropped meanwhile, in hundreds


class _Sender(QObject):
    sent = Signal(bool)


def _references() -> tuple[int, int]:
    gc.collect()  # what tests before this one left in rings holds thousands
    return sys.getrefcount(None), sys.getrefcount(True)


def _lost(before: tuple[int, int]) -> int:
    return max(old - new for old, new in zip(before, _references(), strict=True))


@pytest.mark.parametrize("action", ["process events", "emit", "timer"])
def test_qt_calls_do_not_lose_references(qapp: QCoreApplication, action: str) -> None:
    sender, fired = _Sender(), []
    sender.sent.connect(lambda value: fired.append(value) if len(fired) < 10 else None)
    before = _references()
    for _ in range(ROUNDS):
        if action == "process events":
            qapp.processEvents()
        elif action == "emit":
            sender.sent.emit(True)
        else:
            QTimer.singleShot(0, lambda: None)
            qapp.processEvents()
    assert _lost(before) < SLACK


def test_a_loop_of_sleeps_does_not_lose_references(qapp: QCoreApplication) -> None:
    import asyncio

    import qasync

    async def sleep_often() -> None:
        for _ in range(ROUNDS):
            await asyncio.sleep(0)

    before = _references()
    loop = qasync.QEventLoop(qapp, already_running=False)
    try:
        loop.run_until_complete(sleep_often())
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    assert _lost(before) < SLACK
