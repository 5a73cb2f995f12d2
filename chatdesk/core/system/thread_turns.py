"""Sets how long a busy thread keeps Python's lock while others wait for it; the only place that does.

By default that is 5 ms, a third of a frame of the window. Work that keeps a thread busy for seconds asks for shorter
turns while it lasts; several may do so at once, in any order, and the old values return with the end of the last.

A collection of garbage is a turn that nothing ends early: one of everything takes up to 80 ms. Who reads thousands of
rows makes Python collect all the time, although the rows go without it; so collections are rare in the meantime, and
always in a process that only serves.
"""

from __future__ import annotations

import atexit
import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# A thread of SQLite runs without the lock for a few milliseconds and then needs it for a moment: where it waits for
# longer than that each time, it and a busy thread of Python take as long as one after the other.
SHORT_S: Final = 0.0002
# Objects more than before, and younger collections, after which Python collects in the meantime.
COLLECT_AFTER: Final = (50_000, 10, 10)


class _Turns:
    """Counts the users of short turns; Python has its settings once for the whole process, so there is one instance."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before_s = 0.0
        self._collected_after = COLLECT_AFTER

    def shorten(self) -> None:
        with self._lock:
            if not self._users:
                self._before_s = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before_s, SHORT_S))
                self._collected_after = gc.get_threshold()
                gc.set_threshold(*COLLECT_AFTER)
            self._users += 1

    def give_back(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                sys.setswitchinterval(self._before_s)
                gc.set_threshold(*self._collected_after)


_turns: Final = _Turns()


@contextmanager
def short_turns() -> Iterator[None]:
    """Limit the turns of threads to 1 ms while the block runs, and collect garbage rarely. Can be called from any
    thread."""
    _turns.shorten()
    try:
        yield
    finally:
        _turns.give_back()


def leave_garbage_to_the_end() -> None:
    """Collect rarely from now on, and never at the end of the process. A command ends soon and makes no garbage
    while it loads; collections took a fifth of its time."""
    gc.set_threshold(*COLLECT_AFTER)
    atexit.register(gc.freeze)  # before Python collects everything once more


def collect_rarely() -> None:
    """Exclude all present objects from garbage collection, and collect rarely from now on: for a process without a
    window, once it has started. Each page that it reads is hundreds of objects, of which none is in a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
