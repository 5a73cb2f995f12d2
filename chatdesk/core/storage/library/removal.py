"""Removes threads, messages and projects of the trash for good, a few rows at a time."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import GONE
from chatdesk.core.errors import NotPossible
from chatdesk.core.storage.chat import shown_path
from chatdesk.core.storage.chat.trash import delete_thread, empty_messages
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import log_in_sql
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.knowledge.sources import forget_projects
from chatdesk.core.storage.memory.memories import forget_ended
from chatdesk.core.texts import Text

_THREADS_A_STEP = 50
_MESSAGES_A_STEP = 500
# True of a row without a stamp between the two moments. One stamped later than it was deleted was deleted while the
# clock was behind; a stamp after the second moment, which is now, says nothing.
IS_STAMPED_BEFORE = "(hlc >> 16) NOT BETWEEN ? AND ?"
# Projects whose log others have, too: members of a team, or this person's own computers.
_RUNNING = "SELECT project_id FROM shared_projects WHERE state <> 'ended'"
_SHARED = f"IN (SELECT id FROM projects WHERE {log_in_sql('projects.id')} IN ({_RUNNING}))"

# A thread is first marked as gone, in one step, and its rows are removed afterwards, in batches: a
# process that is killed in between leaves nothing that anybody could see, and the next one goes on.


def mark_gone(conn: Connection, thread_ids: Sequence[str] | None) -> int:
    """Mark threads of the trash (None: all) as gone for good. Returns how many. Raises ``NotPossible`` when one of them
    is not in the trash."""
    gone = f"UPDATE threads SET deleted_at = {GONE} WHERE deleted_at > {GONE}"
    if thread_ids is None:
        return conn.exec_driver_sql(gone).rowcount
    count = sum(
        conn.exec_driver_sql(f"{gone} AND id IN ({marks(batch)})", tuple(batch)).rowcount
        for batch in batches(thread_ids)
    )
    if count != len(thread_ids):
        raise NotPossible(
            Text(
                "{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.",
                thread_ids=str(len(thread_ids) - count),
                thread_ids_2=str(len(thread_ids)),
            ),
            next_step=Text("Select those that are and try again."),
        )
    return count


def mark_expired_gone(conn: Connection, trashed_before: int, now: int) -> list[str]:
    """Mark the next few threads that are marked as gone already or have been in the trash for long enough. Those of
    shared projects are marked all at once and not returned: others may bring them back, and then they come back
    whole."""
    conn.exec_driver_sql(
        f"UPDATE threads SET deleted_at = {GONE} WHERE deleted_at > {GONE} AND deleted_at < ? AND {IS_STAMPED_BEFORE}"
        f" AND project_id {_SHARED}",
        (trashed_before, trashed_before, now),
    )
    ids = [
        row[0]
        for row in conn.exec_driver_sql(
            "SELECT id FROM threads WHERE deleted_at IS NOT NULL AND deleted_at < ?"
            f" AND (deleted_at = {GONE} OR {IS_STAMPED_BEFORE})"
            f" AND project_id NOT {_SHARED} ORDER BY deleted_at, id LIMIT ?",
            (max(trashed_before, GONE + 1), trashed_before, now, _THREADS_A_STEP),
        )
    ]
    conn.exec_driver_sql(f"UPDATE threads SET deleted_at = {GONE} WHERE id IN ({marks(ids)})", tuple(ids))
    return ids


def steps(conn: Connection, thread_ids: Sequence[str]) -> list[list[str]]:
    """Return all messages of these threads, children before their parents, in steps small enough not to delay other
    work."""
    ids = [
        row[0]
        for row in conn.exec_driver_sql(
            f"SELECT id FROM messages WHERE thread_id IN ({marks(thread_ids)}) ORDER BY position DESC",
            tuple(thread_ids),
        )
    ]
    return [ids[start : start + _MESSAGES_A_STEP] for start in range(0, len(ids), _MESSAGES_A_STEP)]


def remove_messages(conn: Connection, message_ids: Sequence[str]) -> None:
    conn.exec_driver_sql(f"DELETE FROM messages WHERE id IN ({marks(message_ids)})", tuple(message_ids))


def remove_threads(conn: Connection, thread_ids: Sequence[str]) -> None:
    """Remove threads with their changes in the log: titles, prompts, summaries. A team may still have what was shared
    with it; an erasure removes it there."""
    summaries = conn.exec_driver_sql(
        f"SELECT id FROM summaries WHERE thread_id IN ({marks(thread_ids)})", tuple(thread_ids)
    ).scalars()
    _forget_changes(conn, [*thread_ids, *summaries])
    conn.exec_driver_sql(f"DELETE FROM threads WHERE id IN ({marks(thread_ids)})", tuple(thread_ids))
    search_index.mark_erased(driver(conn))


def _forget_changes(conn: Connection, entities: Sequence[str]) -> None:
    """Remove the words of private changes from the log."""
    for batch in batches(entities):
        conn.exec_driver_sql(
            f"UPDATE changes SET body = NULL WHERE entity IN ({marks(batch)}) AND body IS NOT NULL"
            " AND project_id NOT IN (SELECT project_id FROM shared_projects)",
            tuple(batch),
        )


def remove_projects(conn: Connection, trashed_before: int, now: int) -> None:
    """Remove projects whose time in the trash is over, once their threads are gone, and the memories that go with
    what was removed."""
    ids = (
        conn.exec_driver_sql(
            f"SELECT id FROM projects WHERE deleted_at IS NOT NULL AND deleted_at < ? AND {IS_STAMPED_BEFORE}"
            " AND NOT EXISTS (SELECT 1 FROM threads t WHERE t.project_id = projects.id)",
            (trashed_before, trashed_before, now),
        )
        .scalars()
        .all()
    )
    forget_projects(conn, ids)
    for batch in batches(ids):
        conn.exec_driver_sql(f"DELETE FROM projects WHERE id IN ({marks(batch)})", tuple(batch))
    _forget_changes(conn, ids)
    forget_ended(conn)
    if ids:
        search_index.mark_erased(driver(conn))


def purge_messages(conn: Connection, trashed_before: int, now: int) -> int:
    """Empty the next few single messages whose time is over. One with others below it stays as an empty tombstone, so
    that these keep their place. In shared projects they stay, because others may bring them back. Returns how many were
    emptied."""
    doomed = [
        row[0]
        for row in conn.exec_driver_sql(
            "SELECT id FROM messages WHERE deleted_at IS NOT NULL AND deleted_at < ? AND purged_at IS NULL"
            f" AND {IS_STAMPED_BEFORE}"
            f" AND thread_id NOT IN (SELECT id FROM threads WHERE project_id {_SHARED}) LIMIT ?",
            (trashed_before, trashed_before, now, _MESSAGES_A_STEP),
        )
    ]
    empty_messages(conn, doomed, now)
    _drop_childless(conn)
    return len(doomed)


def _drop_childless(conn: Connection) -> None:
    """Remove empty tombstones from the leaves upwards; the change log remembers them. Where the path led through them,
    it leads to another live version. In shared projects they stay: somebody may write below."""
    condition = (
        "purged_at IS NOT NULL AND deleted_at IS NOT NULL"
        f" AND thread_id NOT IN (SELECT id FROM threads WHERE project_id {_SHARED})"
        " AND NOT EXISTS (SELECT 1 FROM messages c WHERE c.parent_id = messages.id)"
    )
    shortened: set[str] = set()
    while rows := conn.exec_driver_sql(f"DELETE FROM messages WHERE {condition} RETURNING thread_id, on_path").all():
        shortened.update(row.thread_id for row in rows if row.on_path)
    for thread_id in sorted(shortened):
        end = shown_path.tip(conn, thread_id)
        below = shown_path.next_below(conn, thread_id, None if end is None else end.id)
        if below is not None:
            shown_path.show(conn, below, is_choice=False)


def trash_archived(conn: Connection, origin: Origin, archived_before: int) -> int:
    """Move the next few threads to the trash that were archived before a moment. Returns how many. Archiving is
    personal, and the trash of a shared project is everybody's: there they stay archived."""
    ids = [
        row[0]
        for row in conn.exec_driver_sql(
            "SELECT id FROM threads WHERE archived_at IS NOT NULL AND deleted_at IS NULL AND archived_at < ?"
            f" AND project_id NOT IN ({_RUNNING}) ORDER BY archived_at LIMIT ?",
            (archived_before, _THREADS_A_STEP),
        )
    ]
    for thread_id in ids:
        delete_thread(conn, origin, thread_id)
    return len(ids)
