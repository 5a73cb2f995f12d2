"""A TCP proxy on loopback that misbehaves on demand: cuts, stalls, throttles, swallows.

Its faults hold for connections that are open and for those that come, until ``heal``. Runs on a thread of its own, so
that tests of blocking code can use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_PIECE = 16 * 1024


@dataclass
class Faults:
    """``is_closed``: nobody listens, as it seems; ``is_stalled``: bytes stay in the proxy; ``is_swallowing``: bytes are
    taken and go nowhere; ``cut_after``: connections end after so many more bytes; ``bytes_per_s``: each way;
    ``record``: gets all that goes to the server."""

    is_closed: bool = False
    is_stalled: bool = False
    is_swallowing: bool = False
    cut_after: int | None = None
    bytes_per_s: float | None = None
    record: bytearray | None = None


class TcpProxy:
    """Stands in front of one port. ``connections``: how many were taken so far; ``passed``: bytes so far. With
    ``is_named_as_target`` requests name the host that they reach, for servers that check this."""

    def __init__(self, target_port: int, target_host: str = "127.0.0.1", *, is_named_as_target: bool = False) -> None:
        self._target = target_host, target_port
        self._is_named_as_target = is_named_as_target
        self.faults = Faults()
        self.port = 0
        self.connections = 0
        self.passed = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="tcp-proxy", daemon=True)

    def start(self) -> TcpProxy:
        self._thread.start()
        if not self._is_up.wait(30):
            raise RuntimeError("the proxy did not start")
        return self

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    def cut(self) -> None:
        """End every open connection now."""
        self._call(self._cut)

    def heal(self) -> None:
        """No more faults; what was swallowed or stalled for long is cut, as its ends will not agree any more."""
        has_lost = self.faults.is_swallowing
        self.faults = Faults()
        if has_lost:
            self.cut()

    def _call(self, work: Callable[[], Any]) -> None:
        done = threading.Event()

        def run() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait(30)

    # On the proxy's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        await self._end.wait()
        server.close()
        self._cut()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cut(self) -> None:
        for writer in tuple(self._open):
            with contextlib.suppress(Exception):
                writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.is_closed:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self.connections += 1
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(
                self._pump(reader, far_writer, is_up=True), self._pump(far_reader, writer, is_up=False)
            )
        finally:
            self._open -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool) -> None:
        try:
            while piece := await reader.read(_PIECE):
                if is_up and self.faults.record is not None:
                    self.faults.record += piece
                if is_up and self._is_named_as_target:
                    host, port = self._target
                    piece = piece.replace(f"{host}:{self.port}".encode(), f"{host}:{port}".encode())
                if not await self._let_through(piece):
                    continue
                writer.write(piece)
                await writer.drain()
        except OSError:
            return
        finally:
            with contextlib.suppress(Exception):
                writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _let_through(self, piece: bytes) -> bool:
        while self.faults.is_stalled:
            await asyncio.sleep(0.01)
        if self.faults.is_swallowing:
            return False
        if self.faults.bytes_per_s:
            await asyncio.sleep(len(piece) / self.faults.bytes_per_s)
        self.passed += len(piece)
        if self.faults.cut_after is not None:
            self.faults.cut_after -= len(piece)
            if self.faults.cut_after <= 0:
                self.faults.cut_after = None
                self._cut()
                return False
        return True


@contextmanager
def tcp_proxy(target_port: int, *, is_named_as_target: bool = False) -> Iterator[TcpProxy]:
    proxy = TcpProxy(target_port, is_named_as_target=is_named_as_target).start()
    try:
        yield proxy
    finally:
        proxy.close()
