"""Stores questions that wait for the answer before them: unsent text like drafts, in their table, under slots of their
own."""

# ruff: noqa: S608 - statements are assembled from constants of this module; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.waiting import WaitingQuestion
from chatdesk.core.errors import NotPossible
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage.chat.artifacts import draft_json, from_draft_json
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.engine.rows import get_thread
from chatdesk.core.texts import Text

_PREFIX: Final = "next:"
_ID_LENGTH: Final = 36


class WaitingQuestionRepository:
    """Reads and changes waiting questions. Every write is one transaction. ``cursor``, of which these have no use, is
    the place in the thread's order."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> tuple[WaitingQuestion, ...]:
        """Return the waiting questions of all threads that are not in the trash; those of a thread in their order."""

        def work(conn: Connection) -> tuple[WaitingQuestion, ...]:
            rows = conn.exec_driver_sql(
                "SELECT d.slot, d.thread_id, d.text, d.attachments FROM drafts d JOIN threads t ON t.id = d.thread_id"
                " WHERE d.slot >= 'next:' AND d.slot < 'next;' AND t.deleted_at IS NULL"
                " ORDER BY d.thread_id, d.cursor, d.slot"
            )
            return tuple(WaitingQuestion(row[0][-_ID_LENGTH:], row[1], row[2], from_draft_json(row[3])) for row in rows)

        return await self._db.read(work)

    async def add(self, thread_id: str, text: str, attachments: Sequence[Attachment] = ()) -> WaitingQuestion:
        """Add a question as the last one of its thread."""
        added = WaitingQuestion(new_id(), checked_id(thread_id), clean(text), tuple(attachments))
        now = self._db.origin.now()

        def work(conn: Connection) -> WaitingQuestion:
            get_thread(conn, added.thread_id)
            conn.exec_driver_sql(
                "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at, attachments)"
                " SELECT ?, ?, ?, coalesce(max(cursor), 0) + 1, ?, ? FROM drafts"
                " WHERE slot >= 'next:' AND slot < 'next;' AND thread_id = ?",
                (
                    _slot(added.thread_id, added.id),
                    added.thread_id,
                    added.text,
                    now,
                    draft_json(attachments),
                    added.thread_id,
                ),
            )
            return added

        return await self._db.write(work)

    async def remove(self, question: WaitingQuestion) -> None:
        def work(conn: Connection) -> None:
            remove_waiting_question(conn, question)

        await self._db.write(work)

    async def order(self, questions: Sequence[WaitingQuestion]) -> None:
        """Set the order of these waiting questions of one thread."""

        def work(conn: Connection) -> None:
            for place, question in enumerate(questions):
                slot = _slot(question.thread_id, question.id)
                conn.exec_driver_sql("UPDATE drafts SET cursor = ? WHERE slot = ?", (place, slot))

        await self._db.write(work)


def remove_waiting_question(conn: Connection, question: WaitingQuestion) -> None:
    """Remove a waiting question, which becomes a message in the same transaction, or a draft again. Raises
    ``NotPossible`` where that has happened already."""
    slot = _slot(question.thread_id, question.id)
    if not conn.exec_driver_sql("DELETE FROM drafts WHERE slot = ?", (slot,)).rowcount:
        raise NotPossible(Text("This question is no longer waiting."))


def become_drafts(conn: sqlite3.Connection) -> int:
    """Turn the waiting questions of a database that comes from a file into drafts, because a file sends nothing: each
    is appended to the draft of its thread. Slots and threads may be anything. Returns their number."""
    return _append_to_drafts(conn, "slot >= 'next:' AND slot < 'next;'")


def keep_orphans(conn: sqlite3.Connection) -> int:
    """Append the drafts and waiting questions of missing threads to the draft of the next new thread, because a person
    wrote them. Returns their number."""
    return _append_to_drafts(conn, "thread_id IS NOT NULL AND thread_id NOT IN (SELECT id FROM main.threads)")


def _append_to_drafts(conn: sqlite3.Connection, chosen: str) -> int:
    """Append drafts to the draft of their thread. Versions before 0004 have no attachments; of a foreign file a text
    may be of any type."""
    columns = {row[1] for row in conn.execute("PRAGMA main.table_info(drafts)")}
    files = "CAST(attachments AS TEXT)" if "attachments" in columns else "'[]'"
    words = f"CAST(text AS TEXT), {files}"
    found = conn.execute(
        f"SELECT slot, (SELECT id FROM main.threads WHERE id = thread_id), {words} FROM main.drafts WHERE {chosen}"
        " ORDER BY cursor, slot"
    ).fetchall()
    for slot, thread_id, text, attached in found:
        draft = thread_id or "new"
        before = conn.execute(f"SELECT {words} FROM main.drafts WHERE slot = ?", (draft,)).fetchone()
        if before is None:
            conn.execute(
                "UPDATE main.drafts SET slot = ?, thread_id = ?, cursor = 0 WHERE slot = ?", (draft, thread_id, slot)
            )
            continue
        texts = "\n".join(each for each in (before[0], text) if each)
        conn.execute("UPDATE main.drafts SET text = ? WHERE slot = ?", (texts, draft))
        if "attachments" in columns:
            joined = draft_json((*from_draft_json(before[1]), *from_draft_json(attached)))
            conn.execute("UPDATE main.drafts SET attachments = ? WHERE slot = ?", (joined, draft))
        conn.execute("DELETE FROM main.drafts WHERE slot = ?", (slot,))
    return len(found)


def _slot(thread_id: str, question_id: str) -> str:
    return f"{_PREFIX}{checked_id(thread_id)}:{checked_id(question_id)}"
