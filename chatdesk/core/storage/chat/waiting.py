"""Stores answers that wait to be asked for.

They are pending like others, but owned by no process: their place in the order is where others have their owner, so
that they survive the end of the program.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import Message
from chatdesk.core.domain.waiting import SentAnswer, WaitingAnswer
from chatdesk.core.errors import NotPossible
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import MESSAGE_COLUMNS, get_message, messages_from
from chatdesk.core.texts import Text

# The owner of a waiting answer begins with this; its place follows.
WAITING: Final = "waiting:"
UNREACHED: Final = "waiting_for_network"
_MOST_UNREACHED: Final = 500


class WaitingRepository:
    """Reads and changes waiting answers. Every write is one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> tuple[WaitingAnswer, ...]:
        """Return the waiting answers in the order in which they are to be sent; those in the trash are left out."""

        def work(conn: Connection) -> tuple[WaitingAnswer, ...]:
            rows = conn.exec_driver_sql(
                "SELECT m.id, m.thread_id, coalesce(m.provider, ''), coalesce(m.model, ''), t.project_id"
                " FROM messages m JOIN threads t ON t.id = m.thread_id"
                " WHERE m.status IN ('pending', 'streaming') AND m.owner_pid_token >= 'waiting:'"
                " AND m.owner_pid_token < 'waiting;' AND m.deleted_at IS NULL AND t.deleted_at IS NULL"
                " ORDER BY m.owner_pid_token, m.id"
            )
            return tuple(WaitingAnswer(row[0], row[1], row[2], row[3], project_id=row[4]) for row in rows)

        return await self._db.read(work)

    async def order(self, message_ids: Sequence[str]) -> None:
        """Let these pending answers wait, in this order."""
        wanted = [checked_id(message_id) for message_id in message_ids]

        def work(conn: Connection) -> None:
            for place, message_id in enumerate(wanted):
                conn.exec_driver_sql(
                    "UPDATE messages SET owner_pid_token = ? WHERE id = ? AND status = 'pending'",
                    (f"{WAITING}{place:06d}", message_id),
                )

        await self._db.write(work)

    async def claim(self, message_id: str) -> Message:
        """Make this process the owner of a waiting answer, which it is going to ask for. Raises ``NotPossible`` where
        the answer does not wait any more."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> Message:
            found = conn.exec_driver_sql(
                "UPDATE messages SET owner_pid_token = ? WHERE id = ? AND status = 'pending'",
                (self._db.owner_token, wanted),
            ).rowcount
            if not found:
                raise NotPossible(Text("This answer is no longer waiting."))
            return get_message(conn, wanted)

        return await self._db.write(work)

    async def project_of(self, thread_id: str) -> str:
        """Return the project of a thread; empty where the thread is gone."""

        def work(conn: Connection) -> str:
            found = conn.exec_driver_sql("SELECT project_id FROM threads WHERE id = ?", (thread_id,)).scalar()
            return "" if found is None else str(found)

        return await self._db.read(work)

    async def sent_since(self, moment_ms: int) -> tuple[SentAnswer, ...]:
        """Return the answers that were asked for since then, as far as they have ended, oldest first."""

        def work(conn: Connection) -> tuple[SentAnswer, ...]:
            rows = conn.exec_driver_sql(
                "SELECT created_at - coalesce(latency_ms, 0) AS sent_at, coalesce(provider, ''),"
                " coalesce(project_id, '') FROM usage_events"
                " WHERE created_at >= ? AND kind = 'answer' AND status <> 'refused' ORDER BY sent_at",
                (moment_ms,),
            )
            return tuple(SentAnswer(*row) for row in rows if row[0] >= moment_ms)

        return await self._db.read(work)

    async def keep_unreached(self, message_ids: Sequence[str]) -> None:
        """Remember answers that failed for lack of a connection, to be asked for again when there is one."""
        value = json.dumps([checked_id(message_id) for message_id in message_ids[:_MOST_UNREACHED]])

        def work(conn: Connection) -> None:
            conn.exec_driver_sql(
                "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (UNREACHED, value),
            )

        await self._db.write(work)

    async def unreached(self) -> tuple[Message, ...]:
        """Return the answers of ``keep_unreached`` that are still there, in their order."""

        def work(conn: Connection) -> tuple[Message, ...]:
            stored = conn.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (UNREACHED,)).scalar()
            ids = json.loads(stored) if stored else []
            rows = conn.exec_driver_sql(
                f"SELECT {MESSAGE_COLUMNS} FROM messages m JOIN threads t ON t.id = m.thread_id"  # noqa: S608 - names of ours
                " WHERE m.id IN (SELECT value FROM json_each(?)) AND m.deleted_at IS NULL AND t.deleted_at IS NULL",
                (json.dumps(ids),),
            ).fetchall()
            found = {message.id: message for message in messages_from(conn, rows)}
            return tuple(found[id_] for id_ in ids if id_ in found)

        return await self._db.read(work)
