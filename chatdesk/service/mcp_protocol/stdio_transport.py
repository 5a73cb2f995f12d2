"""Answers one assistant over stdin and stdout, as a process of the owner's.

It owns the data directory only while it answers, so that the window can be opened at any time; where another process
owns it, that one does the writing and asking.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import CancelledError as FutureCancelled
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from typing import Any, Final, TypeVar

from mcp.server.stdio import stdio_server

from chatdesk.core.clock import Clock
from chatdesk.core.errors import InvalidInput
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system import terminal
from chatdesk.service.address_book import ServiceFiles
from chatdesk.service.allowances import Allowances
from chatdesk.service.caller import Caller, Scope
from chatdesk.service.declaration import Call
from chatdesk.service.jobs import Jobs
from chatdesk.service.mcp_protocol.asking import Asker, Askings
from chatdesk.service.mcp_protocol.server import Context, make_server
from chatdesk.service.mcp_protocol.tools import ToolCall
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services

T = TypeVar("T")

_STDIN: Final = 0


class StdioTransport:
    """Connects stdin and stdout to the services of ``paths``; ``allowed`` are scopes besides reading."""

    def __init__(self, paths: AppPaths, settings: Settings, allowed: Iterable[str]) -> None:
        self._paths = paths
        self._settings = settings
        self._caller = Caller("owner", "chatdesk mcp", frozenset((Scope.READ, *map(Scope, allowed))))
        self._askings = Askings(self._opened)
        self._turn = asyncio.Lock()
        self._users = 0
        self._is_closed = asyncio.Event()
        self._is_closed.set()
        self._opening = AsyncExitStack()
        self._services: Services | None = None

    async def serve(self) -> None:
        """Answer until stdin is closed. Raises ``InvalidInput`` for a line that is too long."""
        stdout = claimed_stdout()
        reader, writer = LineReader(_STDIN), LineWriter(stdout)
        server = make_server(self)
        try:
            # The package iterates over the one, and writes and flushes the other.
            streams = stdio_server(reader, writer)  # type: ignore[arg-type]
            async with streams as (incoming, outgoing):
                await server.run(incoming, outgoing, server.create_initialization_options())
        finally:
            await self._askings.close()
            await self._is_closed.wait()  # a call that is interrupted still stores its text
        reader.check()

    def asker_of(self, _context: Context) -> Asker:
        return Asker(self._caller, secrets.token_hex(8))

    def watching(self, _caller: Caller, _end: Callable[[], object]) -> AbstractContextManager[None]:
        return nullcontext()  # the owner's own process has no token

    async def run(self, asker: Asker, arguments: Any, handler: Callable[[ToolCall], Awaitable[T]]) -> T:
        async with self._opened() as services:
            directory = ServiceFiles.of(self._paths)
            allowances = Allowances(directory.tokens, services.events, Clock())
            jobs = Jobs(directory.directory, Clock())
            try:
                call = Call(services, asker.caller, {}, None, arguments, allowances, jobs, {}, asker.request_id)
                return await handler(ToolCall(call, self._askings))
            finally:
                await allowances.close()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Services]:
        """Open the services for the first that uses them, and close them after the last."""
        async with self._turn:
            if self._services is None:
                self._services = await self._opening.enter_async_context(
                    open_services(self._paths, self._settings, purpose="mcp")
                )
                self._is_closed.clear()
                if self._services.report.warning:
                    # another client may not have seen it, so each opening repeats it
                    terminal.complain(self._services.report.warning)
            self._users += 1
        try:
            yield self._services
        finally:
            self._users -= 1
            async with self._turn:
                if self._users == 0 and self._services is not None:
                    self._services = None
                    try:
                        await self._opening.aclose()
                    finally:
                        self._is_closed.set()


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
        with suppress(OSError, RuntimeError, FutureCancelled):  # the loop is closed, without a reader
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
    """Writes to the original stdout. ``flush`` waits until it is written."""

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
