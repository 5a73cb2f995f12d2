"""Writes which messages a thread shows: versions that are chosen, messages that go to the trash or return, branches."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import Thread
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat import branching, message_writes, shown_path, trash
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import get_message, get_thread


class PathRepository:
    """Changes the shown paths of threads. Every write is one transaction and returns what it changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def delete(
        self, message_id: str, *, with_later: bool, end_id: str | None = None
    ) -> tuple[Thread, tuple[str, ...]]:
        """Move the message, or it and everything below it, to the trash. Returns the thread and the ids. ``end_id`` is
        where the shown path is to end then, see ``end_of_path``."""
        wanted, end = checked_id(message_id), _checked(end_id)
        return await self._db.write(
            lambda conn: trash.delete_message(conn, self._db.origin, wanted, with_later=with_later, end_id=end)
        )

    async def delete_these(
        self, message_ids: Sequence[str], *, end_id: str | None = None
    ) -> tuple[Thread, tuple[str, ...]]:
        """Move exactly these messages of one thread back to the trash."""
        wanted, end = [checked_id(message_id) for message_id in message_ids], _checked(end_id)
        return await self._db.write(lambda conn: trash.delete_messages(conn, self._db.origin, wanted, end_id=end))

    async def restore(self, message_id: str, *, end_id: str | None = None) -> tuple[Thread, tuple[str, ...]]:
        """Bring a message back from the trash, with what went there together with it; shown unless the path is to lead
        to ``end_id``."""
        wanted, end = checked_id(message_id), _checked(end_id)
        return await self._db.write(lambda conn: trash.restore_message(conn, self._db.origin, wanted, end_id=end))

    async def end_of_path(self, message_id: str) -> str | None:
        """Return the last message of the path of its thread, which may be in the trash: leading the path there shows
        the same messages again."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> str | None:
            tip = shown_path.tip(conn, get_message(conn, wanted).thread_id)
            return None if tip is None else tip.id

        return await self._db.read(work)

    async def lead_path_to(self, message_id: str) -> tuple[Thread, str | None]:
        """Show the path that ends with this message, wherever that is. Also returns the last message that stays."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> tuple[Thread, str | None]:
            thread_id, last_kept = message_writes.lead_path_to(conn, wanted)
            return get_thread(conn, thread_id), last_kept

        return await self._db.write(work)

    async def select_version(self, message_id: str) -> Thread:
        """Show this version and the messages last shown below it. The choice survives the end of the process, but need
        not survive a power cut: nobody waits for the disk."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> Thread:
            return get_thread(conn, message_writes.select_version(conn, wanted))

        return await self._db.write(work, is_durable=False)

    async def branch(self, message_id: str, title: str) -> Thread:
        """Create a thread with copies of the messages from the root to this one."""
        wanted = checked_id(message_id)
        return await self._db.write(
            lambda conn: get_thread(conn, branching.branch(conn, self._db.origin, wanted, title))
        )


def _checked(message_id: str | None) -> str | None:
    return None if message_id is None else checked_id(message_id)
