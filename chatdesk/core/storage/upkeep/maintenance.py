"""Checks the database for damage and backs it up once a day, on a thread and a connection of its own.

Neither the reading nor the writing thread waits for it, and it never writes to the database. A damaged database is not
backed up, so that it cannot push out the good backups.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import job, log_event
from chatdesk.core.errors import StorageCorrupt, StorageError, StorageReplaced
from chatdesk.core.storage.engine import high_water
from chatdesk.core.storage.engine.backup import damaged_pages
from chatdesk.core.storage.engine.connection import connect_to_read
from chatdesk.core.storage.engine.failures import translated
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.small_files import read_small_json
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_DAY_MS = 24 * 60 * 60 * 1000
_LARGEST_NOTE_BYTES = 4 * 1024
_POLITENESS = 10  # the niceness of the thread


@dataclass(frozen=True, slots=True)
class UpkeepReport:
    """The result of upkeep; empty when nothing was due. ``problem`` is for the user."""

    is_checked: bool = False
    backup: Path | None = None
    problem: StorageError | None = None


class Maintenance:
    """The daily upkeep of one database that this process owns. Close it before the database."""

    def __init__(self, database: Path, backups: BackupDirectory, clock: Clock) -> None:
        self._path = database
        self._backups = backups
        self._clock = clock
        self._note = database.with_name(database.name + ".checked")
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="storage-maintenance", initializer=_give_way)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    async def run_due(self) -> UpkeepReport:
        """Run the work that is due. Failures are in the report, not raised."""
        if self._is_closed:
            return UpkeepReport()
        report = await asyncio.wrap_future(self._pool.submit(self._work))
        if report.problem is not None and not self._is_closed:
            _log.error("upkeep: %s", report.problem.code)
        return report

    def set_retention(self, *, daily: int, weekly: int) -> None:
        """Set how many backups are kept, from the next one on."""
        self._backups.set_retention(daily=daily, weekly=weekly)

    async def back_up_now(self) -> Path:
        """Make a backup, whether or not one is due; the oldest one that is too many goes. Raises ``StorageError``."""
        if self._is_closed:
            raise StorageError(Text("The database is closed."))
        return await asyncio.wrap_future(self._pool.submit(self._back_up))

    async def close(self) -> None:
        """Break off a check; wait for a backup, which cannot be broken off."""
        self._is_closed = True
        with self._lock:
            if self._connection is not None:
                self._connection.interrupt()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    # On its own thread from here on.

    def _work(self) -> UpkeepReport:
        now = self._clock.now_ms()
        is_check_due = self._is_check_due(now)
        is_backup_due = self._backups.is_due(now)
        if not (is_check_due or is_backup_due):
            return UpkeepReport()
        try:
            with closing(self._connect()) as conn:
                try:
                    return self._check_and_back_up(conn, now, is_check_due=is_check_due, is_backup_due=is_backup_due)
                finally:
                    with self._lock:
                        self._connection = None
        except StorageError as error:
            return UpkeepReport(is_checked=is_check_due, problem=error)
        except (sqlite3.Error, OSError) as error:
            return UpkeepReport() if self._is_closed else UpkeepReport(problem=translated(error, self._path))

    def _back_up(self) -> Path:
        try:
            with closing(self._connect()) as conn:
                try:
                    return self._make_backup(conn, self._clock.now_ms(), kind="asked")
                finally:
                    with self._lock:
                        self._connection = None
        except (sqlite3.Error, OSError) as error:
            raise translated(error, self._path) from error

    def _connect(self) -> sqlite3.Connection:
        conn = connect_to_read(self._path, is_shared=True)
        with self._lock:
            self._connection = conn
        return conn

    def _check_and_back_up(
        self, conn: sqlite3.Connection, now: int, *, is_check_due: bool, is_backup_due: bool
    ) -> UpkeepReport:
        """Check the database and make a backup, as far as they are due."""
        if is_check_due:
            if not _is_sound(conn):
                log_event("check.ended", status="damaged", level=logging.ERROR)
                return UpkeepReport(is_checked=True, problem=self._damaged())
            self._record_check(now)
            log_event("check.ended", status="sound")
        if self._is_closed or not is_backup_due:
            return UpkeepReport(is_checked=is_check_due)
        if high_water.lost_messages(high_water.read(self._path), high_water.found_in(conn)) is not None:
            raise StorageReplaced
        made = self._make_backup(conn, now, kind="daily")
        return UpkeepReport(is_checked=is_check_due, backup=made)

    def _make_backup(self, conn: sqlite3.Connection, now: int, *, kind: str) -> Path:
        with job("backup.ended", kind=kind) as fields:
            made = self._backups.add(conn, now)
            fields["bytes"] = made.stat().st_size
        return made

    def _damaged(self) -> StorageCorrupt:
        kept = self._backups.kept()
        if not kept:
            return StorageCorrupt(
                Text("The daily check found damage in the database file."),
                safe=Text("Nothing was changed, and what you see can still be read; there is no backup yet."),
                next_step=Text("Export the threads you need, then run 'chatdesk doctor' for details."),
            )
        return StorageCorrupt(
            Text("The daily check found damage in the database file."),
            safe=Text("Nothing was changed. The newest good backup is {path}.", path=kept[-1].path),
            next_step=Text(
                "Export what is newer than that, then restore the backup: Settings, Data and backup, or "
                "'chatdesk restore'."
            ),
        )

    def _is_check_due(self, now: int) -> bool:
        try:
            note: Any = read_small_json(self._note, _LARGEST_NOTE_BYTES)
            at = int(note["at"])
        except (OSError, ValueError, KeyError, TypeError):
            return True
        return abs(now - at) >= _DAY_MS

    def _record_check(self, now: int) -> None:
        """Record when the check was made. If that fails, the next check comes earlier than it needs to."""
        with suppress(OSError):
            write_text(self._note, json.dumps({"at": now}))


def _is_sound(conn: sqlite3.Connection) -> bool:
    try:
        found = damaged_pages(conn)
    except sqlite3.DatabaseError as error:
        if isinstance(translated(error), StorageCorrupt):  # too damaged for the check itself
            return False
        raise
    if found:
        _log.error("the daily check found damage: %d complaints", len(found))
    return not found


def _give_way() -> None:
    if hasattr(os, "setpriority"):
        # Linux counts politeness by thread, and threads are processes to it; elsewhere this fails and does no harm.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _POLITENESS)
