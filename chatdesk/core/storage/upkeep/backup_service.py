"""Makes, inspects, lists and restores backups on request."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from chatdesk import __version__
from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.event_log import job
from chatdesk.core.domain.backup_contents import BackupContents
from chatdesk.core.errors import NotFound
from chatdesk.core.moments import utc_moment
from chatdesk.core.storage.engine import backup, schema_upgrade, unfinished_files
from chatdesk.core.storage.engine.connection import connect_to_read, make_private_directory
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.engine.plain_text import shown_name
from chatdesk.core.storage.upkeep import backup_files, restore
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory, fault_of, restorable
from chatdesk.core.system.file_writing import check_place, remove_abandoned, unfinished_name, write_failure
from chatdesk.core.texts import Text

_LONGEST_S: Final = 3.0
_STEPS_BETWEEN_LOOKS: Final = 10_000
_NAMED_THREADS: Final = 3
_FOUND: Final = (
    "SELECT t.title, (SELECT count(*) FROM messages m WHERE m.thread_id = t.id AND m.created_at > :since) AS newer"
    " FROM threads t WHERE t.last_activity_at > :since AND t.deleted_at IS NULL ORDER BY t.last_activity_at DESC"
)


class BackupService:
    """The backups of the database at ``database``, which may be open in the meantime. All work is done on threads of
    its own."""

    def __init__(self, database: Path, backups: BackupDirectory, blobs: Path, clock: Clock) -> None:
        self._database = database
        self._backups = backups
        self._blobs = blobs
        self._clock = clock

    @property
    def directory(self) -> Path:
        return self._backups.directory

    async def list(self) -> list[Path]:
        """Return all backups of this database, the newest first."""
        return await asyncio.to_thread(restorable, self._backups.directory, self._database.stem)

    def fault_of(self, path: Path) -> str:
        """Return a word for the fault of a listed file; empty where it begins as a backup does."""
        return fault_of(path)

    async def named_files(self) -> set[str]:
        """Return the stored files that a kept backup refers to, which a clean-up must leave."""
        return await asyncio.to_thread(self._backups.named_files)

    async def make_zip(self, target: Path) -> tuple[str, ...]:
        """Write the database and all attachments to one zip at ``target``, which is replaced when the zip is whole.
        Returns sentences that name the attachments that are missing or damaged, and not in it. Cancelling leaves what
        was there. Raises ``StorageError``, and where ``target`` cannot be written ``ExportFailed``."""
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._zip, target, stop))
        with job("backup.ended", kind="zip") as fields:
            try:
                lost: tuple[str, ...] = await asyncio.shield(work)
            except asyncio.CancelledError:
                stop.set()
                await asyncio.wait([work])
                work.exception()
                raise
            fields["missing_files"] = len(lost)
            fields["bytes"] = await asyncio.to_thread(_size_of, target)
        return lost

    async def inspect_backup(self, path: Path) -> BackupContents:
        """Return the contents of a backup and what would be missing, before anything is replaced. Raises
        ``StorageError``, ``NotFound``."""
        check_there(path)
        contents = await asyncio.to_thread(
            restore.inspect_backup, path, work_dir=self._database.parent, blobs=self._blobs
        )
        since = await asyncio.to_thread(_written_since, self._database, contents.newest_at or 0)
        return replace(contents, written_since=since[0], threads_since=since[1])

    async def prepare(self, path: Path) -> BackupContents:
        """Unpack and check a backup so that only its renaming is left to do; see ``storage.upkeep.restore``."""
        check_there(path)
        with job("restore.prepared") as fields:
            contents = await asyncio.to_thread(restore.prepare, path, self._database, blobs=self._blobs)
            fields |= {"schema": contents.schema, "threads": contents.threads, "messages": contents.messages}
        return contents

    async def restore_prepared(self) -> Path | None:
        """Replace the database with the prepared backup. The database must be closed, and this process own the data
        directory. Returns where the old database is kept, None when there was none."""
        with job("restore.ended") as fields:
            kept = await asyncio.to_thread(
                restore.replace_database,
                self._database,
                backup_dir=self._backups.directory,
                now_ms=self._clock.now_ms(),
            )
            fields["has_kept_old"] = kept is not None
        return kept

    def _name_of_copy(self, source: sqlite3.Connection, target: Path) -> Path:
        """Return the place for the unpacked copy: with the backups, on a disk that is known to work for databases, or
        beside ``target`` if there is not enough room or it is read-only."""
        folder = self._backups.directory
        try:
            make_private_directory(folder)
            needed, free = self._backups.room(source)
            is_usable = needed <= free and os.access(folder, os.W_OK)
        except OSError:
            is_usable = False
        if is_usable:
            unfinished_files.clear(folder)
            return unfinished_files.name_for(folder / "zip.db")
        return unfinished_name(target)

    def _zip(self, target: Path, stop: threading.Event) -> tuple[str, ...]:
        remove_abandoned(target)
        with translating(self._database), closing(connect_to_read(self._database)) as source:
            try:  # errors of the person's chosen place, not of the database
                check_place(target)
                plain = self._name_of_copy(source, target)
                try:
                    backup.back_up(source, plain, named=target)
                    about = self._about(source)
                    return backup_files.write_zip(plain, self._blobs, target, about=about, is_stopped=stop.is_set)
                finally:
                    plain.unlink(missing_ok=True)
            except OSError as error:
                raise write_failure(error, target) from error

    def _about(self, source: sqlite3.Connection) -> dict[str, Any]:
        counts = backup.row_counts(source)
        return {
            "format": "chatdesk-backup",
            "application": __version__,
            "schema": schema_upgrade.current_revision(source),
            "made_at": utc_moment(self._clock.now_ms()).isoformat(),
            "threads": counts.get("threads", 0),
            "messages": counts.get("messages", 0),
        }


def _size_of(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def check_there(path: Path) -> None:
    """Raise ``NotFound`` where no file is."""
    if not path.is_file():
        raise NotFound(
            Text("There is no backup at {path}.", path=path),
            safe=Text("Nothing was changed."),
            next_step=Text("'chatdesk restore --list' lists them."),
        )


def _written_since(database: Path, since_ms: int) -> tuple[int, tuple[str, ...]]:
    """Return how many messages are newer than ``since_ms``, and the titles of the first threads that hold them. Takes a
    few seconds at most. The present database may be damaged, gone or of a newer version: then nothing is said rather
    than something wrong."""
    end = time.monotonic() + _LONGEST_S
    try:
        with closing(connect_to_read(database)) as conn:
            conn.execute("PRAGMA query_only=ON")
            conn.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
            found = [row for row in conn.execute(_FOUND, {"since": since_ms}) if row[1]]
    except sqlite3.Error:
        return 0, ()
    titles = tuple(shown_name(str(title)[:200]) for title, _ in found[:_NAMED_THREADS])
    return sum(count for _, count in found), titles
