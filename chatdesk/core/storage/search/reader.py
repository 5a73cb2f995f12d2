"""Runs searches on a connection and a thread of their own, so that typing never waits behind other reads."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from chatdesk.core.errors import StorageError
from chatdesk.core.storage.engine import search_text
from chatdesk.core.storage.engine.connection import Mode, connect
from chatdesk.core.storage.engine.failures import is_io_error, translated
from chatdesk.core.storage.engine.search_index import is_damage
from chatdesk.core.storage.search.find import is_interrupt
from chatdesk.core.texts import Text

T = TypeVar("T")

_CACHE_KIB = 16_000


class SearchSuperseded(Exception):
    """A newer search began, or the caller has given up."""


class IndexDamaged(Exception):
    """FTS5 does not find its own entries."""


class Turn(NamedTuple):
    """A search of one field, or of another asker; numbers count all searches."""

    asker: Hashable
    number: int


class SearchReader:
    """Runs one search at a time. A newer one interrupts an older one of the same asker, in the database itself; those
    of others wait in line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="storage-search")
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._count = 0
        self._newest: dict[Hashable, int] = {}  # of each asker, while it waits for results
        self._running: Turn | None = None
        self._is_closed = False

    def start(self, asker: Hashable) -> Turn:
        """Announce a new search, which interrupts the one of the same asker that runs."""
        with self._lock:
            self._count += 1
            turn = Turn(asker, self._count)
            self._newest[asker] = turn.number
            self._interrupt_old()
            return turn

    def end(self, turn: Turn) -> None:
        """Interrupt a search whose caller has given up, or has its results."""
        with self._lock:
            if self._is_newest(turn):
                del self._newest[turn.asker]
            self._interrupt_old()

    def _is_newest(self, turn: Turn) -> bool:
        return self._newest.get(turn.asker) == turn.number

    async def run(self, turn: Turn, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in one snapshot. Raises ``SearchSuperseded``, ``IndexDamaged`` or ``StorageError``."""
        if self._is_closed:
            raise StorageError(Text("The database is closed."))
        return await asyncio.wrap_future(self._pool.submit(self._run, turn, work))

    async def disconnect(self) -> None:
        """Let go of the file; the next search opens it again."""
        if not self._is_closed:
            await asyncio.wrap_future(self._pool.submit(self._disconnect))

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        with self._lock:
            self._newest.clear()
            self._interrupt_old()
        await asyncio.wrap_future(self._pool.submit(self._disconnect))
        self._pool.shutdown(wait=False)

    def _interrupt_old(self) -> None:
        # Under the lock, so that it cannot hit the search that comes next.
        if self._connection is not None and self._running is not None and not self._is_newest(self._running):
            self._connection.interrupt()

    # On its own thread from here on.

    def _run(self, turn: Turn, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._lock:
                if not self._is_newest(turn):
                    raise SearchSuperseded
                self._running = turn
            try:
                self._connection.execute("BEGIN")
                return work(self._connection)
            finally:
                with self._lock:
                    self._running = None
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            if is_interrupt(error):
                raise SearchSuperseded from None
            if is_damage(error):
                self._disconnect()
                raise IndexDamaged from error
            if is_io_error(error):
                self._disconnect()
            raise translated(error, self._path) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._open("read")
        except sqlite3.OperationalError:
            return self._open("immutable")  # the folder is not writable

    def _open(self, mode: Mode) -> sqlite3.Connection:
        conn = connect(self._path, mode, is_shared=True, cached_statements=64)
        try:
            conn.execute("PRAGMA query_only=ON")
            conn.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            conn.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            search_text.register(conn)
        except BaseException:
            conn.close()
            raise
        return conn

    def _disconnect(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
