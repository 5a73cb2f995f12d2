"""Replaces the database with a prepared one: completely or not at all.

A small note decides. Once it exists, the replacement is carried out, at once or, after a kill, at the next start. This
module imports little, because every start looks for that note.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path

from chatdesk.core.paths import sync_directory
from chatdesk.core.storage.engine import backup, high_water
from chatdesk.core.storage.engine.connection import make_private_file

_log = logging.getLogger(__name__)


def commit(database: Path) -> None:
    """Decide on the restore and carry it out. Renaming the note is the point of no return."""
    note = _note_path(database)
    temporary = note.with_name(note.name + ".new")
    make_private_file(temporary)
    temporary.write_text(json.dumps({"ready": ready_path(database).name}), encoding="utf-8")
    backup.sync_file(temporary)
    temporary.replace(note)
    sync_directory(database.parent)
    finish(database)


def finish(database: Path) -> bool:
    """Carry out an ordered restore, of this process or one that has ended. Returns whether there was one; the remains
    of a restore that was not ordered are removed. Called by the owner of the data directory before the database is
    opened."""
    note, plain = _note_path(database), ready_path(database)
    if not note.exists():
        for left in (plain, note.with_name(note.name + ".new")):
            with suppress(OSError):
                remove_database(left)
        return False
    if plain.exists():
        # The old log must be gone before the new file has the name: beside another database it would damage it.
        for ending in ("-wal", "-shm", "-journal"):
            database.with_name(database.name + ending).unlink(missing_ok=True)
        # else the restored database would be reported as a loss of messages
        high_water.mark_path(database).unlink(missing_ok=True)
        sync_directory(database.parent)
        plain.replace(database)
        sync_directory(database.parent)
    note.unlink(missing_ok=True)
    sync_directory(database.parent)
    _log.info("a backup was put in the place of the database")
    return True


def ready_path(database: Path) -> Path:
    """Return the path of a prepared database that waits to replace ``database``."""
    return database.with_name(database.name + ".restoring")


def remove_database(path: Path) -> None:
    """Remove a database with the files that SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _note_path(database: Path) -> Path:
    return database.with_name(database.name + ".restore")
