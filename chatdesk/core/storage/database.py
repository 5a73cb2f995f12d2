"""The profile database: one thread that writes, one that reads, and what must be true before either starts.

SQLAlchemy runs synchronously on these two threads; the coroutines here only hand work over. Work that writes is always
carried out, even when the task that asked for it is cancelled while it waits.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.errors import (
    StorageError,
    StorageFull,
    StorageGone,
    StorageMissing,
    StorageReadOnly,
    StorageReplaced,
    UpgradeFailed,
)
from chatdesk.core.ids import new_id
from chatdesk.core.storage import (
    backup,
    begun_restore,
    high_water,
    older_schema,
    owner_token,
    reachability,
    recovery,
    schema_guard,
    schema_upgrade,
    search_index,
    tables,
    unfinished_files,
)
from chatdesk.core.storage.ballast import Ballast
from chatdesk.core.storage.change_log import LogWatch, Origin
from chatdesk.core.storage.connection import (
    connect,
    driver,
    identity,
    make_private_directory,
    make_private_file,
    memory_engine,
    reading_engine,
    writing_engine,
)
from chatdesk.core.storage.failures import is_io_error, translated, translating
from chatdesk.core.storage.integrity import check_database
from chatdesk.core.storage.projects import ensure_default_project, read_only_projects

T = TypeVar("T")
_log = logging.getLogger(__name__)

_UNREAD_LOG = (
    "The last changes cannot be shown: they lie in the database's log, which can only be read where files can be made. "
    "Nothing was changed. Make the data directory writable, or copy it to where it is, and start again."
)


def _no_room(directory: Path) -> StorageFull:
    return StorageFull(
        f"The disk of {directory} is full, so ChatDesk only reads.",
        safe="Everything saved before is unchanged.",
        next_step="Free some space: ChatDesk goes on then by itself.",
    )


@dataclass(frozen=True, slots=True)
class OpenReport:
    """What opening did. ``upgraded_from`` is None when no upgrade was needed; ``warning`` is for the user."""

    upgraded_from: str | None
    upgraded_to: str
    recovered_turns: int
    backup_path: Path | None
    is_new: bool = False
    warning: str | None = None


class Database:
    """See the module text. ``read_only`` opens a database that another process may be writing, and never changes it;
    ``refusal`` is what a write then says.

    A database that cannot be written, or not be upgraded, is opened to read: ``is_read_only`` and ``refusal`` tell.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        backup_dir: Path,
        read_only: bool = False,
        refusal: StorageError | None = None,
        migrations_dir: Path | None = None,
    ) -> None:
        self.path = path
        self.backup_dir = backup_dir
        self.is_read_only = read_only
        self.refusal = refusal or StorageError(
            "ChatDesk is reading this database while another program writes to it.", safe="Nothing was changed."
        )
        self.hybrid_clock = HybridClock(clock)
        self.device_id = ""
        self.owner_token = owner_token.make()
        self.log_watch = LogWatch()
        self._clock = clock
        self._migrations_dir = migrations_dir
        self._writer = _Worker("storage-writer")
        self._reader = _Worker("storage-reader")
        self._ballast = Ballast(path)
        self._identity: tuple[int, int] | None = None
        self._is_replaced = False
        self._is_reader_old = False
        self._committed: high_water.HighWater | None = None
        self._is_full_sync = True
        self._is_open = False

    @property
    def origin(self) -> Origin:
        return Origin(self.device_id, self._clock, self.hybrid_clock, self.log_watch)

    async def open(self) -> OpenReport:
        """Check, create or upgrade the file, recover turns that nobody owns, and get ready."""
        report = None if self.is_read_only else await self._open_to_write()
        if report is None:
            report = await self._reader.run(self._open_read_only)
        else:
            await self._reader.run(lambda: self._reader.connect(reading_engine(self.path)))
        self._is_open = True
        return report

    async def _open_to_write(self) -> OpenReport | None:
        """None where reading is still possible, which is then all that this database is good for."""
        try:
            return await self._writer.run(self._open_with_room)
        except (UpgradeFailed, StorageFull, StorageReadOnly) as error:
            if not self._holds_something():
                raise
            _log.warning("the database is opened to read only: %s", error.code)
            self.is_read_only = True
            is_sqlites = isinstance(error, StorageFull) and error.__cause__ is not None  # not the want of an upgrade
            self.refusal = _no_room(self.path.parent) if is_sqlites else error
            return None

    async def write_again(self) -> bool:
        """Open for writing what could only be opened for reading; whether that succeeded. Only for the one process that
        may write here."""
        if not self.is_read_only:
            return True
        try:
            await self._writer.run(self._open_with_room)
            await self._reader.run(lambda: self._reader.connect(reading_engine(self.path)))
        except StorageError as error:
            _log.info("still only to be read: %s", error.code)
            return False
        _log.info("the database can be written again")
        self.is_read_only = False
        return True

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a snapshot, on the reading thread."""
        return await self._reader.run(partial(self._read, work))

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        """Run ``work`` in one transaction on the writing thread. When this returns, it is committed; ``is_durable``:
        it also survives a power loss. Raises ``StorageError``, and then nothing was changed.
        """
        if self.is_read_only:
            raise self.refusal
        return await self._writer.run(partial(self._write, work, is_durable))

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """``read``, for a thread without a loop, which waits."""
        return self._reader.wait_for(partial(self._read, work))

    def write_now(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        """``write``, for a thread without a loop, which waits."""
        if self.is_read_only:
            raise self.refusal
        return self._writer.wait_for(partial(self._write, work, is_durable))

    def begin_write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> Callable[[], T]:
        """``write_now`` without waiting; what it returns waits."""
        if self.is_read_only:
            raise self.refusal
        return self._writer.begin(partial(self._write, work, is_durable))

    def become(self, device_id: str) -> None:
        """Another device from now on: ``sync_fork`` made it."""
        self.device_id = device_id

    async def quick_check(self) -> list[str]:
        """What SQLite's quick check complains about; empty when all is well."""
        return await self.read(lambda conn: check_database(conn, is_thorough=False))

    async def integrity_check(self) -> list[str]:
        """The thorough check: SQLite's own, foreign keys, what nobody can reach, and the digest of every message."""
        return await self.read(lambda conn: check_database(conn, is_thorough=True))

    async def back_up(self, target: Path) -> Path:
        """A verified copy of the database at ``target``, made on a thread of its own: reading and writing go on."""

        def run() -> Path:
            with translating(self.path), closing(connect(self.path, "read")) as source:
                return backup.back_up(source, target)

        return await asyncio.to_thread(run)

    async def keep_ballast(self) -> bool:
        """Hold some room for the day the disk is full; whether it is held."""
        return not self.is_read_only and await self._writer.run(self._ballast.keep)

    async def close(self) -> None:
        """Wait for work that was handed over, then let go of the file. Safe to call twice."""
        self._is_open = False
        # The reader first: the last connection to close checkpoints, and only the writer may.
        await self._reader.close()
        await self._writer.close()

    # On the storage threads from here on.

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            if self._is_reader_old:
                self._reader.connect(reading_engine(self.path))
                self._is_reader_old = False
            conn = self._reader.connection
            with conn.begin():
                return work(conn)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._is_reader_old = self._is_reader_old or (self._identity is not None and is_io_error(error))
            raise translated(error, self.path) from error

    def _write(self, work: Callable[[Connection], T], is_durable: bool) -> T:
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
                search_index.note_damage(driver(self._writer.connection))
            return self._commit(work, is_durable)

    def _commit(self, work: Callable[[Connection], T], is_durable: bool) -> T:
        self._find_file()
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
            self.log_watch.forget()
            if not isinstance(error, SQLAlchemyError | sqlite3.Error | OSError):
                raise
            if is_io_error(error):
                self._reconnect()
            raise translated(error, self.path) from error
        self.log_watch.tell()
        self._check_identity()
        if mark is not None:
            self._committed = mark
            self._write_mark(mark)
        return result

    def _reconnect(self) -> None:
        """After an I/O error SQLite's view of the file is unknown; a new connection reads it from the disk."""
        if identity(self.path) != self._identity:
            self._is_replaced = True  # connecting would make an empty file where a drive was
            return
        self._is_full_sync = True
        with suppress(SQLAlchemyError, sqlite3.Error):
            self._writer.disconnect()
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):
            self._writer.connect(writing_engine(self.path))

    def _check_identity(self) -> None:
        found = identity(self.path)
        if self._is_replaced or found != self._identity:
            # A sync tool moved the file: SQLite would go on writing happily into a file without a name.
            self._is_replaced = True
            raise StorageGone if found is None else StorageReplaced

    def _find_file(self) -> None:
        """Raises ``StorageReplaced`` unless the file is in its place, or back there with all that was committed: a
        drive that was removed, a file that was moved."""
        if not self._is_replaced and identity(self.path) == self._identity:
            return
        self._is_replaced = True
        found = identity(self.path)
        if found is None:
            raise StorageGone
        if found != self._identity and not self._is_of_this_device():
            raise StorageReplaced
        # The writer first: the last connection to close would copy the log of the lost file and remove the one that
        # stands here now; the reader cannot.
        self._writer.disconnect()
        with suppress(RuntimeError):  # at the end there is no reader any more
            self._reader.submit(self._reader.disconnect).result()
        self._is_reader_old = True
        with translating(self.path):
            self._writer.connect(writing_engine(self.path))
            self._is_full_sync = True
            if self._committed != high_water.found_in(driver(self._writer.connection)):
                self._writer.disconnect()
                raise StorageReplaced
        self._identity = found
        self._is_replaced = False
        _log.info("the database is back in its place")

    def _is_of_this_device(self) -> bool:
        """Told by the file alone, without its log and without a lock: another file's must not be touched."""
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

    def _write_mark(self, mark: high_water.HighWater) -> None:
        try:
            high_water.write(self.path, mark)
        except OSError as error:
            _log.warning("the mark beside the database was not written: errno %s", error.errno)

    def _open_with_room(self) -> OpenReport:
        try:
            try:
                return self._open()
            except StorageFull:
                if not self._ballast.release():
                    raise
                _log.warning("the disk is full; the ballast was given up to open the database")
                return self._open()
        except BaseException:
            self._writer.disconnect()  # who reads next must not meet a half-open writer
            raise

    def _holds_something(self) -> bool:
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    def _open(self) -> OpenReport:
        with translating(self.path):
            make_private_directory(self.path.parent)
            begun_restore.finish(self.path)
            for directory in (self.path.parent, self.backup_dir):
                unfinished_files.clear(directory)
            was_missing = self._refuse_lost_file()
            make_private_file(self.path)
            revision = None if was_missing else self._revision()
            done = schema_upgrade.Upgrade(None, tables.HEAD_REVISION)
            if revision is not None and revision != tables.HEAD_REVISION:
                done = schema_upgrade.upgrade(
                    self.path, revision, backup_dir=self.backup_dir, migrations_dir=self._find_migrations()
                )
            self._writer.connect(writing_engine(self.path))
            self._identity = identity(self.path)
            conn = self._writer.connection
            with conn.begin():
                if revision is None:
                    schema_upgrade.create(conn)
                self._take_device(conn)
                reachability.bring_projects_back(conn, self.origin)
                ensure_default_project(conn, self.origin)
                recovered = recovery.recover_turns(conn, self.origin, self.owner_token)
                self.log_watch.read_only = read_only_projects(conn)
                search_index.drain(driver(conn))
                # Compared before this start counts itself, which would make up for exactly one lost commit.
                warning = high_water.warning(high_water.read(self.path), high_water.found_in(driver(conn)))
                found = self._count_commit(conn)
            self._committed = found
            self._write_mark(found)
        return OpenReport(
            upgraded_from=done.upgraded_from,
            upgraded_to=tables.HEAD_REVISION,
            recovered_turns=recovered,
            backup_path=done.backup_path,
            is_new=revision is None,
            warning=warning,
        )

    def _refuse_lost_file(self) -> bool:
        """Whether there is no database yet. Raises if there was one: an empty file in its place helps nobody."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            size = 0
        if size:
            return False
        if high_water.exists(self.path) or high_water.has_log(self.path):
            raise StorageMissing
        return True

    def _revision(self) -> str | None:
        """The schema version, learnt without changing the file; unknown ones are refused."""
        with closing(connect(self.path, "write")) as conn:
            conn.execute("PRAGMA query_only=ON")
            revision = schema_upgrade.current_revision(conn)
            schema_guard.check(conn)
        if revision is None:
            if high_water.exists(self.path):
                raise StorageMissing
            return None
        schema_upgrade.check_revision(revision)
        return revision

    def _find_migrations(self) -> Path:
        if self._migrations_dir is not None:
            return self._migrations_dir
        from chatdesk.core.paths import migrations_dir

        return migrations_dir()

    def _take_device(self, conn: Connection) -> None:
        row = conn.exec_driver_sql("SELECT id, last_hlc FROM devices WHERE is_mine = 1").first()
        if row is None:
            self.device_id = new_id()
            conn.execute(tables.devices.insert().values(id=self.device_id, is_mine=1, created_at=self._clock.now_ms()))
        else:
            self.device_id = row[0]
            # Not observe(): our own stamps must grow even when the clock was set back since.
            self.hybrid_clock = HybridClock(self._clock, last=row[1])

    def _open_read_only(self) -> OpenReport:
        if not self.path.exists() or self.path.stat().st_size == 0:
            raise StorageMissing(
                f"There is no database at {self.path}.",
                safe="Nothing was created.",
                next_step="Start ChatDesk once, or choose another --data-dir.",
            )
        with translating(self.path):
            mark = high_water.read(self.path)  # first: another process may go on writing, and the mark follows
            warning = self._connect_reader()
            conn = self._reader.connection
            revision = schema_upgrade.current_revision(driver(conn))
            if revision is None:
                raise StorageMissing
            schema_upgrade.check_revision(revision)
            schema_guard.check(driver(conn))
            if revision != tables.HEAD_REVISION:
                older_schema.stand_in(driver(conn))
            warning = warning or high_water.warning(mark, high_water.found_in(driver(conn)))
            with conn.begin():
                self.device_id = conn.exec_driver_sql("SELECT id FROM devices WHERE is_mine = 1").scalar() or ""
        return OpenReport(None, revision, 0, None, warning=warning)

    def _connect_reader(self) -> str | None:
        """Connect to a file that may lie where nothing can be made; the sentence to show when that leaves a gap."""
        try:
            self._reader.connect(reading_engine(self.path))
        except (SQLAlchemyError, sqlite3.Error):
            self._reader.connect(reading_engine(self.path, is_only_user=True))
            return _UNREAD_LOG if high_water.has_log(self.path) else None
        return None


class MemoryDatabase(Database):
    """A profile database that lives in memory and ends with ``close``: no file, no log, no mark. One thread reads and
    writes, since there is one connection. It has the schema and the rules of any other."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(Path(":memory:"), clock=clock, backup_dir=Path(":memory:"))
        self._decided = asyncio.Event()
        self._decided.set()

    async def open(self) -> OpenReport:
        return await self._writer.run(self._open)

    def freeze(self) -> None:
        """Let every write wait from now on; those that were handed over are still carried out."""
        self._decided = asyncio.Event()

    def thaw(self) -> None:
        """Carry out the writes that wait."""
        self._decided.set()

    def retire(self, refusal: StorageError) -> None:
        """Refuse every write from now on, those that wait included."""
        self.is_read_only, self.refusal = True, refusal
        self._decided.set()

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        await self._decided.wait()
        return await super().write(work, is_durable=is_durable)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(partial(self._read, work))

    def read_now(self, work: Callable[[Connection], T]) -> T:
        return self._writer.wait_for(partial(self._read, work))

    def _open(self) -> OpenReport:
        self._writer.connect(memory_engine())
        conn = self._writer.connection
        with conn.begin():
            schema_upgrade.create(conn)
            self._take_device(conn)
        return OpenReport(None, tables.HEAD_REVISION, 0, None, is_new=True)

    def _read(self, work: Callable[[Connection], T]) -> T:
        conn = self._writer.connection
        try:
            with conn.begin():
                return work(conn)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise translated(error, self.path) from error

    def _reconnect(self) -> None:
        """There is nothing to connect to again."""

    def _check_identity(self) -> None:
        """No file, nothing that could be exchanged."""

    def _find_file(self) -> None:
        """See ``_check_identity``."""

    def _write_mark(self, mark: high_water.HighWater) -> None:
        """A mark says how far a file had come."""


