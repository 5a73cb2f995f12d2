"""Stores the unseen parts of a shared thread: notes about it, and messages of others."""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import TeamNote
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.storage.sync.team import member_names
from chatdesk.core.texts import Text

_NOTES = {
    "thread_back": Text("{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time."),
    "message_back": Text(
        "{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time."
    ),
}
_SOMEBODY: Final = "another member"


def notes_of(conn: Connection, thread_id: str) -> list[TeamNote]:
    """Return the unseen notes of a thread, the oldest first."""
    names = member_names(conn)
    notes = []
    for at, code, details in conn.exec_driver_sql(
        "SELECT at, code, details FROM team_notes WHERE thread_id = ? AND seen_at IS NULL ORDER BY n", (thread_id,)
    ):
        sentence = _NOTES.get(code)
        if sentence is not None:
            stored = from_json(details)
            people = {key: names.get(str(stored.get(key)), _SOMEBODY) for key in ("by", "deleted_by")}
            said = sentence.format(**people)
            notes.append(TeamNote(at, thread_id, said[:1].upper() + said[1:]))
    return notes


def mark_notes_seen(conn: Connection, thread_id: str, now: int) -> None:
    conn.exec_driver_sql("UPDATE team_notes SET seen_at = ? WHERE thread_id = ? AND seen_at IS NULL", (now, thread_id))


def unread(conn: Connection) -> dict[str, int]:
    """Return how many messages of others are unread, by thread."""
    rows = conn.exec_driver_sql("SELECT thread_id, messages FROM unread_threads WHERE messages > 0")
    return {row[0]: row[1] for row in rows}


def mark_read(conn: Connection, thread_id: str) -> None:
    conn.exec_driver_sql("DELETE FROM unread_threads WHERE thread_id = ?", (thread_id,))
