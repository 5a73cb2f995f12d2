"""Stores a reader's decisions about the context of a thread, and reads the rows for a request."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from chatdesk.core.domain.context import ContextFrame, ContextRow, PathCounts
from chatdesk.core.domain.message import ContextMark, Message
from chatdesk.core.domain.parameters import Parameters, parameters_from
from chatdesk.core.domain.summary import StaleReason, SummarySwitches
from chatdesk.core.errors import MessageInTrash, MessageNotFound, ProjectNotFound, ThreadNotFound
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat import context_rows, summaries
from chatdesk.core.storage.chat.summaries import best_for_path
from chatdesk.core.storage.chat.threads import live_thread
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import CONTEXT, CONTEXT_FROM, write_register
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import from_json, to_json
from chatdesk.core.storage.engine.rows import get_message
from chatdesk.core.storage.engine.steering import PARAMETERS, SUMMARIES

_FRAME = """
SELECT t.project_id, t.provider, t.model, t.system_prompt, p.system_prompt, t.parameters, p.parameters,
  t.context_from_id, coalesce(s.position, 0), t.is_without_summaries + p.is_without_summaries, t.shown_count,
  (SELECT max(position) FROM messages WHERE thread_id = t.id AND on_path = 1 AND deleted_at IS NULL), t.assistant_id
FROM threads t JOIN projects p ON p.id = t.project_id
LEFT JOIN messages s ON s.id = t.context_from_id AND s.on_path = 1
WHERE t.id = ?
"""

_IDLE = """
SELECT t.id, t.project_id, t.provider, t.model,
  (SELECT sum(char_count) FROM messages WHERE thread_id = t.id AND on_path = 1 AND deleted_at IS NULL)
