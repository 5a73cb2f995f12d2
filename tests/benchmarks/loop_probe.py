"""The event-loop lag probe: how long the GUI thread was busy each time it was awake, in wall and in processor time."""

from __future__ import annotations

import time
from types import TracebackType

from PySide6.QtCore import QAbstractEventDispatcher


class LoopProbe:
    """Any script that runs in the window can use it. Needs Qt's own dispatcher (``QT_NO_GLIB=1``).

    ``slices_ms`` and ``cpu_ms`` end when the thread waits: where other programs take the cores, timers that are due pile
    up and become one slice. ``turns_ms`` is the processor time of each turn of the loop, timers included: what a key
    press waits for at most."""

    def __init__(self) -> None:
        self.slices_ms: list[float] = []
        self.cpu_ms: list[float] = []
        self.turns_ms: list[float] = []
        self._turned_at = time.thread_time()
        self._woke_at: tuple[float, float] | None = None
        dispatcher = QAbstractEventDispatcher.instance()
        assert dispatcher is not None
        dispatcher.awake.connect(self._on_awake)
        dispatcher.aboutToBlock.connect(self._on_about_to_block)
        self._dispatcher = dispatcher

    def __enter__(self) -> LoopProbe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _on_awake(self) -> None:
        turned_at, self._turned_at = self._turned_at, time.thread_time()
        self.turns_ms.append((self._turned_at - turned_at) * 1000)
        if self._woke_at is None:
            self._woke_at = time.perf_counter(), time.thread_time()

    def _on_about_to_block(self) -> None:
        if self._woke_at is not None:
            wall, cpu = self._woke_at
            self.slices_ms.append((time.perf_counter() - wall) * 1000)
            self.cpu_ms.append((time.thread_time() - cpu) * 1000)
            self._woke_at = None

    def close(self) -> None:
        self._dispatcher.awake.disconnect(self._on_awake)
        self._dispatcher.aboutToBlock.disconnect(self._on_about_to_block)
