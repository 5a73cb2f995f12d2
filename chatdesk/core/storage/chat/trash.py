"""Deletes threads and messages as tombstones: they can come back for a while, and then go for good."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import DeletedMessage
from chatdesk.core.domain.summary import StaleReason
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import MessageInTrash, MessageNotFound, NotPossible, TurnInProgress
from chatdesk.core.storage.chat import projects, shown_path, summaries, thread_counters
from chatdesk.core.storage.chat.documents import EDIT_SLOTS
from chatdesk.core.storage.engine import search_index, tables
from chatdesk.core.storage.engine.change_log import Origin, has_content, log_change, seen
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.message_columns import Form, travelling
from chatdesk.core.storage.engine.plain_text import json_value
from chatdesk.core.storage.engine.rows import batches, get_thread, marks
from chatdesk.core.texts import Text

_NO_WORDS = ", ".join(f"{each} = NULL" for each in travelling(Form.WORD, Form.TEXT, Form.DETAILS))

_SUBTREE = """
WITH RECURSIVE below(id) AS (
    SELECT ? UNION SELECT m.id FROM below JOIN messages m ON m.parent_id = below.id
)
SELECT m.id, m.status FROM below JOIN messages m ON m.id = below.id WHERE m.deleted_at IS NULL
"""


def delete_thread(conn: Connection, origin: Origin, thread_id: str) -> Thread:
    """Move one thread to the trash as part of a larger step. A thread already in the trash is unchanged."""
    thread = get_thread(conn, thread_id)
    if thread.deleted_at is None:
        _mark_deleted(conn, origin, thread)
    return get_thread(conn, thread_id)


def _mark_deleted(conn: Connection, origin: Origin, thread: Thread) -> None:
    now, stamp = origin.now(), origin.stamp()
    conn.execute(tables.threads.update().where(tables.threads.c.id == thread.id).values(deleted_at=now, **stamp))
    projects.refresh_last_chat(conn, thread.project_id)
    log_change(
        conn,
        origin,
        project_id=thread.project_id,
        kind="thread",
        op="del",
        entity=thread.id,
        hlc=stamp["hlc"],
        body={"covers": seen(conn, origin, thread.project_id), "deleted_at": now},
    )


def delete_message(
    conn: Connection, origin: Origin, message_id: str, *, with_later: bool, end_id: str | None = None
) -> tuple[Thread, tuple[str, ...]]:
    """Move a message, or it and everything below it, to the trash. The path leads to ``end_id`` then, if that is given;
    else through another live version, if there is any."""
    node = shown_path.find_node(conn, message_id)
    if node is None:
        raise MessageNotFound
    if node.deleted_at is not None:
        raise MessageInTrash
    rows = conn.exec_driver_sql(_SUBTREE, (message_id,)).all() if with_later else [(node.id, node.status)]
    if any(row[1] in ("pending", "streaming") for row in rows):
        raise TurnInProgress
    affected = tuple(row[0] for row in rows)
    _move_to_trash(conn, origin, node, affected)
    _lead_to(conn, end_id)
    return get_thread(conn, node.thread_id), affected


def delete_messages(
    conn: Connection, origin: Origin, message_ids: Sequence[str], *, end_id: str | None
) -> tuple[Thread, tuple[str, ...]]:
    """Move exactly these messages of one thread back to the trash, the topmost first."""
    nodes = [shown_path.find_node(conn, message_id) for message_id in message_ids]
    live = [node for node in nodes if node is not None and node.deleted_at is None]
    if not live:
        raise MessageNotFound
    affected = tuple(node.id for node in live)
    if any(node.status in ("pending", "streaming") for node in live):
        raise TurnInProgress
    _move_to_trash(conn, origin, live[0], affected)
    _lead_to(conn, end_id)
    return get_thread(conn, live[0].thread_id), affected


def trash_unlogged(conn: Connection, origin: Origin, message_id: str) -> None:
    """Move a message to the trash of this profile alone: it is not logged, because no other member ever had it."""
    node = shown_path.find_node(conn, message_id)
    if node is not None and node.deleted_at is None:
        _move_to_trash(conn, origin, node, (node.id,), is_logged=False)


def _move_to_trash(
    conn: Connection, origin: Origin, top: shown_path.Node, affected: tuple[str, ...], *, is_logged: bool = True
) -> None:
    """Move messages to the trash together, as one step that began with ``top``."""
    tally = thread_counters.of_messages(conn, affected)
    hidden = _mark_messages(
        conn, origin, top.thread_id, affected, deleted_at=origin.now(), deleted_with=top.id, is_logged=is_logged
    )
    thread_counters.count_in(conn, top.thread_id, tally, -1, hidden)
    if top.is_on_path:
        sibling = _nearest_version(conn, top)
        if sibling is not None:
            shown_path.show(conn, sibling)
    shown_path.refresh_end(conn, top.thread_id)


def _lead_to(conn: Connection, message_id: str | None) -> bool:
    node = None if message_id is None else shown_path.find_node(conn, message_id)
    if node is None:
        return False
    shown_path.show(conn, node)
    return True


def restore_message(
    conn: Connection, origin: Origin, message_id: str, *, end_id: str | None = None
) -> tuple[Thread, tuple[str, ...]]:
    """Bring back a message with all that went to the trash together with it. Then the path leads to ``end_id``, else
    through the message."""
    row = conn.exec_driver_sql("SELECT deleted_with, purged_at FROM messages WHERE id = ?", (message_id,)).first()
    node = shown_path.find_node(conn, message_id)
    if row is None or node is None:
        raise MessageNotFound
    if row[1] is not None:
        raise NotPossible(Text("The text of this message was removed for good after its time in the trash."))
    if node.deleted_at is None:
        return get_thread(conn, node.thread_id), ()
    affected = tuple(
        found[0]
        for found in conn.exec_driver_sql(
            "SELECT id FROM messages WHERE thread_id = ? AND deleted_at IS NOT NULL AND deleted_with = ?"
            " AND purged_at IS NULL ORDER BY position, id",
            (node.thread_id, row[0]),
        )
    )
    shown = _mark_messages(conn, origin, node.thread_id, affected, deleted_at=None, deleted_with=None)
    thread_counters.count_in(conn, node.thread_id, thread_counters.of_messages(conn, affected), 1, shown)
    if not _lead_to(conn, end_id):
        _lead_to(conn, message_id)
    shown_path.refresh_end(conn, node.thread_id)
    return get_thread(conn, node.thread_id), affected


def _mark_messages(
    conn: Connection,
    origin: Origin,
    thread_id: str,
    message_ids: tuple[str, ...],
    *,
    deleted_at: int | None,
    deleted_with: str | None,
    is_logged: bool = True,
) -> int:
    """Set or clear the tombstones. Returns how many of the messages are on the path."""
    project_id = get_thread(conn, thread_id).project_id
    body = None if deleted_at is None else {"covers": seen(conn, origin, project_id), "with": deleted_with}
    shown = 0
    for batch in batches(message_ids):
        for is_on_path, count, first, last in conn.exec_driver_sql(
            "SELECT on_path, count(*), min(position), max(position) FROM messages"
            f" WHERE id IN ({marks(batch)}) GROUP BY on_path",
            tuple(batch),
        ):
            shown += count if is_on_path else 0
            summaries.mark_range_stale(
                conn, thread_id, StaleReason.DELETED, is_on_path=bool(is_on_path), first=first, last=last
            )
    for message_id in message_ids:
        stamp = origin.stamp()
        conn.execute(
            tables.messages.update()
            .where(tables.messages.c.id == message_id)
            .values(deleted_at=deleted_at, deleted_with=deleted_with, **stamp)
        )
        if is_logged and has_content(conn, message_id):
            log_change(
                conn,
                origin,
                project_id=project_id,
                kind="message",
                op="edit" if deleted_at is None else "del",
                entity=message_id,
                hlc=stamp["hlc"],
                body=body,
            )
    return shown


def _nearest_version(conn: Connection, node: shown_path.Node) -> shown_path.Node | None:
    """Return the live version before ``node``, else the one after it."""
    place = "parent_id = ?" if node.parent_id is not None else "thread_id = ? AND parent_id IS NULL"
    row = conn.exec_driver_sql(
        f"SELECT id FROM messages WHERE {place} AND role = ? AND deleted_at IS NULL"
        " ORDER BY id < ? DESC, abs(created_at - (SELECT created_at FROM messages WHERE id = ?)), id DESC LIMIT 1",
        (node.parent_id or node.thread_id, node.role, node.id, node.id),
    ).first()
    return None if row is None else shown_path.find_node(conn, row[0])


def deleted_messages(conn: Connection, *, limit: int, preview: int) -> tuple[DeletedMessage, ...]:
    """Return the deletions that can be undone one by one, the latest first. ``preview`` is how many characters of each
    are read."""
    rows = conn.exec_driver_sql(
        "SELECT m.id, m.thread_id, t.title, m.role = 'user', m.deleted_at,"
        " (SELECT count(*) FROM messages o WHERE o.thread_id = m.thread_id AND o.deleted_at IS NOT NULL"
        " AND o.deleted_with = m.id AND o.purged_at IS NULL),"
        f" (SELECT substr({json_value('p.content', 'text')}, 1, ?) FROM message_parts p"
        " WHERE p.message_id = m.id AND p.type = 'text' ORDER BY p.part_index LIMIT 1)"
        " FROM messages m INDEXED BY ix_messages_trashed JOIN threads t ON t.id = m.thread_id"
        " WHERE m.deleted_at IS NOT NULL AND m.deleted_with = m.id AND m.purged_at IS NULL AND t.deleted_at IS NULL"
        " ORDER BY m.deleted_at DESC, m.id DESC LIMIT ?",
        (preview, limit),
    )
    return tuple(
        DeletedMessage(
            message_id=row[0],
            thread_id=row[1],
            thread_title=row[2],
            preview=" ".join((row[6] or "").split()),
            is_question=bool(row[3]),
            deleted_at=row[4],
            count=row[5],
        )
        for row in rows
    )


def empty_messages(conn: Connection, message_ids: Sequence[str], now: int) -> None:
    """Remove the content of these messages; they stay as tombstones."""
    for message_id in message_ids:
        conn.exec_driver_sql(  # unfinished edits of artifacts that came from them
            "DELETE FROM drafts WHERE slot IN (SELECT ? || a.id FROM message_parts p JOIN artifacts a"
            " ON a.part_id = p.id WHERE p.message_id = ? AND a.document_id IS NOT NULL)",
            (EDIT_SLOTS, message_id),
        )
        conn.exec_driver_sql("DELETE FROM message_parts WHERE message_id = ?", (message_id,))
        conn.exec_driver_sql(
            f"UPDATE messages SET purged_at = ?, {_NO_WORDS}, content_digest = NULL, char_count = 0, line_count = 0"
            " WHERE id = ?",
            (now, message_id),
        )
    if message_ids:
        search_index.mark_erased(driver(conn))
