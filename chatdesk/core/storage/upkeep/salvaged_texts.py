"""Brings back texts whose messages could not be read: they become the messages of a thread of their own.

A message's row and its text are on different pages of the file, so one can survive without the other. The author, and
the message that a text answered, are guessed from the remaining rows.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.domain.thread import RECOVERED_TITLE
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import shown_path
from chatdesk.core.storage.chat.projects import private_project_id
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.plain_text import title_columns
from chatdesk.core.storage.upkeep import unknown_authors
from chatdesk.core.texts import Text

# Parts whose messages are lost, grouped by message.
_ORPHANS: Final = f"""
SELECT p.message_id, min(p.started_at),
       max(p.type NOT IN ('text', 'image', 'file')) OR EXISTS
       (SELECT 1 FROM usage_events u WHERE u.message_id = p.message_id) AS is_answer,
       sum(CASE WHEN json_valid(p.content) THEN length(coalesce(json_extract(p.content, '$.text'), '')) ELSE 0 END)
FROM message_parts p
WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = p.message_id)
  AND NOT EXISTS (SELECT 1 FROM changes c JOIN shared_projects s ON s.project_id = c.project_id AND s.state <> 'ended'
                  WHERE c.entity = p.message_id AND c.digest IS NOT NULL AND c.state <> {int(ChangeState.PRIVATE)})
GROUP BY p.message_id ORDER BY p.message_id
"""


# Messages that answer a lost one, with what is before the gap: its place, role, and the child that was chosen.
_GAPS: Final = """
SELECT m.id, m.thread_id, m.parent_id, m.position, m.on_path, p.id, coalesce(p.position, -1), coalesce(p.role, ''),
       coalesce(p.chosen_child_id, CASE WHEN p.id IS NULL THEN t.chosen_root_id END)
FROM messages m JOIN threads t ON t.id = m.thread_id
LEFT JOIN messages p ON p.id = (
    SELECT b.id FROM messages b WHERE b.thread_id = m.thread_id AND b.position < m.position AND b.on_path = m.on_path
    ORDER BY b.position DESC LIMIT 1)
WHERE m.parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages x WHERE x.id = m.parent_id)
"""


@dataclass(frozen=True, slots=True)
class _Text:
    """The remains of one message."""

    id: str
    started_at: int | None
    is_answer: bool
    letters: int
    author_id: str | None


def bring_back(conn: Connection, origin: Origin, damaged: Collection[str] = ()) -> list[str]:
    """Bring back texts whose messages are lost; ``damaged`` are the tables that lost rows. Returns sentences on
    them."""
    placed, apart = recover(conn, origin, damaged)
    done: list[str] = []
    if placed:
        done.append(
            Text("Messages that could not be read but whose text was recovered in place: {placed}.", placed=placed)
        )
    if apart:
        done.append(
            Text(
                "Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.",
                apart=apart,
                title=RECOVERED_TITLE,
            )
        )
    return done


def recover(conn: Connection, origin: Origin, damaged: Collection[str] = ()) -> tuple[int, int]:
    """Make new messages for texts that lost theirs. Returns how many found their place in their thread again, and how
    many are in a thread of their own, in the order of their ids, which is that of their making. Texts that the team has
    are fetched from there and left alone."""
    had_others = unknown_authors.had_others(conn, damaged)
    lost = {
        row[0]: _Text(
            row[0], row[1], bool(row[2]), row[3], unknown_authors.author_of_text(conn, row[0], had_others=had_others)
        )
        for row in conn.exec_driver_sql(_ORPHANS).all()
    }
    placed = sum(_close(conn, origin, lost, gap) for gap in conn.exec_driver_sql(_GAPS).all()) if lost else 0
    if not lost:
        return placed, 0
    thread_id, ids, now = new_id(), list(lost), origin.now()
    project = private_project_id(conn, origin)
    insert_recovered_thread(conn, origin, thread_id, project, created_at=now, last_activity_at=now)
    above: str | None = None
    for position, text in enumerate(lost.values()):
        _insert(conn, origin, text, thread_id, above, position=position, role="assistant" if text.is_answer else "user")
        above = text.id
    conn.exec_driver_sql("UPDATE threads SET chosen_root_id = ? WHERE id = ?", (ids[0], thread_id))
    # Replies to them stay in their own thread.
    conn.exec_driver_sql(
        "UPDATE messages SET parent_id = NULL WHERE thread_id <> :thread"
        " AND parent_id IN (SELECT id FROM messages WHERE thread_id = :thread)",
        {"thread": thread_id},
    )
    shown_path.refresh_end(conn, thread_id)
    return placed, len(ids)


def _close(conn: Connection, origin: Origin, lost: dict[str, _Text], gap: Sequence[Any]) -> int:
    """Fill a gap with its texts, when they are as many as are missing there, and remove them from ``lost``. Returns how
    many."""
    below, thread_id, last, position, on_path, above, start, role, first = gap
    run = [each for each in lost if first is not None and first <= each <= last]
    if first not in lost or last not in lost or len(run) != position - start - 1:
        return 0
    for place, message_id in enumerate(run, start=start + 1):
        text = lost.pop(message_id)
        role = "assistant" if text.is_answer or role == "user" else "user"
        _insert(conn, origin, text, thread_id, above, position=place, role=role)
        above = message_id
    conn.exec_driver_sql("UPDATE messages SET chosen_child_id = ? WHERE id = ?", (below, last))
    conn.exec_driver_sql(f"UPDATE messages SET on_path = ? WHERE id IN ({', '.join('?' * len(run))})", (on_path, *run))
    return len(run)


def _insert(
    conn: Connection, origin: Origin, text: _Text, thread_id: str, above: str | None, *, position: int, role: str
) -> None:
    at = origin.now() if text.started_at is None else text.started_at
    insert_row(
        conn,
        tables.messages,
        id=text.id,
        thread_id=thread_id,
        parent_id=above,
        role=role,
        status="complete",
        position=position,
        on_path=1,
        created_at=at,
        completed_at=at,
        char_count=text.letters,
        author_id=text.author_id,
        **origin.stamp(),
    )
    conn.exec_driver_sql("UPDATE messages SET chosen_child_id = ? WHERE id = ?", (text.id, above))


def insert_recovered_thread(
    conn: Connection, origin: Origin, thread_id: str, project: str, *, created_at: int, last_activity_at: int
) -> None:
    """Store a thread for messages whose own is lost."""
    insert_row(
        conn,
        tables.threads,
        id=thread_id,
        project_id=project,
        **title_columns(RECOVERED_TITLE),
        created_at=created_at,
        last_activity_at=last_activity_at,
        **origin.stamp(),
    )
