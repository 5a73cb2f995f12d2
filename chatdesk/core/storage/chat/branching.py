"""Copies the messages of a path into a new thread, inside a transaction of the caller.

Every row is copied, so that neither deleting the old thread for good nor going on with one of its answers touches the
new one. The bytes of attached files are not copied: they are in a file that is named by its content, and both rows
name it.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.thread import Thread
from chatdesk.core.domain.tools import COPIED, OPEN_STATES
from chatdesk.core.errors import MessageInTrash, MessageNotFound, TurnInProgress
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import outside_text, shown_path, thread_counters
from chatdesk.core.storage.chat.quoting import Source, quote_messages, quoted_prompt
from chatdesk.core.storage.chat.threads import insert_thread, live_thread, touch
from chatdesk.core.storage.engine.change_log import Origin, log_change, log_message, log_new_messages
from chatdesk.core.storage.engine.plain_text import json_value
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.engine.steering import MADE_WITH, changed_registers

Row = dict[str, Any]

_UP = """
WITH RECURSIVE up(id, parent_id) AS (
    SELECT id, parent_id FROM messages WHERE id = ?
    UNION
    SELECT p.id, p.parent_id FROM up JOIN messages p ON p.id = up.parent_id
)
SELECT m.* FROM up CROSS JOIN messages m ON m.id = up.id WHERE m.deleted_at IS NULL ORDER BY m.position
"""


def branch(conn: Connection, origin: Origin, message_id: str, title: str) -> str:
    """Copy the live messages from the root to this one into a new thread. Returns its id."""
    node = shown_path.find_node(conn, message_id)
    if node is None:
        raise MessageNotFound
    if node.deleted_at is not None:
        raise MessageInTrash
    old = live_thread(conn, node.thread_id)
    path = rows_as_stored(conn, _UP, (message_id,))
    if any(not Status(row["status"]).is_final for row in path):
        raise TurnInProgress
    thread = insert_thread(
        conn,
        origin,
        old.project_id,
        title,
        provider=old.provider,
        model=old.model,
        system_prompt=quoted_prompt(conn, old.id, old.system_prompt),
    )
    new_ids = copy_path(conn, origin, thread, path)
    conn.exec_driver_sql(
        "UPDATE threads SET (parameters, is_without_summaries, assistant_id, context_from_id) ="
        " (SELECT parameters, is_without_summaries, assistant_id, ? FROM threads WHERE id = ?) WHERE id = ?",
        (_start_of(conn, old.id, new_ids), old.id, thread.id),
    )
    log_steering(conn, origin, thread)
    return thread.id


def copy_path(conn: Connection, origin: Origin, thread: Thread, path: Sequence[Row]) -> dict[str, str]:
    """Fill an empty thread with copies of these messages, given as whole rows, one below the other. Other members' text
    is quoted, as the copy is this person's. Returns the new ids by the old ones."""
    new_ids = {row["id"]: new_id() for row in path}
    outside_text.record_copy(conn, {row["thread_id"] for row in path}, thread.id)
    _copy_messages(conn, origin, thread.id, path, new_ids)
    copy_parts(conn, origin, new_ids)
    close_calls(conn, new_ids.values())
    sources = {
        new_ids[row["id"]]: Source(row["author_id"], row["thread_id"], row["id"])
        for row in path
        if row["author_id"] is not None
    }
    quote_messages(conn, origin, sources)
    log_new_messages(conn, origin, project_id=thread.project_id, entities=list(new_ids.values()))
    conn.exec_driver_sql(
        "UPDATE devices SET message_count = message_count + ? WHERE id = ?", (len(path), origin.device_id)
    )
    conn.exec_driver_sql(
        "UPDATE threads SET chosen_root_id = ?, shown_count = ? WHERE id = ?",
        (new_ids[path[0]["id"]], len(path), thread.id),
    )
    thread_counters.change(conn, thread.id, thread_counters.of_thread(conn, thread.id))
    shown_path.refresh_end(conn, thread.id)
    touch(conn, thread.id, origin.now())
    return new_ids


def copy_beside(conn: Connection, origin: Origin, message_id: str) -> str:
    """Copy a message into another version beside it, which is not on the shown path. Returns its id. The copy is logged
    if the message is this person's own, and is in no trash, as others get it; what another member wrote stays theirs,
    and its copy is kept here only."""
    (row,) = _rows_of(conn, "messages", "id", (message_id,))
    made = new_id()
    own = {"id": made, "chosen_child_id": None, "on_path": 0, "owner_pid_token": None, "search_n": None}
    if row["author_id"] is None:
        own["deleted_at"] = None
    insert_rows(conn, "messages", [row | origin.stamp() | own])
    copy_parts(conn, origin, {message_id: made})
    close_calls(conn, [made])
    conn.exec_driver_sql("UPDATE devices SET message_count = message_count + 1 WHERE id = ?", (origin.device_id,))
    if (row | own)["deleted_at"] is None:
        thread_counters.change(conn, row["thread_id"], thread_counters.of_messages(conn, [made]))
    if row["author_id"] is None:
        project_id = conn.exec_driver_sql("SELECT project_id FROM threads WHERE id = ?", (row["thread_id"],)).scalar()
        log_message(conn, origin, str(project_id), made, parent_id=row["parent_id"], is_kept=True)
    return made


