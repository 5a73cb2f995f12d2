"""Replaces the database with a backup: completely or not at all, whatever happens in between.

The rows of the backup are read into a new database beside the present one, by a process that may be killed
(``restore_process``); the present database is kept in the backup directory; then a small marker file orders the
exchange. From then on every start completes it before it opens anything; before that, nothing has changed. The caller
of ``replace_database`` owns the data directory and has closed the database. Synchronous, for a thread of the caller.
"""

from __future__ import annotations

import zipfile
from contextlib import closing, suppress
from pathlib import Path

from chatdesk.core.domain.backup_contents import BackupContents
from chatdesk.core.errors import StorageBusy, StorageError, StorageFull
from chatdesk.core.moments import utc_moment
from chatdesk.core.paths import sync_directory
from chatdesk.core.storage.engine import backup, unfinished_files
from chatdesk.core.storage.engine.connection import connect, make_private_directory, make_private_file
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.engine.pending_restore import commit, ready_path, remove_database
from chatdesk.core.storage.upkeep import backup_files, restore_process


def inspect_backup(path: Path, *, work_dir: Path, blobs: Path) -> BackupContents:
    """Return the contents of a backup; nothing is changed. Raises ``StorageError``: ``SchemaTooNew`` for that of a
    newer ChatDesk, ``StorageCorrupt`` for a file that is none, is damaged, or holds more than data."""
    plain = unfinished_files.name_for(work_dir / "look.db")
    with translating(path):
        try:
            return restore_process.run(path, plain=plain, blobs=blobs)
        finally:
            remove_database(plain)


def prepare(path: Path, database: Path, *, blobs: Path) -> BackupContents:
    """Read a backup into a new database, ready to be put in the place of ``database``. Files that a zip includes
    are put where they belong. Raises like ``inspect_backup``; the database has not changed then or afterwards."""
    ready = ready_path(database)
    plain, target = unfinished_files.name_for(ready), unfinished_files.name_for(ready)
    with translating(path):
        try:
            make_private_directory(database.parent)
            remove_database(ready)
            contents = restore_process.run(path, plain=plain, blobs=blobs, target=target)
            backup.sync_file(target)
            target.replace(ready)
        finally:
            for each in (plain, target):
                remove_database(each)
    return contents


def replace_database(database: Path, *, backup_dir: Path, now_ms: int) -> Path | None:
    """Keep the present database and put the prepared one in its place. Returns where the present one is kept now, None
    when there was none. Raises ``StorageError``; nothing has changed then."""
    with translating(database):
        kept = keep_present(database, backup_dir=backup_dir, now_ms=now_ms)
        commit(database)
    return kept


def keep_present(database: Path, *, backup_dir: Path, now_ms: int, reason: str = "restore") -> Path | None:
    """Copy the present database into the backup directory, packed; of one that cannot be copied as a database, its
    files as they are. A folder or pipe in its place is renamed. Returns where it is kept, None when there is none."""
    if not database.exists():
        return None
    at = utc_moment(now_ms).strftime("%Y%m%dT%H%M%SZ")
    if not database.is_file():
        return database.rename(database.with_name(f"{database.name}.before-{reason}-{at}"))
    if database.stat().st_size == 0:
        return None
    make_private_directory(backup_dir)
    stem = _free_stem(backup_dir, f"before-{reason}-{at}")
    plain = unfinished_files.name_for(backup_dir / f"{stem}.db")
    if not _has_header(database):
        return _keep_damaged(database, backup_dir / f"{stem}.damaged.zip")  # SQLite would throw its log away
    try:
        with translating(database):
            return _pack(database, plain, backup_dir / f"{stem}.db{backup_files.PACKED}")
    except (StorageBusy, StorageFull):
        raise
    except StorageError:  # whatever is wrong with it, it is about to be replaced
        return _keep_damaged(database, backup_dir / f"{stem}.damaged.zip")
    finally:
        remove_database(plain)


def _pack(database: Path, plain: Path, target: Path) -> Path:
    with closing(connect(database, "read")) as source:
        backup.back_up(source, plain)
    with closing(connect(plain, "write")) as copy:
        names = backup_files.named_files(copy)
    return backup_files.pack(plain, target, named=names)


def _has_header(database: Path) -> bool:
    with database.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def _keep_damaged(database: Path, target: Path) -> Path:
    """Keep a file that cannot be read as a database byte for byte, with its log."""
    temporary = unfinished_files.name_for(target)
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


def _free_stem(directory: Path, wanted: str) -> str:
    number, stem = 1, wanted
    while any(directory.glob(f"{stem}.*")):
        number += 1
        stem = f"{wanted}-{number}"
    return stem
