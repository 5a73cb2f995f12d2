"""Reads outlines of threads without their messages: lengths, versions, questions, dates, what holds a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import ThreadSizes
from chatdesk.core.domain.outline import DatedMessage, QuestionPage
from chatdesk.core.domain.text_match import MessageMatch
from chatdesk.core.domain.tree import TreeRow, tree_rows
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat import outline_rows, thread_scan

if TYPE_CHECKING:
    from chatdesk.core.storage.engine.database import Database


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
            lambda conn: outline_rows.questions(conn, thread, start=start, limit=limit, preview=preview, words=words)
        )

    async def first_since(self, thread_id: str, since_ms: int) -> DatedMessage | None:
        """Return the first message of the shown path that was written at ``since_ms`` or later."""
        thread = checked_id(thread_id)
        return await self._db.read(lambda conn: outline_rows.first_since(conn, thread, since_ms))

    async def time_span(self, thread_id: str) -> tuple[int, int] | None:
        """Return when the oldest and the newest message of the shown path were written; None where there is none."""
        thread = checked_id(thread_id)
        return await self._db.read(lambda conn: outline_rows.time_span(conn, thread))

    async def find(self, thread_id: str, needle: str, *, start: int) -> tuple[tuple[MessageMatch, ...], int | None]:
        """Find ``needle`` in the next stretch of the shown path. Returns the matches and the position to go on from;
        None at the end. A stretch a call, so that a search can be given up and others may read meanwhile."""
        thread = checked_id(thread_id)

        def work(conn: Connection) -> tuple[tuple[MessageMatch, ...], int | None]:
            found = thread_scan.find_between(conn, thread, start=start, needle=needle)
            following = start + thread_scan.SCAN_STEP
            return tuple(found), following if following < thread_scan.end_of(conn, thread) else None

        return await self._db.read(work)
