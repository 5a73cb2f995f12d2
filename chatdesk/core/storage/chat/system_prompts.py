"""Stores the system prompts of threads and projects."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import ProjectNotFound
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat.threads import live_thread
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import write_register
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.engine.rows import get_thread

# Concurrent versions of two devices are all kept, because a person wrote each of them.
_REGISTER = "system_prompt"


class SystemPromptRepository:
    """Changes system prompts. Each write is one transaction with its line in the change log."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def change(self, *, threads: Mapping[str, str], projects: Mapping[str, str]) -> tuple[Thread, ...]:
        """Set system prompts, given by the ids of their threads or projects, all or none. Returns the changed threads.
        Raises ``ProjectNotFound``, ``ThreadInTrash``."""

        def work(conn: Connection) -> tuple[Thread, ...]:
            for thread_id, text in threads.items():
                wanted = checked_id(thread_id)
                self._change(conn, tables.threads, wanted, live_thread(conn, wanted).project_id, clean(text))
            for project_id, text in projects.items():
                wanted = checked_id(project_id)
                found = conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ? AND deleted_at IS NULL", (wanted,))
                if found.first() is None:
                    raise ProjectNotFound
                self._change(conn, tables.projects, wanted, wanted, clean(text))
            return tuple(get_thread(conn, checked_id(thread_id)) for thread_id in threads)

        return await self._db.write(work)

    def _change(self, conn: Connection, table: Table, entity: str, project_id: str, text: str) -> None:
        values = {"system_prompt": text}
        write_register(conn, self._db.origin, table, entity, project_id=project_id, reg=_REGISTER, values=values)
