"""Handles the signals that ask a program to end: of a closing session, of a terminal that goes away, of ``kill``.

Signals that were ignored from the start, as by ``nohup``, stay ignored. Windows has none of them.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

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


def run_until_signal(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` like ``asyncio.run``, and cancel it at such a signal as at Ctrl+C. Raises ``EndedBySignal`` then."""
    ended_by: list[int] = []

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None

        def on_signal(number: int) -> None:
            ended_by.append(number)
            task.cancel()

        with handling_signals(on_signal):
            return await work

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if not ended_by:
            raise
        raise EndedBySignal(ended_by[0]) from None
