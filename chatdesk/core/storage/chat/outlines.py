"""Reads outlines of threads without their messages: lengths, versions, questions, dates, matches of a text."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import ThreadSizes
from chatdesk.core.domain.text_match import MessageMatch, count_in_source
from chatdesk.core.domain.thread import Question, QuestionPage
from chatdesk.core.domain.tree import TreeRow, tree_rows
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat import thread_scan
from chatdesk.core.storage.engine.database import Database

_SHOWN = "FROM messages m WHERE m.thread_id = ? AND m.on_path = 1 AND m.deleted_at IS NULL"
_QUESTIONS = f"""
SELECT m.id, m.position, m.created_at, (
    SELECT substr(CASE WHEN json_valid(p.content) THEN json_extract(p.content, '$.text') END, 1, ?)
    FROM message_parts p WHERE p.message_id = m.id AND p.type = 'text' ORDER BY p.part_index LIMIT 1),
    CASE WHEN ? THEN (
    SELECT group_concat(CASE WHEN json_valid(p.content) THEN json_extract(p.content, '$.text') END, ' ')
    FROM message_parts p WHERE p.message_id = m.id AND p.type = 'text') END
{_SHOWN} AND m.role = 'user' AND m.position >= ? ORDER BY m.position LIMIT ?
"""  # noqa: S608 - a constant of this module
_FIRST_SINCE = f"SELECT m.id {_SHOWN} AND m.created_at >= ? ORDER BY m.position LIMIT 1"
_ENDS = f"SELECT min(m.created_at), max(m.created_at) {_SHOWN}"


class OutlineRepository:
    """Reads the outlines of threads. Writes nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def sizes(self, thread_id: str, *, most_groups: int) -> ThreadSizes:
        """Return the lengths of the messages of the shown path, without their texts."""
        thread = checked_id(thread_id)
        return await self._db.read(lambda conn: thread_scan.sizes(conn, thread, most_groups=most_groups))

    async def tree(self, thread_id: str, *, preview: int) -> tuple[TreeRow, ...]:
        """Return all messages of a thread as rows, put in order on the storage thread, where no window waits."""
        thread = checked_id(thread_id)
        return await self._db.read(lambda conn: tree_rows(thread_scan.tree_nodes(conn, thread, preview=preview)))

    async def questions(
        self, thread_id: str, *, start: int, limit: int, preview: int, words: Sequence[str] = ()
    ) -> QuestionPage:
        """Return a page of the questions of the shown path: of the next ``limit`` those that hold all ``words``."""
        thread = checked_id(thread_id)
        return await self._db.read(
            lambda conn: _questions(conn, thread, start=start, limit=limit, preview=preview, words=words)
        )

    async def first_since(self, thread_id: str, since_ms: int) -> str | None:
        """Return the id of the first message of the shown path that was written at ``since_ms`` or later."""
        thread = checked_id(thread_id)
        return await self._db.read(lambda conn: _first_since(conn, thread, since_ms))

    async def time_span(self, thread_id: str) -> tuple[int, int] | None:
        """Return when the oldest and the newest message of the shown path were written; None where there is none."""
        thread = checked_id(thread_id)
        return await self._db.read(lambda conn: _time_span(conn, thread))

    async def find(self, thread_id: str, needle: str, *, start: int) -> tuple[tuple[MessageMatch, ...], int | None]:
        """Find ``needle`` in the next stretch of the shown path. Returns the matches and the position to go on from;
        None at the end. A stretch a call, so that a search can be given up and others may read in the meantime."""
        thread = checked_id(thread_id)

        def work(conn: Connection) -> tuple[tuple[MessageMatch, ...], int | None]:
            found = thread_scan.find_between(conn, thread, start=start, needle=needle)
            following = start + thread_scan.SCAN_STEP
            return tuple(found), following if following < thread_scan.end_of(conn, thread) else None

        return await self._db.read(work)


def _questions(
    conn: Connection, thread_id: str, *, start: int, limit: int, preview: int, words: Sequence[str] = ()
) -> QuestionPage:
    """Return those of the next ``limit`` questions from position ``start`` on that hold all ``words`` (as ``needle_of``
    gives them), with ``preview`` characters of each."""
    rows = list(conn.exec_driver_sql(_QUESTIONS, (preview, bool(words), thread_id, start, limit + 1)))
    page = tuple(
        Question(message_id, position, asked_ms, clean_line(str(text or "")))
        for message_id, position, asked_ms, text, whole in rows[:limit]
        if all(count_in_source(str(whole or ""), word) for word in words)
    )
    return QuestionPage(page, rows[limit][1] if len(rows) > limit else None)


def _first_since(conn: Connection, thread_id: str, since_ms: int) -> str | None:
    """Return the id of the first message of the path that was written at ``since_ms`` or later."""
    row = conn.exec_driver_sql(_FIRST_SINCE, (thread_id, since_ms)).first()
    return None if row is None else str(row[0])


def _time_span(conn: Connection, thread_id: str) -> tuple[int, int] | None:
    """Return when the oldest and the newest message of the path were written; None where there is none."""
    row = conn.exec_driver_sql(_ENDS, (thread_id,)).first()
    return None if row is None or row[0] is None else (row[0], row[1])
