"""How many references to ``None`` or ``True`` calls of Qt lose, in a process in which nothing else happens."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Callable

import qasync
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

ROUNDS = 5000


class _Sender(QObject):
    sent = Signal(bool)


def _references() -> tuple[int, int]:
    gc.collect()
    return sys.getrefcount(None), sys.getrefcount(True)


def _lost(act: Callable[[], None]) -> int:
    before = _references()
    act()
    return max(old - new for old, new in zip(before, _references(), strict=True))


def main() -> None:
    app = QCoreApplication([])
    sender = _Sender()
    sender.sent.connect(lambda _value: None)

    def process_events() -> None:
        for _ in range(ROUNDS):
            app.processEvents()

    def emit() -> None:
        for _ in range(ROUNDS):
            sender.sent.emit(True)

    def start_timers() -> None:
        for _ in range(ROUNDS):
            QTimer.singleShot(0, lambda: None)
            app.processEvents()

    def sleep() -> None:
        async def often() -> None:
            for _ in range(ROUNDS):
                await asyncio.sleep(0)

        loop = qasync.QEventLoop(app, already_running=False)
        loop.run_until_complete(often())
        loop.close()

    acts = {"process events": process_events, "emit": emit, "timer": start_timers, "loop of sleeps": sleep}
    sys.stdout.write(json.dumps({name: _lost(act) for name, act in acts.items()}))


if __name__ == "__main__":
    main()
