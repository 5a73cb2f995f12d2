"""Looks for a word in a profile: in every column of its database, and in the bytes of every file."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.connection import driver


def places_with(conn: Connection, word: str) -> set[tuple[str, str]]:
    """The columns of the profile that hold the word, of all tables but what FTS5 shows of its own."""
    found = set()
    raw = driver(conn)
    for (table,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%USING fts5%'"):
        for column in [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]:
            # The second for the blocks of the index, whose words are in lower case.
            query = (
                f"SELECT 1 FROM {table} WHERE instr(lower(CAST({column} AS TEXT)), ?1)"
                f" OR instr(CAST({column} AS BLOB), CAST(?1 AS BLOB))"
            )
            if raw.execute(query, (word.lower(),)).fetchone():
                found.add((table, column))
    return found


def files_with(folder: Path, word: str) -> list[str]:
    """The files below a folder whose bytes hold the word, a database's log among them."""
    wanted = re.compile(word.encode(), re.IGNORECASE)
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file() and wanted.search(path.read_bytes())]