class _Worker:
    """One thread with one connection."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._is_closed = False

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise StorageError("The database is not open.")
        return self._connection

    def connect(self, engine: Engine) -> None:
        self.disconnect()
        self._engine = engine
        self._connection = engine.connect()

    def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        engine, self._engine = self._engine, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()
        if engine is not None:
            engine.dispose()

    async def run(self, work: Callable[[], T]) -> T:
        if self._is_closed:
            raise StorageError("The database is closed.")
        future = self.submit(work)
        waiting = asyncio.wrap_future(_uncancelled(future))
        return await waiting

    def wait_for(self, work: Callable[[], T]) -> T:
        """For other threads than the loop's."""
        return self.begin(work)()

    def begin(self, work: Callable[[], T]) -> Callable[[], T]:
        """The same, to be waited for later."""
        if self._is_closed:
            raise StorageError("The database is closed.")
        return self.submit(work).result

    def submit(self, work: Callable[[], T]) -> Future[T]:
        return self._pool.submit(work)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.wrap_future(self._pool.submit(self.disconnect))
        self._pool.shutdown(wait=False)


def _uncancelled(inner: Future[T]) -> Future[T]:
    """A future that may be cancelled without taking ``inner``, which may not have started yet, with it."""
    outer: Future[T] = Future()

    def copy(done: Future[T]) -> None:
        if not outer.set_running_or_notify_cancel():
            error = done.exception()
            if error is not None:
                _log.warning("abandoned storage work failed: %s", type(error).__name__)
            return
        error = done.exception()
        if error is not None:
            outer.set_exception(error)
        else:
            outer.set_result(done.result())

    inner.add_done_callback(copy)
    return outer
