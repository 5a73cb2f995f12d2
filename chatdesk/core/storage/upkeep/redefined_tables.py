"""Gives tables of a damaged database their definition again, in a copy of its files.

The rows are there, but SQLite does not know a table whose definition it cannot read.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from chatdesk.core.storage.engine import unfinished_files
from chatdesk.core.storage.engine.connection import connect, make_private_file, set_defensive
from chatdesk.core.storage.engine.pending_restore import remove_database
from chatdesk.core.storage.upkeep.readable_rows import raise_unless_damage

_FIND: Final = "SELECT rowid FROM sqlite_master WHERE type NOT IN ('index', 'trigger') AND (name = ?1 OR tbl_name = ?1)"
_DEFINE: Final = "UPDATE sqlite_master SET type = 'table', name = ?1, tbl_name = ?1, sql = ?2 WHERE rowid = ?3"


@contextmanager
def redefined(database: Path, definitions: Mapping[str, str]) -> Iterator[Path]:
    """Make a copy of a database in which the tables of ``definitions`` are defined so, as far as their entries in the
    schema can be found. It is removed at the end of the block."""
    copy = unfinished_files.name_for(database)
    try:
        for ending in ("", "-wal"):
            source, target = (each.with_name(each.name + ending) for each in (database, copy))
            if source.exists():
                make_private_file(target)
                shutil.copyfile(source, target)
        with closing(connect(copy, "write")) as conn:
            set_defensive(conn, is_on=False)
            conn.execute("PRAGMA writable_schema=ON")
            for name, statement in definitions.items():
                _define(conn, name, statement)
        yield copy
    finally:
        remove_database(copy)


def _define(conn: sqlite3.Connection, name: str, statement: str) -> None:
    for _ in range(2):  # the first statement fails where the schema is damaged
        try:
            found = conn.execute(_FIND, (name,)).fetchall()
            if len(found) == 1:
                conn.execute(_DEFINE, (name, statement, found[0][0]))
            return
        except sqlite3.DatabaseError as error:
            raise_unless_damage(error)
