"""The fault server for tests without a loop of their own: it runs in a thread, and ends with the block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.fault_server import FaultServer, Script


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