FROM threads t WHERE t.deleted_at IS NULL AND t.archived_at IS NULL AND t.last_activity_at < ?
ORDER BY t.last_activity_at DESC
"""


class ContextRepository:
    """Reads and changes the contexts of threads. Each read is one snapshot, each write one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def frame(self, thread_id: str) -> ContextFrame:
        wanted = checked_id(thread_id)
        return await self._db.read(lambda conn: _frame(conn, wanted))

    async def tail(self, thread_id: str, encoding: str, *, before: int | None, limit: int) -> tuple[ContextRow, ...]:
        """Return the newest messages of the shown path below a position (None: its end), oldest first."""
        return await self._db.read(
            lambda conn: context_rows.shown_before(conn, thread_id, encoding, before=before, limit=limit)
        )

    async def between(
        self, thread_id: str, encoding: str, *, first: int, last: int, limit: int
    ) -> tuple[ContextRow, ...]:
        """Return messages of the shown path between two positions, both included, from the oldest on."""
        return await self._db.read(
            lambda conn: context_rows.shown_between(conn, thread_id, encoding, first=first, last=last, limit=limit)
        )

    async def path_up(self, message_id: str, encoding: str, *, limit: int) -> tuple[ContextRow, ...]:
        """Return the newest messages on the way from the root to a message, whether it is shown or not."""
        wanted = checked_id(message_id)
        return await self._db.read(lambda conn: context_rows.path_up(conn, wanted, encoding, limit=limit))

    async def pinned(self, thread_id: str, encoding: str, *, before: int) -> tuple[ContextRow, ...]:
        return await self._db.read(lambda conn: context_rows.pinned_before(conn, thread_id, encoding, before))

    async def row(self, message_id: str, encoding: str) -> ContextRow | None:
        return await self._db.read(lambda conn: context_rows.one(conn, message_id, encoding))

    async def counts(self, thread_id: str, *, first: int, last: int) -> PathCounts:
        return await self._db.read(lambda conn: context_rows.counts(conn, thread_id, first, last))

    async def characters(self, thread_id: str, *, first: int, last: int) -> int:
        """Return how much text is shown between two positions, both included, and not kept from the model."""
        return await self._db.read(lambda conn: context_rows.characters(conn, thread_id, first, last))

    async def long_threads(
        self, *, least_characters: Callable[[str | None, str | None], int], idle_since: int
    ) -> tuple[str, ...]:
        """Return threads in which nothing was said since ``idle_since``, with much to read on their shown path, newest
        first. ``least_characters`` says of a provider and a model how much that is; called on a storage thread."""

        def work(conn: Connection) -> tuple[str, ...]:
            # Summaries cannot be stored in projects that are read-only for this person.
            hidden = self._db.log_watch.read_only
            least = lru_cache(maxsize=None)(least_characters)
            rows = conn.exec_driver_sql(_IDLE, (idle_since,))
            return tuple(row[0] for row in rows if row[1] not in hidden and (row[4] or 0) >= least(row[2], row[3]))

        return await self._db.read(work)

    async def mark(self, message_id: str, mark: ContextMark) -> Message:
        """Pin or exclude a message, or neither. Summaries of a range in which a message is excluded, or included again,
        become stale."""
        wanted = checked_id(message_id)

        def work(conn: Connection) -> Message:
            message = get_message(conn, wanted)
            if message.deleted_at is not None:
                raise MessageInTrash
            before = conn.exec_driver_sql("SELECT context_mark FROM messages WHERE id = ?", (wanted,)).scalar_one()
            if before != mark.value:
                project_id = live_thread(conn, message.thread_id).project_id
                self._change(conn, tables.messages, wanted, project_id, {"context_mark": mark.value}, CONTEXT)
                if ContextMark.EXCLUDED in (before, mark.value):
                    summaries.mark_message_stale(conn, wanted, StaleReason.EXCLUDED)
            return get_message(conn, wanted)

        return await self._db.write(work)

    async def start_at(self, thread_id: str, message_id: str | None) -> str | None:
        """Send nothing before that message from now on; None: send from the beginning. Returns where the context
        started before."""
        thread = checked_id(thread_id)
        start = None if message_id is None else checked_id(message_id)

        def work(conn: Connection) -> str | None:
            project_id = live_thread(conn, thread).project_id
            if start is not None and get_message(conn, start).thread_id != thread:
                raise MessageNotFound
            before: str | None = conn.exec_driver_sql(
                "SELECT context_from_id FROM threads WHERE id = ?", (thread,)
            ).scalar_one()
            if before != start:
                self._change(conn, tables.threads, thread, project_id, {"context_from_id": start}, CONTEXT_FROM)
            return before

        return await self._db.write(work)

    async def own_parameters(self, thread_id: str) -> tuple[Parameters, Parameters]:
        """Return the parameters of the thread and those of its project."""
        wanted = checked_id(thread_id)

        def work(conn: Connection) -> tuple[Parameters, Parameters]:
            row = conn.exec_driver_sql(
                "SELECT t.parameters, p.parameters FROM threads t JOIN projects p ON p.id = t.project_id"
                " WHERE t.id = ?",
                (wanted,),
            ).first()
            if row is None:
                raise ThreadNotFound
            return parameters_from(from_json(row[0])), parameters_from(from_json(row[1]))

        return await self._db.read(work)

    async def project_parameters(self, project_id: str) -> Parameters:
        wanted = checked_id(project_id)

        def work(conn: Connection) -> Parameters:
            row = conn.exec_driver_sql("SELECT parameters FROM projects WHERE id = ?", (wanted,)).first()
            if row is None:
                raise ProjectNotFound
            return parameters_from(from_json(row[0]))

        return await self._db.read(work)

    async def set_thread_parameters(self, thread_id: str, parameters: Parameters) -> None:
        await self._change_thread(thread_id, {"parameters": to_json(parameters.as_json())}, PARAMETERS)

    async def set_project_parameters(self, project_id: str, parameters: Parameters) -> None:
        await self._change_project(project_id, {"parameters": to_json(parameters.as_json())}, PARAMETERS)

    async def summary_switches(self, thread_id: str) -> SummarySwitches:
        """Return whether summaries are on in the thread and in its project."""
        wanted = checked_id(thread_id)

        def work(conn: Connection) -> SummarySwitches:
            row = conn.exec_driver_sql(
                "SELECT t.is_without_summaries, p.is_without_summaries FROM threads t"
                " JOIN projects p ON p.id = t.project_id WHERE t.id = ?",
                (wanted,),
            ).first()
            if row is None:
                raise ThreadNotFound
            return SummarySwitches(not row[0], not row[1])

        return await self._db.read(work)

    async def switch_thread_summaries(self, thread_id: str, *, is_on: bool) -> None:
        await self._change_thread(thread_id, {"is_without_summaries": int(not is_on)}, SUMMARIES)

    async def switch_project_summaries(self, project_id: str, *, is_on: bool) -> None:
        await self._change_project(project_id, {"is_without_summaries": int(not is_on)}, SUMMARIES)

    async def _change_thread(self, thread_id: str, values: dict[str, Any], reg: str) -> None:
        wanted = checked_id(thread_id)

        def work(conn: Connection) -> None:
            self._change(conn, tables.threads, wanted, live_thread(conn, wanted).project_id, values, reg)

        await self._db.write(work)

    async def _change_project(self, project_id: str, values: dict[str, Any], reg: str) -> None:
        wanted = checked_id(project_id)

        def work(conn: Connection) -> None:
            if conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ?", (wanted,)).first() is None:
                raise ProjectNotFound
            self._change(conn, tables.projects, wanted, wanted, values, reg)

        await self._db.write(work)

    def _change(
        self, conn: Connection, table: Table, entity: str, project_id: str, values: dict[str, Any], reg: str
    ) -> None:
        write_register(conn, self._db.origin, table, entity, project_id=project_id, reg=reg, values=values)


def _frame(conn: Connection, thread_id: str) -> ContextFrame:
    row = conn.exec_driver_sql(_FRAME, (thread_id,)).first()
    if row is None:
        raise ThreadNotFound
    own, wider = (parameters_from(from_json(stored)) for stored in (row[5], row[6]))
    best = best_for_path(conn, thread_id, row[8])
    return ContextFrame(
        thread_id=thread_id,
        project_id=row[0],
        provider=row[1],
        model=row[2],
        system_prompt=row[3] if row[3].strip() else row[4],
        parameters=own.over(wider),
        starts_at_id=row[7],
        starts_at=row[8],
        has_summaries=not row[9],
        summary=best.summary,
        stale_summary_id=best.stale_id,
        end=-1 if row[11] is None else row[11],
        message_count=row[10],
        is_summary_off=best.is_off,
        assistant_id=row[12],
    )
