"""Collects garbage of a running window in the window's thread only, since Qt's objects must end in the thread that made
them."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QAbstractEventDispatcher

_BETWEEN_S = 0.5
_MANY_MODULES = 30


@contextmanager
def collected_here() -> Iterator[None]:
    """Collect in this thread, when it has nothing else to do, instead of in whichever thread allocates next: Python
    would end a timer or a socket notifier on a thread of storage, and Qt would then deliver an event to what is gone.

    The thread needs a Qt application. A window that nobody uses makes no garbage, and is not woken for it. Afterwards
    Python collects by itself again if it did before; in a window it does not: Qt disconnects a signal under a lock and
    asks Python's objects what they override, and a collection there would end other objects of Qt, which may wait for
    that very lock for ever.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    collector = Collector()
    dispatcher = QAbstractEventDispatcher.instance()
    dispatcher.aboutToBlock.connect(collector.collect_sometimes)
    try:
        yield
    finally:
        dispatcher.aboutToBlock.disconnect(collector.collect_sometimes)
        del collector
        if was_enabled:
            gc.enable()


class Collector:
    """Collects in place of Python, and spares imported modules: the modules of the first question have 74,000 objects,
    which live as long as the window and make a collection a pause of 40 ms while the answer streams."""

    def __init__(self) -> None:
        self._module_count = len(sys.modules)
        self._next_s = 0.0

    def collect_sometimes(self) -> None:
        """Collect garbage that is due, at most twice a second."""
        if time.monotonic() >= self._next_s:
            self.collect_what_is_due()
            self._next_s = time.monotonic() + _BETWEEN_S

    def collect_what_is_due(self) -> None:
        """Collect the oldest generation that Python itself would collect now, with the younger ones."""
        if len(sys.modules) - self._module_count >= _MANY_MODULES:
            self._module_count = len(sys.modules)
            gc.freeze()  # garbage present now is never freed; this happens a few times per run
        due = [
            generation
            for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
            if count > threshold
        ]
        if due:
            gc.collect(due[-1])
