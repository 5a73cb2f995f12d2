"""Children that heed signals, whether or not the tests themselves were started to ignore them (``nohup``, ``&``)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heeded_by_children(*numbers: signal.Signals) -> Iterator[None]:
    """Processes that are started inside meet these signals as programs of a terminal do: what is ignored is inherited,
    what has a handler is not."""
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def heeded_by_default(number: signal.Signals) -> Iterator[None]:
    """This process meets the signal as a program of a terminal does, until a loop heeds it."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)
