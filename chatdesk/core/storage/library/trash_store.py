"""Empties the trash in steps, so that others write in between and a kill leaves nothing half done."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.clock import TrustedTime
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import from_json, to_json
from chatdesk.core.storage.library import removal
from chatdesk.core.storage.sync import erasing_trash

TRASH_DAYS = 30
_DAY_MS = 24 * 3600 * 1000
_TRUSTED: Final = "trusted_time"


class TrashRepository:
    """Removes old trash for good; each step is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def trusted_now_ms(self) -> int:
        """Read the clock and return the time by which things are removed for good (``TrustedTime``)."""
        now_ms = self._db.origin.now()

        def work(conn: Connection) -> int:
            before = _trusted(conn)
            after = TrustedTime(now_ms) if before is None else before.after(now_ms)
            if after != before:
                conn.exec_driver_sql(
                    "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
                    (_TRUSTED, to_json({"at": after.at_ms, "jumped_to": after.jumped_to_ms})),
                )
            return after.at_ms

        return await self._db.write(work, is_durable=False)

    async def purge_expired(self, trashed_before_ms: int | None = None) -> int:
        """Remove for good what went to the trash before a moment (30 days ago unless said): threads, single messages,
        projects that are empty by then. In steps, so that others write in between and a kill leaves nothing half done.
        Returns how many threads and messages.
        """
        origin = self._db.origin
        moment = origin.now() - TRASH_DAYS * _DAY_MS if trashed_before_ms is None else trashed_before_ms
        gone = 0
        while marked := await self._db.write(lambda conn: removal.mark_expired_gone(conn, moment, origin.now())):
            for step in await self._db.read(partial(removal.steps, thread_ids=marked)):
                await self._db.write(partial(removal.remove_messages, message_ids=step))
            await self._db.write(partial(removal.remove_threads, thread_ids=marked))
            gone += len(marked)
        # Shared rows are removed once the team's server has accepted their erasure.
        while await self._db.write(lambda conn: erasing_trash.ask_for_purged(conn, origin, moment)):
            continue
        while purged := await self._db.write(lambda conn: removal.purge_messages(conn, moment, origin.now())):
            gone += purged
        await self._db.write(lambda conn: removal.remove_projects(conn, moment, origin.now()))
        return gone

    async def trash_archived(self, archived_before_ms: int) -> int:
        """Move threads to the trash that were archived before a moment, in steps. Returns how many."""
        moved = 0
        while step := await self._db.write(
            lambda conn: removal.trash_archived(conn, self._db.origin, archived_before_ms)
        ):
            moved += step
        return moved


def _trusted(conn: Connection) -> TrustedTime | None:
    stored = from_json(conn.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (_TRUSTED,)).scalar())
    at_ms, jumped_to_ms = stored.get("at"), stored.get("jumped_to")
    if not isinstance(at_ms, int):
        return None
    return TrustedTime(at_ms, jumped_to_ms if isinstance(jumped_to_ms, int) else None)
