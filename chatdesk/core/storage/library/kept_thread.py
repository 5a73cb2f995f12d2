"""Copies a whole thread from one database into another: a temporary one that is kept.

Every row keeps its id, its words and its times, so that whoever shows the thread goes on showing it. The rows are this
device's from then on, and are logged as new ones.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import Thread
from chatdesk.core.domain.usage import Usage
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.chat.branching import Row, insert_rows, log_steering, rows_as_stored
from chatdesk.core.storage.chat.threads import touch
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import Origin, log_change, log_new_messages, seen
from chatdesk.core.storage.engine.rows import get_thread
from chatdesk.core.storage.usage import days

_THREAD: Final = "thread_id = :thread"
_MESSAGES: Final = "SELECT id FROM messages WHERE thread_id = :thread"
_PARTS: Final = f"SELECT id FROM message_parts WHERE message_id IN ({_MESSAGES})"
# The rows of a thread by table, in the order of their references.
_WHOSE: Final[Mapping[str, str]] = {
    "threads": "id = :thread",
    "messages": f"{_THREAD} ORDER BY position, id",
    "message_parts": f"message_id IN ({_MESSAGES})",
    "part_token_counts": f"part_id IN ({_PARTS})",
    "drafts": _THREAD,
    "usage_events": _THREAD,
}
_STAMPED: Final = frozenset(("threads", "messages", "message_parts"))
_LOGGED: Final = ("title", "title_source", "system_prompt", "provider", "model", "created_at")
_LARGEST_STEP: Final = 5_000  # rows that are put into one statement

ThreadRows = Mapping[str, Sequence[Row]]


def rows_of(conn: Connection, thread_id: str) -> ThreadRows:
    """Return all rows of one thread, by table."""
    return {
        table: rows_as_stored(conn, f"SELECT * FROM {table} WHERE {whose}", {"thread": thread_id})
        for table, whose in _WHOSE.items()
    }


def copy_project(conn: Connection, row: Row) -> None:
    """Insert a project into a database that has none, as it is where the row was read."""
    insert_rows(conn, "projects", [row])


def project_row(conn: Connection, project_id: str) -> Row:
    """Return the row of an unshared project: the given one, else the oldest in use, else the given one without its
    prompt and parameters."""
    found = rows_as_stored(
        conn,
        "SELECT * FROM projects WHERE deleted_at IS NULL"
        " AND id NOT IN (SELECT project_id FROM shared_projects WHERE state <> 'ended')"
        " ORDER BY id <> :wanted, archived_at IS NOT NULL, id LIMIT 1",
        {"wanted": project_id},
    )
    if found:
        return found[0]
    plain = rows_as_stored(conn, "SELECT * FROM projects WHERE id = :wanted", {"wanted": project_id})[0]
    return plain | {"system_prompt": "", "parameters": "{}"}


def insert(conn: Connection, origin: Origin, rows: ThreadRows) -> Thread:
    """Store a thread in its project, or in the oldest private project if its own is gone or shared by now: a
    temporary thread is not sent to others unasked."""
    thread_id, project_id = rows["threads"][0]["id"], rows["threads"][0]["project_id"]
    is_there = conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ? AND deleted_at IS NULL", (project_id,)).first()
    if is_there is None or projects.share_of(conn, project_id) is not None:
        project_id = projects.private_project_id(conn, origin)
    own: dict[str, dict[str, Any]] = {
        "threads": {"project_id": project_id},
        "messages": {"search_n": None, "owner_pid_token": None},
        "usage_events": {"project_id": project_id},
    }
    for table in _WHOSE:
        changed = own.get(table, {})
        found = [row | (origin.stamp() if table in _STAMPED else {}) | changed for row in rows[table]]
        for start in range(0, len(found), _LARGEST_STEP):
            insert_rows(conn, table, found[start : start + _LARGEST_STEP])
    _add_up(conn, project_id, rows["usage_events"])
    thread = get_thread(conn, thread_id)
    _log(conn, origin, thread, rows)
    count = len(rows["messages"])
    conn.exec_driver_sql("UPDATE devices SET message_count = message_count + ? WHERE id = ?", (count, origin.device_id))
    touch(conn, thread_id, origin.now())
    return get_thread(conn, thread_id)


def _log(conn: Connection, origin: Origin, thread: Thread, rows: ThreadRows) -> None:
    stamp, row = origin.stamp(), rows["threads"][0]
    conn.execute(tables.threads.update().where(tables.threads.c.id == thread.id).values(**stamp))
    log_change(
        conn,
        origin,
        project_id=thread.project_id,
        kind="thread",
        op="new",
        entity=thread.id,
        hlc=stamp["hlc"],
        body={name: row[name] for name in _LOGGED},
    )
    log_steering(conn, origin, thread)
    messages = rows["messages"]
    if not messages:
        return
    log_new_messages(conn, origin, project_id=thread.project_id, entities=[row["id"] for row in messages])
    for row in messages:
        if row["deleted_at"] is not None:
            log_change(
                conn,
                origin,
                project_id=thread.project_id,
                kind="message",
                op="del",
                entity=row["id"],
                hlc=origin.hybrid_clock.next(),
                body={"covers": seen(conn, origin, thread.project_id), "with": row["deleted_with"]},
            )


def _add_up(conn: Connection, project_id: str, events: Sequence[Row]) -> None:
    for row in events:
        usage = Usage(
            row["input_tokens"],
            row["output_tokens"],
            row["cached_tokens"],
            row["reasoning_tokens"],
            bool(row["is_estimated"]),
            row["written_tokens"],
        )
        days.add_up(
            conn,
            at=row["created_at"],
            project_id=project_id,
            provider=row["provider"],
            model=row["model"],
            kind=row["kind"],
            usage=usage,
            cost_usd=row["cost_usd"],
        )
