"""Runs reads and writes of the profile database: one thread writes and one reads.

SQLAlchemy runs synchronously on these two threads; the coroutines here only hand work over. Work that writes is always
carried out, even when the task that asked for it is cancelled while it waits. ``profile_database`` opens the file.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.errors import StorageError, StorageFull, StorageGone, StorageReplaced
from chatdesk.core.storage.engine import backup, high_water, own_device, owner_token, search_index
from chatdesk.core.storage.engine.ballast import Ballast
from chatdesk.core.storage.engine.change_log import LogWatch, Origin
from chatdesk.core.storage.engine.connection import (
    BUSY_TIMEOUT_S,
    connect,
    connect_to_read,
    driver,
    identity,
    open_to_read,
    open_to_write,
)
from chatdesk.core.storage.engine.connection_thread import ConnectionThread
from chatdesk.core.storage.engine.failures import is_io_error, is_read_only, translated, translating
from chatdesk.core.storage.engine.repeated_request import current_guard
from chatdesk.core.texts import Text

T = TypeVar("T")
_LOG_TIMEOUT_MS: Final = 100  # writing waits as long
_log = logging.getLogger(__name__)


class Database:
    """A database that a subclass has opened, to read and write. Where nothing can be written, ``is_read_only`` is set
    and ``refusal`` is what a write raises."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        backup_dir: Path,
        read_only: bool = False,
        refusal: StorageError | None = None,
    ) -> None:
        self.path = path
        self.backup_dir = backup_dir
        self.is_read_only = read_only
        self.refusal = refusal or StorageError(
            Text("ChatDesk is reading this database while another program writes to it."),
            safe=Text("Nothing was changed."),
        )
        self.hybrid_clock = HybridClock(clock)
        self.device_id = ""
        self.owner_token = owner_token.make()
        self.log_watch = LogWatch()
        self._clock = clock
        self._writer = ConnectionThread("storage-writer")
        self._reader = ConnectionThread("storage-reader")
        self._ballast = Ballast(path)
        self._identity: tuple[int, int] | None = None
        self._is_replaced = False
        self._is_reader_old = False
        self._committed: high_water.HighWater | None = None
        self._lost: int | None = None
        self._is_full_sync = True
        self._is_connected_to_write = True
        self._has_failed = False

    @property
    def origin(self) -> Origin:
        return Origin(self.device_id, self._clock, self.hybrid_clock, self.log_watch)

    @property
    def is_write_waiting(self) -> bool:
        """True while another write waits for the running transaction; one that can be cut short ends then."""
        return self._writer.is_waited_for

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a snapshot, on the reading thread."""
        return await self._reader.run(self._read, work)

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        """Run ``work`` in one transaction on the writing thread. When this returns, it is committed; ``is_durable``:
        it also survives a power loss. Raises ``StorageError``, and then nothing was changed.
        """
        if self.is_read_only:
            raise self.refusal
        guard = current_guard()
        if guard is not None:
            work = guard.around(work)
        return await self._writer.run(self._write, work, is_durable)

    async def can_write(self) -> bool:
        """Return whether writing works; where the last write said that it does not, it is tried again."""
        if self.is_read_only:
            return False
        if not self._has_failed:
            return True
        try:
            await self.write(lambda _conn: None)
        except StorageError:
            return False
        return True

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` as ``read`` does and wait, for a thread without an event loop."""
        return self._reader.wait_for(self._read, work)

    def write_now(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        """Run ``work`` as ``write`` does and wait, for a thread without an event loop."""
        if self.is_read_only:
            raise self.refusal
        return self._writer.wait_for(self._write, work, is_durable)

    def start_write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> Callable[[], T]:
        """Start ``write_now`` without waiting. Returns a function that waits for its result."""
        if self.is_read_only:
            raise self.refusal
        return self._writer.start(self._write, work, is_durable)

    def become(self, device_id: str) -> None:
        """Use another device id from now on, which joining a workspace made."""
        self.device_id = device_id

    async def back_up(self, target: Path) -> Path:
        """Make a verified copy of the database at ``target``, on a thread of its own: reading and writing go on."""

        def run() -> Path:
            with translating(self.path), closing(connect_to_read(self.path)) as source:
                return backup.back_up(source, target)

        return await asyncio.to_thread(run)

    async def empty_log(self) -> bool:
        """Move the write-ahead log into the file and empty it, because it keeps erased text otherwise. Returns False if
        another connection reads or writes just then."""
        return not self.is_read_only and await self._writer.run(self._empty_log)

    async def reserve_ballast(self) -> bool:
        """Reserve disk space for the day the disk is full. Returns whether it is reserved."""
        return not self.is_read_only and await self._writer.run(self._ballast.reserve)

    def forget_loss(self) -> None:
        """Do not warn again of a loss from before this start, because the person was told."""
        if self._lost is not None and not self.is_read_only:
            self._writer.submit(self._forget_loss)

    async def close(self) -> None:
        """Wait for work that was handed over, then let go of the file. Safe to call twice."""
        # The reader first: the last connection to close checkpoints, and only the writer may.
        await self._reader.close()
        await self._writer.close()

    # On the storage threads from here on.

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            if self._is_reader_old:
                self._reader.connect(lambda: open_to_read(self.path))
                self._is_reader_old = False
            conn = self._reader.connection
            with conn.begin():
                return work(conn)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._is_reader_old = self._is_reader_old or (self._identity is not None and is_io_error(error))
            raise translated(error, self.path) from error

    def _write(self, work: Callable[[Connection], T], is_durable: bool) -> T:
        try:
            result = self._write_with_ballast(work, is_durable)
        except StorageError:
            self._has_failed = True
            raise
        self._has_failed = False
        return result

    def _write_with_ballast(self, work: Callable[[Connection], T], is_durable: bool) -> T:
        try:
            return self._write_once(work, is_durable)
        except StorageFull:
            if not self._ballast.release():
                raise
            _log.warning("the disk is full; the ballast was given up for one more try")
            return self._write_once(work, is_durable)

    def _write_once(self, work: Callable[[Connection], T], is_durable: bool) -> T:
        try:
            return self._commit(work, is_durable)
        except search_index.IndexFailed:
            with translating(self.path), self._writer.connection.begin():
                search_index.mark_damaged(driver(self._writer.connection))
            return self._commit(work, is_durable)

    def _commit(self, work: Callable[[Connection], T], is_durable: bool) -> T:
        self._find_file()
        if not self._is_connected_to_write:
            self._reconnect()
        try:
            conn = self._writer.connection
            if is_durable != self._is_full_sync:
                # Has no effect inside a transaction. SQLAlchemy is not told, because it would open one.
                driver(conn).execute(f"PRAGMA synchronous={'FULL' if is_durable else 'NORMAL'}")
                self._is_full_sync = is_durable
            with conn.begin():
                result = work(conn)
                search_index.drain(driver(conn))
                mark = self._count_commit(conn) if is_durable else None
                self._check_identity()
        except BaseException as error:
            self.log_watch.discard()
            if not isinstance(error, SQLAlchemyError | sqlite3.Error | OSError):
                raise
            if is_io_error(error) or is_read_only(error):
                self._reconnect()
            raise translated(error, self.path) from error
        self.log_watch.publish()
        self._check_identity()
        if mark is not None:
            self._committed = mark
            self._write_mark(mark)
        return result

    def _empty_log(self) -> bool:
        with translating(self.path):
            raw = driver(self._writer.connection)
            raw.execute(f"PRAGMA busy_timeout={_LOG_TIMEOUT_MS}")
            try:
                is_busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")
            return not is_busy

    def _reconnect(self) -> None:
        """Connect again after an I/O error: SQLite's view of the file is unknown then, and a new connection reads it
        from the disk. While the disk still refuses, SQLite opens the file to read without a word; then the next write
        connects once more."""
        self._is_connected_to_write = False
        if identity(self.path) != self._identity:
            self._is_replaced = True  # connecting would make an empty file where a drive was
            return
        self._is_full_sync = True
        with suppress(SQLAlchemyError, sqlite3.Error):
            self._writer.disconnect()
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):
            self._writer.connect(lambda: open_to_write(self.path))
            with self._writer.connection.begin():
                self._writer.connection.exec_driver_sql("UPDATE devices SET is_mine = is_mine WHERE 0")
            self._is_connected_to_write = True

    def _check_identity(self) -> None:
        found = identity(self.path)
        if self._is_replaced or found != self._identity:
            # A sync tool moved the file: SQLite would go on writing happily into a file without a name.
            self._is_replaced = True
            raise StorageGone if found is None else StorageReplaced

    def _find_file(self) -> None:
        """Raise ``StorageGone`` or ``StorageReplaced`` unless the file is in its place, or back there with all that was
        committed: a drive that was removed, a file that was moved."""
        if not self._is_replaced and identity(self.path) == self._identity:
            return
        self._is_replaced = True
        found = identity(self.path)
        if found is None:
            raise StorageGone
        if found != self._identity and not self._is_of_this_device():
            raise StorageReplaced
        # The writer first: the last connection to close would copy the log of the lost file and remove the one that
        # is here now; the reader cannot.
        self._writer.disconnect()
        with suppress(RuntimeError):  # the reader's thread may have ended
            self._reader.submit(self._reader.disconnect).result()
        self._is_reader_old = True
        with translating(self.path):
            self._writer.connect(lambda: open_to_write(self.path))
            self._is_full_sync = True
            if self._committed != high_water.found_in(driver(self._writer.connection)):
                self._writer.disconnect()
                raise StorageReplaced
        self._identity = found
        self._is_replaced = False
        _log.info("the database is back in its place")

    def _is_of_this_device(self) -> bool:
        """Return whether the file is of this device, read from the file alone, without its log and without a lock:
        another file's must not be touched."""
        try:
            with closing(connect(self.path, "immutable")) as conn:
                return high_water.found_in(conn).device_id == self.device_id
        except sqlite3.Error:
            return False

    def _count_commit(self, conn: Connection) -> high_water.HighWater:
        row = conn.exec_driver_sql(
            "UPDATE devices SET commit_count = commit_count + 1 WHERE is_mine = 1"
            " RETURNING id, commit_count, message_count"
        ).one()
        return high_water.HighWater(*row)

    def _forget_loss(self) -> None:
        self._lost = None
        if self._committed is not None:
            self._write_mark(self._committed)

    def _write_mark(self, mark: high_water.HighWater) -> None:
        try:
            high_water.write(self.path, mark, self._lost)
        except OSError as error:
            _log.warning("the mark beside the database was not written: errno %s", error.errno)

    def _load_device(self, conn: Connection) -> None:
        own = own_device.origin_of(conn, self._clock)
        self.device_id, self.hybrid_clock = own.device_id, own.hybrid_clock
