"""Puts a backup in the place of the database: all of it or nothing, whatever happens in between.

The backup is unpacked beside the database and checked; the present database is kept in the backup directory; then one
small file says that the new one shall take its place. From there on every start finishes what was begun, before it
opens anything; until there, nothing has changed. Whoever calls ``put_in_place`` owns the data directory and has the
database closed. Synchronous, for a thread of the caller.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import zipfile
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from chatdesk.core.errors import SchemaTooNew, StorageCorrupt, StorageFull
from chatdesk.core.paths import sync_directory
from chatdesk.core.storage import backup, backup_files, schema_upgrade, tables
from chatdesk.core.storage.begun_restore import commit, ready_path, remove_database
from chatdesk.core.storage.connection import make_private_directory, make_private_file
from chatdesk.core.storage.failures import translating

_TITLES = 5
_SPARE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BackupContents:
    """What is inside a backup. ``made_at`` is the file's own time, in milliseconds UTC like ``newest_at``, that of the
    newest message; ``missing_files`` counts attachments whose bytes are neither in it nor in the data directory."""

    path: Path
    made_at: int
    newest_at: int | None
    schema: str
    threads: int
    messages: int
    titles: tuple[str, ...]
    missing_files: int = 0
    is_older_schema: bool = False


def look_into(path: Path, *, work_dir: Path, blobs: Path) -> BackupContents:
    """What a backup holds; nothing is changed. Raises ``StorageError``: ``SchemaTooNew`` for that of a newer ChatDesk,
    ``StorageCorrupt`` for a file that is none or is damaged."""
    plain = work_dir / f"chatdesk-look-{os.getpid()}.db"
    with translating(path):
        try:
            _check_space(path, work_dir)
            backup_files.unpack(path, plain)
            return _contents(path, plain, blobs)
        finally:
            remove_database(plain)


def prepare(path: Path, database: Path, *, blobs: Path) -> BackupContents:
    """Unpack and check a backup, ready to be put in the place of ``database``. Files that a zip brings along are put
    where they belong. Raises like ``look_into``; the database has not changed then or afterwards."""
    plain = ready_path(database)
    with translating(path):
        try:
            make_private_directory(database.parent)
            _check_space(path, database.parent)
            remove_database(plain)
            backup_files.unpack(path, plain)
            contents = _contents(path, plain, blobs)
            with closing(sqlite3.connect(plain, isolation_level=None)) as conn:
                if conn.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
                    raise backup_files.not_a_backup(path)
                conn.execute("PRAGMA journal_mode=DELETE")
            backup.sync_file(plain)
            backup_files.unpack_blobs(path, blobs)
        except sqlite3.DatabaseError as error:
            remove_database(plain)
            raise backup_files.not_a_backup(path) from error
        except BaseException:
            remove_database(plain)
            raise
    return contents


def put_in_place(database: Path, *, backup_dir: Path, now_ms: int) -> Path | None:
    """Keep the present database and put the prepared one in its place. Returns where the present one is kept now, None
    when there was none. Raises ``StorageError``; nothing has changed then."""
    with translating(database):
        kept = keep_present(database, backup_dir=backup_dir, now_ms=now_ms)
        commit(database)
    return kept


def keep_present(database: Path, *, backup_dir: Path, now_ms: int, reason: str = "restore") -> Path | None:
    """A copy of the present database in the backup directory, packed; of a damaged one, of its files as they are."""
    if not database.exists() or database.stat().st_size == 0:
        return None
    make_private_directory(backup_dir)
    at = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    stem = _free_stem(backup_dir, f"before-{reason}-{at}")
    plain = backup_dir / f"{stem}.db.plain.new"
    if not _has_header(database):
        return _keep_damaged(database, backup_dir / f"{stem}.damaged.zip")  # SQLite would throw its log away
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, isolation_level=None)) as source:
            backup.back_up(source, plain)
        with closing(sqlite3.connect(plain)) as copy:
            names = backup_files.named_files(copy)
        return backup_files.pack(plain, backup_dir / f"{stem}.db{backup_files.PACKED}", named=names)
    except (sqlite3.DatabaseError, StorageCorrupt) as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        return _keep_damaged(database, backup_dir / f"{stem}.damaged.zip")
    finally:
        remove_database(plain)


def _has_header(database: Path) -> bool:
    with database.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def _keep_damaged(database: Path, target: Path) -> Path:
    """What cannot be read as a database is kept byte for byte, with its log."""
    temporary = target.with_name(target.name + ".new")
    try:
        make_private_file(temporary)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in (database, *(database.with_name(database.name + ending) for ending in ("-wal", "-journal"))):
                if path.exists():
                    archive.write(path, f"damaged/{path.name}")
        backup.sync_file(temporary)
        temporary.replace(target)
        sync_directory(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


def _contents(path: Path, plain: Path, blobs: Path) -> BackupContents:
    try:
        with closing(sqlite3.connect(plain, isolation_level=None)) as conn:
            conn.text_factory = lambda data: data.decode("utf-8", "replace")
            conn.execute("PRAGMA query_only=ON")
            revision = schema_upgrade.current_revision(conn)
            if revision is None:
                raise backup_files.not_a_backup(path)
            _refuse_newer(revision)
            threads, newest = conn.execute(
                "SELECT count(*), max(last_activity_at) FROM threads WHERE deleted_at IS NULL"
            ).fetchone()
            messages = conn.execute("SELECT count(*) FROM messages WHERE deleted_at IS NULL").fetchone()[0]
            titles = conn.execute(
                "SELECT title FROM threads WHERE deleted_at IS NULL ORDER BY last_activity_at DESC, id DESC LIMIT ?",
                (_TITLES,),
            ).fetchall()
            named = backup_files.named_files(conn)
    except sqlite3.DatabaseError as error:
        raise backup_files.not_a_backup(path) from error
    brought = set(backup_files.blobs_of_zip(path))
    missing = sum(1 for name in named - brought if not (blobs / name[:2] / name).is_file())
    return BackupContents(
        path=path,
        made_at=int(path.stat().st_mtime * 1000),
        newest_at=newest,
        schema=revision,
        threads=threads,
        messages=messages,
        titles=tuple(row[0] for row in titles),
        missing_files=missing,
        is_older_schema=revision != tables.HEAD_REVISION,
    )


def _refuse_newer(revision: str) -> None:
    try:
        schema_upgrade.check_revision(revision)
    except SchemaTooNew as error:
        raise SchemaTooNew(
            f"This backup was written by a newer ChatDesk (schema version {revision}).",
            safe="Nothing was changed.",
            next_step="Update ChatDesk to restore it.",
        ) from error


def _check_space(path: Path, directory: Path) -> None:
    needed = path.stat().st_size * (1 if path.name.endswith(".db") else 4) + _SPARE_BYTES
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise StorageFull(
            f"Looking into the backup needs up to {needed // 1_000_000:,} MB; {free // 1_000_000:,} MB are free.",
            safe="Nothing was changed.",
            next_step="Free some space and try again.",
        )


def _free_stem(directory: Path, wanted: str) -> str:
    number, stem = 1, wanted
    while any(directory.glob(f"{stem}.*")):
        number += 1
        stem = f"{wanted}-{number}"
    return stem
