"""Copies the whole database, and names a copy only after it was checked."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.paths import sync_directory
from chatdesk.core.storage.engine import unfinished_files
from chatdesk.core.storage.engine.connection import connect, make_private_directory, make_private_file
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.engine.search_schema import DERIVED_TABLES
from chatdesk.core.texts import Text

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound


FILES_ENDING = ".files"  # the list of stored files that a packed backup refers to


def back_up(source: sqlite3.Connection, target: Path, *, named: Path | None = None) -> Path:
    """Copy the database of ``source`` to ``target``, which it replaces only when the copy is whole and on the disk.
    ``named``: ``target`` has a temporary name and becomes this file, which is the one that a failure names.

    All pages in one step: copying in slices starts over at each write of another connection and may never end.
    """
    make_private_directory(target.parent)
    temporary = unfinished_files.name_for(target) if named is None else target
    with translating(named or target):
        try:
            make_private_file(temporary)
            with closing(connect(temporary, "write")) as copy, _one_moment(source):
                source.backup(copy, pages=-1)
                copy.execute("PRAGMA journal_mode=DELETE")
                _verify(source, copy)
            sync_file(temporary)
            temporary.replace(target)
            sync_directory(target.parent)
        except BaseException:
            for ending in ("", "-journal", "-wal", "-shm"):
                with suppress(OSError):
                    temporary.with_name(temporary.name + ending).unlink(missing_ok=True)
            raise
    return target


@contextmanager
def _one_moment(source: sqlite3.Connection) -> Iterator[None]:
    """Hold one read snapshot, so that the rows that are counted are the rows that were copied while others write."""
    is_own = not source.in_transaction
    if is_own:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only a first read takes the snapshot
    try:
        yield
    finally:
        if is_own:
            source.execute("ROLLBACK")


def row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the number of rows by table, without the tables derived for the search index."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    counts = {}
    for (name,) in names:
        if name in DERIVED_TABLES:
            continue
        counts[name] = int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
    return counts


def _verify(source: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    if damaged_pages(copy):
        raise StorageCorrupt(Text("The backup that was just made is damaged, so it was not kept."))
    if row_counts(source) != row_counts(copy):
        raise StorageCorrupt(Text("The backup that was just made is not complete, so it was not kept."))


def sync_file(path: Path) -> None:
    """Flush a file to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


# SQLite's complaints about values, which ``upkeep/stored_values.py`` finds as well.
_OF_VALUES: Final = ("CHECK constraint failed in ", "NULL value in ", "NUMERIC value in ", "TEXT value in ")
# SQLite stops its check after this many lines, and each invalid value has one. The largest number costs nothing: lines
# are produced as they are read.
_MOST_LINES: Final = 2**31 - 1


def damaged_pages(conn: sqlite3.Connection, *, is_thorough: bool = False) -> list[str]:
    """Return at most a hundred complaints of SQLite about pages. ``is_thorough``: indexes are compared with their
    tables, too. Raises ``sqlite3.DatabaseError`` where a page is too damaged for the check."""
    lines = conn.execute(f"PRAGMA {'integrity_check' if is_thorough else 'quick_check'}({_MOST_LINES})")
    return list(islice((line for (line,) in lines if line != "ok" and not line.startswith(_OF_VALUES)), 100))
