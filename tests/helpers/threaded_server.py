"""Servers for tests without a loop of their own: they run in a thread, and end with the block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import TypeVar

from tests.helpers.fault_server import FaultServer, Script

ServerT = TypeVar("ServerT", bound=BaseServer)


@contextmanager
def in_thread(server: ServerT) -> Iterator[ServerT]:
    """Have a server of the standard library answer, as long as the block runs."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving(*scripts: Script) -> Iterator[str]:
    """The base address, as long as the block runs."""
    ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    address: list[str] = []

    async def serve() -> None:
        async with FaultServer(*scripts) as server:
            address.append(server.base_url)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="fault server")
    thread.start()
    try:
        assert ready.wait(30)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)
        loop.close()
