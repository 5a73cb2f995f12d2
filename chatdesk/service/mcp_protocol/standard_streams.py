"""Carries the protocol over stdin and stdout, one JSON document a line.

Reading and writing happen on threads that nobody waits for at the end: neither a client that sends nothing nor one
that reads nothing can keep the process alive. Whatever else is written to stdout goes to stderr.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError as FutureCancelled
from contextlib import suppress
from typing import Final

from chatdesk.core.errors import InvalidInput

_MOST_BYTES: Final = 4 * 1024 * 1024  # of a line
_PIECE_BYTES: Final = 64 * 1024


class LineReader:
    """The lines of stdin, until it is closed; at most one waits. Iterating raises ``InvalidInput`` for a line that is
    too long."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)
        self._loop = asyncio.get_running_loop()
        self.is_too_long = False
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield line

    def _read(self) -> None:
        held = b""
        with suppress(OSError, RuntimeError, FutureCancelled):  # the loop is closed: nobody reads any more
            while piece := os.read(self._descriptor, _PIECE_BYTES):
                *lines, held = (held + piece).split(b"\n")
                if max(map(len, (*lines, held))) > _MOST_BYTES:
                    self.is_too_long = True
                    break
                for line in lines:
                    self._put(line.decode("utf-8", "replace"))
        with suppress(RuntimeError, FutureCancelled):
            self._put(None)

    def _put(self, line: str | None) -> None:
        asyncio.run_coroutine_threadsafe(self._lines.put(line), self._loop).result()

    def check(self) -> None:
        """Raise ``InvalidInput`` where a line was too long; reading has ended there."""
        if self.is_too_long:
            raise InvalidInput("A line of the protocol is longer than 4 MiB.", safe="", next_step="")


class LineWriter:
    """Writes to what was stdout. ``flush`` waits until it is written."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()

    async def write(self, text: str) -> None:
        written = self._loop.create_future()
        threading.Thread(target=self._write, args=(text.encode(), written), name="stdout", daemon=True).start()
        await written

    async def flush(self) -> None:
        """Do nothing: every line is written at once."""

    def _write(self, left: bytes, written: asyncio.Future[None]) -> None:
        error: OSError | None = None
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as failed:
            error = failed
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_end, written, error)


def _end(written: asyncio.Future[None], error: OSError | None) -> None:
    if written.done():
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)


def claimed_stdout() -> int:
    """Return a descriptor of stdout, and redirect stdout to stderr from now on."""
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return descriptor
