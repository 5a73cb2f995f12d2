"""Reads the questions and the days of the shown path, without the messages themselves."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.outline import DatedMessage, Question, QuestionPage
from chatdesk.core.domain.text_match import count_in_source
from chatdesk.core.hidden_characters import clean_line

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
_FIRST_SINCE = f"SELECT m.id, m.created_at {_SHOWN} AND m.created_at >= ? ORDER BY m.position LIMIT 1"
_ENDS = f"SELECT min(m.created_at), max(m.created_at) {_SHOWN}"


def questions(
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


def first_since(conn: Connection, thread_id: str, since_ms: int) -> DatedMessage | None:
    """Return the first message of the path that was written at ``since_ms`` or later."""
    row = conn.exec_driver_sql(_FIRST_SINCE, (thread_id, since_ms)).first()
    return None if row is None else DatedMessage(row[0], row[1])


def time_span(conn: Connection, thread_id: str) -> tuple[int, int] | None:
    """Return when the oldest and the newest message of the path were written; None where there is none."""
    row = conn.exec_driver_sql(_ENDS, (thread_id,)).first()
    return None if row is None or row[0] is None else (row[0], row[1])