def copy_parts(conn: Connection, origin: Origin, messages: Mapping[str, str]) -> None:
    """Copy the parts of messages, with their artifacts and token counts, to other messages. ``messages``: the ids of
    those that get the parts, by the ids of those that have them."""
    parts = _copy_owned(conn, origin, "message_parts", "message_id", messages)
    _copy_owned(conn, origin, "artifacts", "part_id", parts)
    _copy_counts(conn, parts)


def close_calls(conn: Connection, message_ids: Iterable[str]) -> None:
    """Mark the open calls of copied messages as copies, so that a person is not asked to run them: another member or an
    import may have written them, and the copied message has them as well."""
    for batch in batches(list(message_ids)):
        conn.exec_driver_sql(
            f"UPDATE message_parts SET content = json_set(content, '$.{COPIED}', json('true'))"
            f" WHERE message_id IN ({marks(batch)}) AND type = 'tool_call'"
            f" AND {json_value('content', 'status')} IN ({marks(OPEN_STATES)})",
            (*batch, *OPEN_STATES),
        )


def message_rows(conn: Connection, message_ids: Sequence[str]) -> list[Row]:
    """Return whole rows of messages, those nearer to the root first."""
    rows = [row for batch in batches(message_ids) for row in _rows_of(conn, "messages", "id", batch)]
    return sorted(rows, key=lambda row: (row["position"], row["id"]))


def log_steering(conn: Connection, origin: Origin, thread: Thread) -> None:
    """Log the copied settings of a new thread that differ from the default and are not in the log of its creation."""
    row = conn.exec_driver_sql("SELECT * FROM threads WHERE id = ?", (thread.id,)).one()
    for reg, body in changed_registers(row._asdict()):
        if body.keys().isdisjoint(MADE_WITH):
            log_change(
                conn,
                origin,
                project_id=thread.project_id,
                kind="thread",
                op="edit",
                entity=thread.id,
                hlc=origin.hybrid_clock.next(),
                reg=reg,
                body=body,
            )


def _copy_messages(
    conn: Connection, origin: Origin, thread_id: str, path: Sequence[Row], new_ids: Mapping[str, str]
) -> None:
    ids = [new_ids[row["id"]] for row in path]
    insert_rows(
        conn,
        "messages",
        [
            row
            | origin.stamp()
            | {
                "id": ids[place],
                "thread_id": thread_id,
                "parent_id": ids[place - 1] if place else None,
                "chosen_child_id": ids[place + 1] if place + 1 < len(ids) else None,
                "position": place,
                "on_path": 1,
                "owner_pid_token": None,
                "deleted_with": None,
                "search_n": None,
            }
            for place, row in enumerate(path)
        ],
    )


def _copy_owned(conn: Connection, origin: Origin, table: str, owner: str, owners: Mapping[str, str]) -> dict[str, str]:
    """Copy the rows of ``table`` whose column ``owner`` is among the keys. Returns the new ids by the old ones."""
    ids: dict[str, str] = {}
    for batch in batches(list(owners)):
        rows = _rows_of(conn, table, owner, batch)
        ids |= {row["id"]: new_id() for row in rows}
        insert_rows(
            conn, table, [row | origin.stamp() | {"id": ids[row["id"]], owner: owners[row[owner]]} for row in rows]
        )
    return ids


def _copy_counts(conn: Connection, parts: Mapping[str, str]) -> None:
    for batch in batches(list(parts)):
        rows = _rows_of(conn, "part_token_counts", "part_id", batch)
        insert_rows(conn, "part_token_counts", [row | {"part_id": parts[row["part_id"]]} for row in rows])


def _rows_of(conn: Connection, table: str, owner: str, owners: Sequence[str]) -> list[Row]:
    return rows_as_stored(conn, f"SELECT * FROM {table} WHERE {owner} IN ({marks(owners)})", owners)


def rows_as_stored(conn: Connection, query: str, values: Sequence[str] | Mapping[str, str]) -> list[Row]:
    """Return whole rows, with values as the driver has them."""
    found = conn.exec_driver_sql(query, dict(values) if isinstance(values, Mapping) else tuple(values))
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def insert_rows(conn: Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows that were read from this table, with values as the driver has them: quicker than through statements
    that know types."""
    if rows:
        names = tuple(rows[0])
        values = [tuple(row.values()) for row in rows]
        conn.exec_driver_sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(names)})", values)


def _start_of(conn: Connection, thread_id: str, new_ids: Mapping[str, str]) -> str | None:
    """Return the copy of the message where the context begins; None if that message was not copied."""
    start = conn.exec_driver_sql("SELECT context_from_id FROM threads WHERE id = ?", (thread_id,)).scalar()
    return None if start is None else new_ids.get(start)
