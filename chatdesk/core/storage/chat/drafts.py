"""Stores unsent text with its attachments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.thread import Draft
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat.artifacts import draft_json, from_draft_json
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.engine.rows import get_thread

if TYPE_CHECKING:
    from chatdesk.core.storage.engine.database import Database

_NEW = "new"


class DraftRepository:
    """Stores one draft for each thread, and one (None) for the thread that does not exist yet."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, thread_id: str | None) -> Draft | None:
        slot = _NEW if thread_id is None else checked_id(thread_id)

        return await self._db.read(lambda conn: get_draft(conn, slot))

    async def put(
        self, thread_id: str | None, text: str, cursor: int, *, attachments: Sequence[Attachment] = ()
    ) -> Draft:
        wanted = None if thread_id is None else checked_id(thread_id)
        stored = clean(text)
        now = self._db.origin.now()

        def work(conn: Connection) -> Draft:
            if wanted is not None:
                get_thread(conn, wanted)
            conn.exec_driver_sql(
                "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at, attachments) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (slot) DO UPDATE SET text = excluded.text, cursor = excluded.cursor,"
                " updated_at = excluded.updated_at, attachments = excluded.attachments",
                (wanted or _NEW, wanted, stored, cursor, now, draft_json(attachments)),
            )
            return Draft(wanted, stored, cursor, now, tuple(attachments))

        return await self._db.write(work)

    async def delete(self, thread_id: str | None) -> None:
        slot = _NEW if thread_id is None else checked_id(thread_id)

        def work(conn: Connection) -> None:
            conn.exec_driver_sql("DELETE FROM drafts WHERE slot = ?", (slot,))

        await self._db.write(work)


def get_draft(conn: Connection, slot: str) -> Draft | None:
    """Return the draft of a thread, or of the new one where ``slot`` says so."""
    row = conn.exec_driver_sql(
        "SELECT thread_id, text, cursor, updated_at, attachments FROM drafts WHERE slot = ?", (slot,)
    ).first()
    return None if row is None else Draft(row[0], row[1], row[2], row[3], from_draft_json(row[4]))
