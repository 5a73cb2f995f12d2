"""Answers that wait to be asked for. They are pending like others, but owned by no process: their place in the order
stands where others have their owner, so that they survive the end of the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Message
from chatdesk.core.domain.thread import Thread
from chatdesk.core.domain.turn import TurnOutcome
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.errors import NotPossible
from chatdesk.core.ids import checked_id
from chatdesk.core.storage import streaming
from chatdesk.core.storage.rows import get_message, get_thread

if TYPE_CHECKING:
    from chatdesk.core.storage.database import Database

#: How the owner of such an answer begins; then comes its place.
WAITING: Final = "waiting:"


class WaitingRepository:
    """Every write is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> tuple[WaitingAnswer, ...]:
        """In the order in which they are to be sent; those in the trash are left out."""

        def work(conn: Connection) -> tuple[WaitingAnswer, ...]:
            rows = conn.exec_driver_sql(
                "SELECT m.id, m.thread_id, coalesce(m.provider, ''), coalesce(m.model, '')"
                " FROM messages m JOIN threads t ON t.id = m.thread_id"
                " WHERE m.status IN ('pending', 'streaming') AND m.owner_pid_token >= 'waiting:'"
                " AND m.owner_pid_token < 'waiting;' AND m.deleted_at IS NULL AND t.deleted_at IS NULL"
                " ORDER BY m.owner_pid_token, m.id"
            )
            return tuple(WaitingAnswer(*row) for row in rows)

        return await self._db.read(work)

    async def order(self, message_ids: Sequence[str]) -> None:
        """These wait, in this order."""
        wanted = [checked_id(message_id) for message_id in message_ids]

        def work(conn: Connection) -> None:
            for place, message_id in enumerate(wanted):
                conn.exec_driver_sql(
                    "UPDATE messages SET owner_pid_token = ? WHERE id = ? AND status = 'pending'",
                    (f"{WAITING}{place:06d}", message_id),
                )

        await self._db.write(work)

    async def take(self, message_id: str) -> Message:
        """It is going to be asked for by this process. Raises ``NotPossible`` where it does not wait any more."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> Message:
            found = conn.exec_driver_sql(
                "UPDATE messages SET owner_pid_token = ? WHERE id = ? AND status = 'pending'",
                (self._db.owner_token, wanted),
            ).rowcount
            if not found:
                raise NotPossible("This answer does not wait any more.")
            return get_message(conn, wanted)

        return await self._db.write(work)

    async def finish(self, message_id: str, outcome: TurnOutcome) -> tuple[Message, Thread]:
        """It ends without having been asked for."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> tuple[Message, Thread]:
            thread_id = streaming.finish(conn, self._db.origin, wanted, outcome)
            return get_message(conn, wanted), get_thread(conn, thread_id)

        return await self._db.write(work)

    async def sent_since(self, moment_ms: int) -> tuple[int, ...]:
        """When answers were asked for since then, as far as they have ended; milliseconds UTC, oldest first."""

        def work(conn: Connection) -> tuple[int, ...]:
            rows = conn.exec_driver_sql(
                "SELECT created_at - coalesce(latency_ms, 0) FROM usage_events"
                " WHERE created_at >= ? AND kind = 'answer' AND status <> 'refused'",
                (moment_ms,),
            )
            return tuple(sorted(row[0] for row in rows if row[0] >= moment_ms))

        return await self._db.read(work)
