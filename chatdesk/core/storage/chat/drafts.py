"""Stores unsent text with its attachments."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.thread import NEW_DRAFT, QUICK_DRAFT, Draft
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat.artifacts import draft_json, from_draft_json
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.engine.rows import get_thread


class DraftRepository:
    """Stores one draft for each thread, one for the thread that does not exist yet (``NEW_DRAFT``), and one for
    the quick window (``QUICK_DRAFT``)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, slot: str) -> Draft | None:
        return await self._db.read(lambda conn: get_draft(conn, slot))

    async def save(self, slot: str, text: str, cursor: int, *, attachments: Sequence[Attachment] = ()) -> Draft:
        """Store the draft of a slot: the id of a thread, ``NEW_DRAFT`` or ``QUICK_DRAFT``."""
        wanted = None if slot in (NEW_DRAFT, QUICK_DRAFT) else checked_id(slot)
        stored = clean(text)
        now = self._db.origin.now()

        def work(conn: Connection) -> Draft:
            if wanted is not None:
                get_thread(conn, wanted)
            conn.exec_driver_sql(
                "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at, attachments) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (slot) DO UPDATE SET text = excluded.text, cursor = excluded.cursor,"
                " updated_at = excluded.updated_at, attachments = excluded.attachments",
                (slot, wanted, stored, cursor, now, draft_json(attachments)),
            )
            return Draft(wanted, stored, cursor, now, tuple(attachments))

        return await self._db.write(work)

    async def delete(self, slot: str) -> None:
        def work(conn: Connection) -> None:
            conn.exec_driver_sql("DELETE FROM drafts WHERE slot = ?", (slot,))

        await self._db.write(work)


def get_draft(conn: Connection, slot: str) -> Draft | None:
    """Return the draft of a thread, or of the new one where ``slot`` says so."""
    row = conn.exec_driver_sql(
        "SELECT thread_id, text, cursor, updated_at, attachments FROM drafts WHERE slot = ?", (slot,)
    ).first()
    return None if row is None else Draft(row[0], row[1], row[2], row[3], from_draft_json(row[4]))
