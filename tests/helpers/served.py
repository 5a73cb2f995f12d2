"""A fault server on a thread and a loop of its own, for tests whose own loop is the window's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from tests.helpers.fault_server import FaultServer, Script

_LONGEST_S = 20


class Served:
    """``server`` belongs to the other loop: ``run`` is how to have it do something."""

    def __init__(self, server: FaultServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self._loop = loop

    @property
    def base_url(self) -> str:
        return self.server.base_url

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LONGEST_S)


@contextmanager
def served(*scripts: Script) -> Iterator[Served]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fault server")
    thread.start()
    handle = Served(FaultServer(*scripts), loop)
    try:
        handle.run(handle.server.__aenter__())
        yield handle
        handle.run(handle.server.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_LONGEST_S)
        loop.close()
