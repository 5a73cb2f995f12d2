"""Fills a database with many threads and messages, through the real tables, fast enough for a million."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.search_schema import BACKLOG
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.search.store import SearchStore

_STEP = 20_000
_MINUTE_MS = 60_000
_WORDS = "a question about migrations and the answer with **Markdown**, `code` and a list"


def _short(position: int) -> str:
    return f"{position}: {_WORDS}"


async def load_many(
    db: Database, *, threads: int, messages_per_thread: int, text_of: Callable[[int], str] = _short
) -> list[str]:
    """Add ``threads`` threads of ``messages_per_thread`` messages each; the newest ends now. Returns the thread ids.

    The search index gets its words at the end, a batch at a time: with the rows it would take four times as long.
    """
    project = (await ProjectRepository(db).default()).id
    ids = [new_id() for _ in range(threads)]
    start = Clock().now_ms() - (threads + 1) * _MINUTE_MS

    def drop_indexes(conn: Connection) -> None:
        for name, sql in _indexes(conn):
            conn.exec_driver_sql(f"DROP {'TRIGGER' if sql.startswith('CREATE TRIGGER') else 'INDEX'} {name}")

    indexes = await db.read(_indexes)
    is_big = threads * messages_per_thread > _STEP
    if is_big:
        await db.write(drop_indexes, is_durable=False)
    await db.write(lambda conn: _insert_threads(conn, ids, project, messages_per_thread, start), is_durable=False)
    rows = _messages(ids, messages_per_thread, start, text_of)
    while batch := list(islice(rows, _STEP)):
        await db.write(lambda conn, batch=batch: _insert_messages(conn, batch), is_durable=False)

    def finish(conn: Connection) -> None:
        if is_big:
            for _, sql in indexes:
                conn.exec_driver_sql(sql)
            conn.exec_driver_sql("DELETE FROM search_backlog WHERE kind = 'message'")
            conn.exec_driver_sql(BACKLOG)
        conn.exec_driver_sql("UPDATE devices SET message_count = (SELECT count(*) FROM messages) WHERE is_mine = 1")

    await db.write(finish)
    if is_big:
        store = SearchStore(db)
        while await store.fill_batch() is not None:
            continue
        await store.close()
    return ids


async def make_database(
    path: Path, *, threads: int, messages_per_thread: int, text_of: Callable[[int], str] = _short
) -> list[str]:
    """A new database file with that many rows, closed again."""
    db = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await db.open()
    try:
        return await load_many(db, threads=threads, messages_per_thread=messages_per_thread, text_of=text_of)
    finally:
        await db.close()


def _indexes(conn: Connection) -> list[tuple[str, str]]:
    return [
        (row[0], row[1])
        for row in conn.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND (type = 'index'"
            " AND tbl_name IN ('messages', 'message_parts') OR type = 'trigger')"
        )
    ]


def _insert_threads(conn: Connection, ids: list[str], project: str, messages: int, start: int) -> None:
    conn.exec_driver_sql(
        "INSERT INTO threads (id, project_id, title, title_folded, provider, model, created_at, last_activity_at,"
        " message_count, shown_count) VALUES (?, ?, ?, ?, 'offline', 'demo', ?, ?, ?, ?)",
        [
            (
                thread_id,
                project,
                f"Thread {number}",
                f"thread {number}",
                start + number * _MINUTE_MS,
                start + (number + 1) * _MINUTE_MS,
                messages,
                messages,
            )
            for number, thread_id in enumerate(ids)
        ],
    )


def _messages(ids: list[str], count: int, start: int, text_of: Callable[[int], str]) -> Iterator[tuple[Any, ...]]:
    """(thread, id, parent, next, number, role, time, text, is last)"""
    for number, thread_id in enumerate(ids):
        parent = None
        message_id = new_id()
        for position in range(count):
            is_last = position == count - 1
            following = None if is_last else new_id()
            role = "assistant" if position % 2 else "user"
            yield (
                thread_id,
                message_id,
                parent,
                following,
                position,
                role,
                start + number * _MINUTE_MS + position,
                text_of(position),
                is_last,
            )
            parent, message_id = message_id, following or ""


def _insert_messages(conn: Connection, rows: list[tuple[Any, ...]]) -> None:
    # A child comes after its parent within a batch, but its own chosen child may come with the next one.
    conn.exec_driver_sql(
        "INSERT INTO messages (id, thread_id, parent_id, role, status, position, on_path, chosen_child_id, provider,"
        " model, created_at, completed_at, char_count, line_count)"
        " VALUES (?, ?, ?, ?, 'complete', ?, 1, ?, 'offline', 'demo', ?, ?, ?, ?)",
        [(m[1], m[0], m[2], m[5], m[4], m[3], m[6], m[6], len(m[7]), m[7].count("\n") + 1) for m in rows],
    )
    conn.exec_driver_sql(
        "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 0, 'text', ?)",
        [(new_id(), m[1], json.dumps({"text": m[7]})) for m in rows],
    )
    conn.exec_driver_sql(
        "UPDATE threads SET chosen_root_id = ? WHERE id = ?", [(m[1], m[0]) for m in rows if m[4] == 0] or [(None, "")]
    )
    conn.exec_driver_sql(
        "UPDATE threads SET current_leaf_id = ? WHERE id = ?", [(m[1], m[0]) for m in rows if m[8]] or [(None, "")]
    )
