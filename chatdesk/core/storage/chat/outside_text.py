"""Tells whether outside text reaches the model in a thread: from files, imports, tools or members of a team.

Text is outside text if another author may have written it, wherever it is: in messages, summaries, titles, or the
system prompts of the thread, its project and its assistant. Copies of such a thread keep the mark.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.plain_text import json_value

_COPY: Final = "copy"
_PROMPT: Final = "prompt"
_IMPORTED: Final = "SELECT 1 FROM import_origins o WHERE o.entity"
# A prompt of a file that was put into a thread or a project is known by its text.
_THREAD: Final = f"""
SELECT EXISTS (
    SELECT 1 FROM threads t JOIN projects j ON j.id = t.project_id WHERE t.id = ? AND (
        t.author_id IS NOT NULL
        OR EXISTS (SELECT 1 FROM shared_projects s WHERE s.project_id = t.project_id)
        OR EXISTS ({_IMPORTED} IN (t.id, t.project_id, t.assistant_id))
        OR EXISTS (SELECT 1 FROM summaries s WHERE s.thread_id = t.id AND s.author_id IS NOT NULL)
        OR EXISTS (SELECT 1 FROM prompts p WHERE p.text <> '' AND p.text IN (t.system_prompt, j.system_prompt)
                   AND EXISTS ({_IMPORTED} = p.id))
    )
) OR EXISTS ({_IMPORTED} = ?)"""  # noqa: S608
# All messages of the thread, shown or not, because a summary may have taken over their words.
_MESSAGES: Final = f"""
SELECT EXISTS (
    SELECT 1 FROM messages m WHERE m.thread_id = ? AND (
        m.author_id IS NOT NULL
        OR EXISTS ({_IMPORTED} = m.id)
        OR EXISTS (SELECT 1 FROM message_parts p WHERE p.message_id = m.id AND (
                       p.type = 'tool_result' AND {json_value("p.content", "bytes")} IS NOT NULL
                       OR m.role = 'user' AND p.type IN ('image', 'file')))
    )
)"""  # noqa: S608
_NOTE: Final = "INSERT OR IGNORE INTO import_origins (source, source_key, entity, digest) VALUES (?, ?, ?, '')"


def has_outside_text(conn: Connection, thread_id: str, assistant_id: str | None = None) -> bool:
    """Return whether outside text may reach the model in a thread; ``assistant_id`` names the assistant that answers
    this time, None: the thread's own."""
    of_thread = conn.exec_driver_sql(_THREAD, (thread_id, assistant_id or "")).scalar()
    return bool(of_thread) or bool(conn.exec_driver_sql(_MESSAGES, (thread_id,)).scalar())


def record_copy(conn: Connection, source_ids: set[str], thread_id: str) -> None:
    """Record that a thread was copied from threads that have words of others, if one of them has."""
    if any(has_outside_text(conn, each) for each in source_ids):
        conn.exec_driver_sql(_NOTE, (_COPY, thread_id, thread_id))


def record_prompt(conn: Connection, prompt_id: str) -> None:
    """Record that a prompt of the library came out of a file, or from another program."""
    conn.exec_driver_sql(_NOTE, (_PROMPT, prompt_id, prompt_id))
