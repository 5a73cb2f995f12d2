"""Requests the erasure of rows removed from the trash of shared projects, for all members."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections import defaultdict
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import GONE
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.engine.change_log import ERASED, Origin
from chatdesk.core.storage.engine.own_log import log_in_sql
from chatdesk.core.storage.sync.erasing import MOST_IN_ONE, ON_SERVER, ask_for_messages, ask_for_thread

# Threads of the trash that are asked for in one transaction.
_ASKED_AT_ONCE: Final = 50
_MAY_WRITE: Final = "s.state = 'shared' AND s.role <> 'viewer'"
# Changes that this person may erase and has not asked for yet. The ones already asked for in these threads are listed
# once.
_MINE: Final = (
    f"c.erased = 0 AND +c.state = {ChangeState.CONFIRMED.value}"
    " AND (s.role IN ('admin', 'owner') OR c.author = w.member_id)"
    " AND c.id NOT IN (SELECT each.value FROM changes e, json_each(e.body, '$.changes') AS each"
    f" WHERE e.op = 'del' AND e.reg = '{ERASED}' AND e.state IN ({ON_SERVER}, {ChangeState.REFUSED.value})"
    " AND each.type = 'text' AND e.entity IN ({threads}))"
)
_GONE_THREADS: Final = f"SELECT id FROM threads WHERE deleted_at = {GONE}"
_LOG: Final = log_in_sql("t.project_id")
_EXPIRED: Final = "m.deleted_at IS NOT NULL AND m.deleted_at < ?1 AND m.purged_at IS NULL"


def ask_for_purged(conn: Connection, origin: Origin, trashed_before: int) -> int:
    """Request, in shared projects, the erasure of rows removed from the trash or in it since before ``trashed_before``,
    if this person may and has not yet. Returns the number of requests; call it until 0."""
    asked = 0
    for thread_id in _purged_threads(conn):
        asked += ask_for_thread(conn, origin, thread_id) > 0
    expired: dict[str, list[str]] = defaultdict(list)
    for thread_id, message_id in _expired_messages(conn, trashed_before):
        expired[thread_id].append(message_id)
    for thread_id, message_ids in expired.items():
        asked += ask_for_messages(conn, origin, thread_id, message_ids) > 0
    return asked


def _purged_threads(conn: Connection) -> list[str]:
    return [
        row[0]
        for row in conn.exec_driver_sql(
            f"SELECT DISTINCT t.id FROM threads t JOIN shared_projects s ON s.project_id = {_LOG}"
            " JOIN workspaces w ON w.id = s.workspace_id CROSS JOIN messages m ON m.thread_id = t.id"
            " CROSS JOIN changes c ON c.entity = m.id AND c.reg = 'content' AND c.op = 'new'"
            f" AND +c.project_id = {_LOG}"
            f" WHERE t.deleted_at = {GONE} AND {_MAY_WRITE} AND {_MINE.format(threads=_GONE_THREADS)} LIMIT ?",
            (_ASKED_AT_ONCE,),
        )
    ]


def _expired_messages(conn: Connection, trashed_before: int) -> list[tuple[str, str]]:
    threads = f"SELECT m.thread_id FROM messages m WHERE {_EXPIRED}"
    return [
        (row[0], row[1])
        for row in conn.exec_driver_sql(
            "SELECT m.thread_id, m.id FROM messages m CROSS JOIN threads t ON t.id = m.thread_id"
            f" JOIN shared_projects s ON s.project_id = {_LOG} JOIN workspaces w ON w.id = s.workspace_id"
            " CROSS JOIN changes c ON c.entity = m.id AND c.reg = 'content' AND c.op = 'new'"
            f" AND +c.project_id = {_LOG}"
            f" WHERE {_EXPIRED} AND t.deleted_at IS NULL"
            f" AND {_MAY_WRITE} AND {_MINE.format(threads=threads)} LIMIT ?2",
            (trashed_before, MOST_IN_ONE),
        )
    ]
