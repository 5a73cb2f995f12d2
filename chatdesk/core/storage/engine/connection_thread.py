"""Runs the work of coroutines and other threads on a thread that owns a database connection."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar, TypeVarTuple

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from chatdesk.core.errors import StorageError
from chatdesk.core.texts import Text

T = TypeVar("T")
Args = TypeVarTuple("Args")
_log = logging.getLogger(__name__)


class ConnectionThread:
    """A thread that owns one connection and runs one piece of work after the other."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: deque[None] = deque()  # one for each task that has not begun
        self._connection: Connection | None = None
        self._is_closed = False

    @property
    def is_waited_for(self) -> bool:
        """True while other work waits; long work may end early for it."""
        return bool(self._waiting)

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise StorageError(Text("The database is not open."))
        return self._connection

    def connect(self, connect: Callable[[], Connection]) -> None:
        """Make a new connection, after the old one was closed: two to one file must not write."""
        self.disconnect()
        self._connection = connect()

    def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()

    async def run(self, work: Callable[[*Args], T], *args: *Args) -> T:
        if self._is_closed:
            raise StorageError(Text("The database is closed."))
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T] = loop.create_future()
        self.submit(work, *args).add_done_callback(partial(_hand_back, loop, waiting))
        return await waiting

    def wait_for(self, work: Callable[[*Args], T], *args: *Args) -> T:
        """Run ``work`` and wait, for a thread without a loop."""
        return self.start(work, *args)()

    def start(self, work: Callable[[*Args], T], *args: *Args) -> Callable[[], T]:
        """Start ``work`` on the thread. Returns a function that waits for its result."""
        if self._is_closed:
            raise StorageError(Text("The database is closed."))
        return self.submit(work, *args).result

    def submit(self, work: Callable[[*Args], T], *args: *Args) -> Future[T]:
        def run() -> T:
            self._waiting.pop()
            return work(*args)

        self._waiting.append(None)
        return self._pool.submit(run)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.wrap_future(self._pool.submit(self.disconnect))
        self._pool.shutdown(wait=False)


def _hand_back(loop: asyncio.AbstractEventLoop, waiting: asyncio.Future[T], done: Future[T]) -> None:
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(_copy_outcome, waiting, done)


def _copy_outcome(waiting: asyncio.Future[T], done: Future[T]) -> None:
    """Copy the outcome of work to the waiting future. Work is carried out even when its task was cancelled."""
    error = done.exception()
    if waiting.cancelled():
        if error is not None:
            _log.warning("abandoned storage work failed: %s", type(error).__name__)
    elif error is not None:
        waiting.set_exception(error)
    else:
        waiting.set_result(done.result())
