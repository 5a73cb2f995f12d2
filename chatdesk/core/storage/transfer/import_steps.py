"""Writes steps of imported threads: all rows of several steps together, a statement a table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine import change_log, search_index, tables
from chatdesk.core.storage.engine.bulk import insert_rows
from chatdesk.core.storage.engine.change_log import Origin, log_change, log_new_messages
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.transfer.import_rows import MESSAGE_COLUMNS, PART_COLUMNS, MessageRows, Step
from chatdesk.core.storage.transfer.import_threads import (
    ORIGINS,
    clear_path,
    finish_thread,
    grow_thread,
    insert_threads,
    lead_on,
)

_MESSAGES = f"INSERT INTO messages ({', '.join(MESSAGE_COLUMNS)}, search_n)"
_PARTS = f"INSERT INTO message_parts ({', '.join(PART_COLUMNS)})"


def write_steps(conn: Connection, origin: Origin, steps: Sequence[Step]) -> list[tuple[int, str]]:
    """Insert all rows of these steps, a statement a table. A thread that went to the trash in the meantime is left
    alone. Returns numbers and words of messages that the search index is to have before the commit. Foreign keys must
    be deferred."""
    steps = [step for step in steps if step.rows.is_new or _is_live(conn, step.rows.thread_id)]
    insert_threads(conn, origin, [step for step in steps if step.is_first and step.rows.is_new])
    rows = [row for step in steps for row in step.messages]
    words: list[tuple[int, str]] = []
    if rows:
        for step in steps:
            if step.rows.is_new and not step.is_first:
                clear_path(conn, step)
        words = _insert_messages(conn, rows)
        artifacts = [artifact for row in rows for artifact in row.artifacts]
        if artifacts:
            conn.execute(tables.artifacts.insert(), artifacts)
        driver(conn).execute(
            "UPDATE devices SET message_count = message_count + ? WHERE id = ?", (len(rows), origin.device_id)
        )
    _log_messages(conn, origin, steps)
    origins: list[tuple[str, str, str, str]] = []
    for step in steps:
        imported = step.rows.imported
        origins.extend(
            (imported.source, f"{imported.key}/{key}", row.id, "") for row in step.messages for key in row.keys
        )
        if not step.rows.is_new or not step.is_first:
            grow_thread(conn, origin, step)
        if not step.is_whole:
            lead_on(conn, step.rows)  # after every step, because the program may be killed before the next one
        if step.is_last:
            finish_thread(conn, origin, step)
    insert_rows(driver(conn), ORIGINS, origins)
    return words


def _insert_messages(conn: Connection, rows: Sequence[MessageRows]) -> list[tuple[int, str]]:
    """Insert messages and their parts. Returns numbers and words for the index. Parts come first, because the index's
    triggers note nothing for a message that is not there yet, and what would be looked up again is at hand."""
    raw = driver(conn)
    first = search_index.first_free(raw)
    found = sorted((row for row in rows if row.words is not None), key=lambda row: row.id) if first is not None else []
    numbers = {row.id: n for n, row in enumerate(found, start=first or 0)}
    insert_rows(raw, _PARTS, [part for row in rows for part in row.parts])
    insert_rows(raw, _MESSAGES, [(*row.message, numbers.get(row.id)) for row in rows])
    waiting = [(row.id,) for row in rows if row.is_searched and row.id not in numbers]
    if waiting:
        raw.executemany("INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('message', ?)", waiting)
    return [(numbers[row.id], row.words or "") for row in found]


def _is_live(conn: Connection, thread_id: str) -> bool:
    row = conn.exec_driver_sql("SELECT deleted_at FROM threads WHERE id = ?", (thread_id,)).first()
    return row is not None and row[0] is None


def _log_messages(conn: Connection, origin: Origin, steps: Sequence[Step]) -> None:
    for project_id in dict.fromkeys(step.project_id for step in steps):
        rows = [row for step in steps if step.project_id == project_id for row in step.messages]
        if rows:
            log_new_messages(conn, origin, project_id=project_id, entities=[row.id for row in rows])
        dead = [row for row in rows if not row.is_live]
        covers = change_log.seen(conn, origin, project_id) if dead else {}
        for row in dead:
            log_change(
                conn,
                origin,
                project_id=project_id,
                kind="message",
                op="del",
                entity=row.id,
                hlc=origin.hybrid_clock.next(),
                body={"covers": covers, "with": row.id},
            )
