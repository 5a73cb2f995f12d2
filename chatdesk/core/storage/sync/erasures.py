"""Erases threads and messages for everybody on a person's request: first to the trash, then on the team's server.

``erasing`` describes how an erasure travels and is carried out.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import Erasure
from chatdesk.core.errors import MessageNotFound, NotPossible, SharedReadOnly
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat import shown_path, trash
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import get_thread
from chatdesk.core.storage.sync import erasing, tending
from chatdesk.core.texts import Text


class ErasureRepository:
    """Requests erasures. Each method is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_thread(self, thread_id: str) -> Erasure:
        """Return the extent of ``erase_thread``. Raises ``NotPossible`` if the project is not shared or nothing is this
        person's to erase, ``SharedReadOnly``."""
        wanted = checked_id(thread_id)
        return await self._db.read(lambda conn: _checked(conn, wanted, None))

    async def of_message(self, message_id: str) -> Erasure:
        """Return the extent of ``erase_message``. Raises as ``of_thread``."""
        wanted = checked_id(message_id)
        return await self._db.read(lambda conn: _checked(conn, _thread_of(conn, wanted), wanted))

    async def erase_thread(self, thread_id: str) -> Erasure:
        """Move a thread to the trash, and request the erasure of everything in it that this person may erase. Raises
        ``NotPossible``, ``SharedReadOnly``, ``SharedNotOwn``."""
        wanted = checked_id(thread_id)

        def work(conn: Connection) -> Erasure:
            found = _checked(conn, wanted, None)
            if get_thread(conn, wanted).deleted_at is None:
                trash.delete_thread(conn, self._db.origin, wanted)
            erasing.ask_for_thread(conn, self._db.origin, wanted)
            return found

        return await self._db.write(work)

    async def erase_message(self, message_id: str) -> Erasure:
        """Move a message to the trash, and request its erasure and that of the summaries that cover it. Raises as
        ``erase_thread``."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> Erasure:
            thread_id = _thread_of(conn, wanted)
            found = _checked(conn, thread_id, wanted)
            node = shown_path.find_node(conn, wanted)
            if node is not None and node.deleted_at is None:
                trash.delete_message(conn, self._db.origin, wanted, with_later=False)
            erasing.ask_for_messages(conn, self._db.origin, thread_id, [wanted])
            return found

        return await self._db.write(work)

    async def set_retention(self, project_id: str, days: int | None) -> None:
        """Keep messages of a shared project for so many days; None keeps them for ever. Raises ``InvalidInput``,
        ``SharedReadOnly``, ``SharedNotOwn``."""
        wanted = checked_id(project_id)
        origin = self._db.origin
        await self._db.write(lambda conn: tending.set_retention(conn, origin, wanted, days))

    async def retention(self, project_id: str) -> int | None:
        """Return for how many days messages of a shared project are kept; None: for ever."""
        wanted = checked_id(project_id)
        return await self._db.read(lambda conn: tending.retention(conn, wanted))


def _thread_of(conn: Connection, message_id: str) -> str:
    row = conn.exec_driver_sql("SELECT thread_id FROM messages WHERE id = ?", (message_id,)).first()
    if row is None:
        raise MessageNotFound
    return str(row[0])


def _checked(conn: Connection, thread_id: str, message_id: str | None) -> Erasure:
    """Return the extent of an erasure. Raises ``NotPossible`` and ``SharedReadOnly`` where it may not be requested."""
    found = erasing.erasable(conn, thread_id, message_id)
    if found is None:
        raise NotPossible(
            Text("Nobody else has this: its project is not shared."), next_step=Text("Delete it, and empty the trash.")
        )
    if not found.may_write:
        raise SharedReadOnly
    if not found.messages:
        raise NotPossible(
            Text("You wrote none of this, so you cannot erase it for everybody."),
            next_step=Text("Ask an owner or admin of the project, who may erase what others wrote."),
        )
    return found
