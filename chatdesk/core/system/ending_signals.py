"""Handles the signals that ask a program to end: from a closing session, a closed terminal, or ``kill``.

Signals that were ignored from the start, as by ``nohup``, stay ignored. Windows has none of them.

A signalled process has a second to end. Then running SQL statements are interrupted and rolled back, and soon
afterwards the process exits. A second signal exits at once: a kill leaves nothing half done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar

T = TypeVar("T")

_INTERRUPTED_AFTER_S: Final = 1.0
_INTERRUPTED_EVERY_S: Final = 0.1
_ENDED_AFTER_S: Final = 2.5
_interruptions: Final[list[Callable[[], object]]] = []

ASKING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class EndedBySignal(Exception):
    """Work was ended by the signal ``number``, in an orderly way."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number


@contextmanager
def handling_signals(on_signal: Callable[[int], object], *, numbers: tuple[int, ...] = ASKING) -> Iterator[None]:
    """Have the running loop call ``on_signal`` for each of these signals, instead of letting it end the process."""
    loop = asyncio.get_running_loop()
    handled = []
    for number in numbers:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            try:
                loop.add_signal_handler(number, on_signal, number)
            except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
                continue
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def interrupt_by(interrupt: Callable[[], object]) -> None:
    """Have ``interrupt`` called, from another thread and more than once, where work has not ended soon after a
    signal."""
    _interruptions.append(interrupt)


def run_until_signal(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` like ``asyncio.run``, and cancel it at such a signal as at Ctrl+C. Raises ``EndedBySignal`` then. A
    second signal, or work that does not end, ends the process."""
    ended_by: list[int] = []
    has_ended = threading.Event()

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None

        def on_signal(number: int) -> None:
            if ended_by:
                _end_process(number)
            ended_by.append(number)
            threading.Thread(target=_make_end, args=(number, has_ended), name="ending", daemon=True).start()
            task.cancel()

        with handling_signals(on_signal):
            return await work

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if not ended_by:
            raise
        raise EndedBySignal(ended_by[0]) from None
    finally:
        has_ended.set()


def _make_end(number: int, has_ended: threading.Event) -> None:
    end = time.monotonic() + _ENDED_AFTER_S
    wait_s = _INTERRUPTED_AFTER_S
    while not has_ended.wait(wait_s):
        if time.monotonic() > end:
            _end_process(number)
        for interrupt in _interruptions:
            interrupt()
        wait_s = _INTERRUPTED_EVERY_S


def _end_process(number: int) -> NoReturn:
    os._exit(128 + number)
