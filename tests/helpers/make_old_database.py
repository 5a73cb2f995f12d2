"""Writes the frozen sample of one schema version: ``python -m tests.helpers.make_old_database 0014 out.sql``.

Run once when a version is released; the file is never changed afterwards. The rows are written with plain SQL and use
only columns of the first version, so that the sample does not depend on the repositories of the day.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

from chatdesk.core.storage.engine import schema_upgrade, search_schema, search_text

MIGRATIONS = Path(__file__).parents[2] / "migrations"
_PROJECT = "01900000-0000-7000-8000-000000000001"
_DEVICE = "01900000-0000-7000-8000-000000000002"


def _id(kind: int, number: int) -> str:
    return f"01900000-{kind:04x}-7000-8000-{number:012x}"


def fill(conn: sqlite3.Connection, *, threads: int = 3, messages: int = 10) -> None:
    """A small profile as the first version kept it."""
    conn.execute(
        "INSERT INTO devices (id, is_mine, next_dseq, last_hlc, created_at) VALUES (?, 1, 7, 99, 1700000000000)",
        (_DEVICE,),
    )
    conn.execute(
        "INSERT INTO projects (id, name, colour, created_at) VALUES (?, 'Personal', '#5B7DB1', 1700000000000)",
        (_PROJECT,),
    )
    for number in range(threads):
        thread = _id(1, number)
        conn.execute(
            "INSERT INTO threads (id, project_id, title, title_folded, created_at, last_activity_at, current_leaf_id,"
            " chosen_root_id, shown_count, message_count) VALUES (?, ?, ?, ?, 1700000000000, ?, ?, ?, ?, ?)",
            (
                thread,
                _PROJECT,
                f"Thread {number}",
                f"thread {number}",
                1700000000000 + number,
                _id(2, number * messages + messages - 1),
                _id(2, number * messages),
                messages,
                messages,
            ),
        )
        conn.execute(
            "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at) VALUES (?, ?, 'unsent', 6, 1700000000000)",
            (thread, thread),
        )
        for position in range(messages):
            _message(conn, thread, number * messages + position, position, is_last=position == messages - 1)
    # The last answer was being written when the process died.
    last = _id(2, threads * messages - 1)
    conn.execute("UPDATE messages SET status = 'streaming', owner_pid_token = '1:1:gone' WHERE id = ?", (last,))
    conn.execute("INSERT INTO part_chunks (message_id, part_index, text) VALUES (?, 0, ' and more')", (last,))


def _message(conn: sqlite3.Connection, thread: str, number: int, position: int, *, is_last: bool) -> None:
    conn.execute(
        "INSERT INTO messages (id, thread_id, parent_id, role, status, position, on_path, chosen_child_id, created_at)"
        " VALUES (?, ?, ?, ?, 'complete', ?, 1, ?, ?)",
        (
            _id(2, number),
            thread,
            _id(2, number - 1) if position else None,
            "assistant" if position % 2 else "user",
            position,
            None if is_last else _id(2, number + 1),
            1700000000000 + position,
        ),
    )
    conn.execute(
        "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 0, 'text', ?)",
        (_id(3, number), _id(2, number), f'{{"text":"message {position}\\nof {thread[-1]}"}}'),
    )


def make(path: Path, revision: str, *, threads: int = 3) -> None:
    """A database file of schema version ``revision`` with the sample in it."""
    path.write_bytes(_made(revision, threads))


@cache
def _made(revision: str, threads: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.db"
        schema_upgrade.migrate(path, MIGRATIONS, target=revision)
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("BEGIN")
            fill(conn, threads=threads)
            conn.execute("COMMIT")
        return path.read_bytes()


def main() -> None:
    revision, target = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.db"
        make(path, revision)
        with closing(sqlite3.connect(path)) as conn:
            Path(target).write_text("\n".join(_dump(conn)) + "\n", "utf-8")


def _dump(conn: sqlite3.Connection) -> Iterator[str]:
    """Without what SQLite makes by itself for a search index, which is empty here."""
    search_text.register(conn)
    for statement in conn.iterdump():
        if statement.startswith("PRAGMA writable_schema"):
            continue
        virtual = re.match(r"INSERT INTO sqlite_master.*?'(CREATE VIRTUAL TABLE .*)'\);$", statement, re.DOTALL)
        if virtual is not None:
            yield virtual[1].replace("''", "'") + ";"
            continue
        found = re.match(r"(?:CREATE TABLE|INSERT INTO) ['\"]?(\w+)", statement)
        if found is None or found[1] not in search_schema.DERIVED_TABLES:
            yield statement


if __name__ == "__main__":
    main()
