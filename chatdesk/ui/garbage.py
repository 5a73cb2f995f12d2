"""The garbage collector of a running window: it runs in the window's thread only, since Qt's objects must end in the
thread that made them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

_INTERVAL_MS = 500


@contextmanager
def collected_here() -> Iterator[None]:
    """Collect in this thread, between its events, instead of in whichever thread allocates next: Python would end a
    timer or a socket notifier on a thread of storage, and Qt would then deliver an event to what is gone.

    The thread needs a running Qt loop. Afterwards Python collects by itself again.
    """
    timer = QTimer(interval=_INTERVAL_MS)
    timer.timeout.connect(collect_what_is_due)
    gc.disable()
    timer.start()
    try:
        yield
    finally:
        timer.stop()
        gc.enable()


def collect_what_is_due() -> None:
    """Collect the oldest generation that Python itself would collect now, with the younger ones."""
    due = [
        generation
        for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        if count > threshold
    ]
    if due:
        gc.collect(due[-1])
