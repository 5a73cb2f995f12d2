"""Threads in the database: the list, and everything but their messages."""

# ruff: noqa: S608 - statements are put together from constants of this package; values are always bound

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import Thread, ThreadPage
from chatdesk.core.errors import InvalidInput, InvalidTitle, ProjectNotFound, ThreadInTrash
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage import change_log, tables, thread_counters, trash
from chatdesk.core.storage.change_log import Origin, log_change
from chatdesk.core.storage.plain_text import clean, folded
from chatdesk.core.storage.rows import THREAD_COLUMNS, get_thread, thread_from

if TYPE_CHECKING:
    from chatdesk.core.storage.database import Database

TRASH_DAYS = 30
_DAY_MS = 24 * 3600 * 1000


class ThreadRepository:
    """Reads and writes threads; each write returns the thread as it is now."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(
        self, project_id: str, title: str, *, provider: str | None, model: str | None, system_prompt: str = ""
    ) -> Thread:
        project = checked_id(project_id)
        return await self._db.write(
            lambda conn: insert_thread(
                conn, self._db.origin, project, title, provider=provider, model=model, system_prompt=system_prompt
            )
        )

    async def get(self, thread_id: str) -> Thread:
        wanted = checked_id(thread_id)
        return await self._db.read(lambda conn: get_thread(conn, wanted))

    async def list_page(
        self,
        project_id: str | None,
        *,
        limit: int,
        cursor: str | None = None,
        query: str = "",
        pinned: bool | None = None,
        archived: bool = False,
        trashed: bool = False,
    ) -> ThreadPage:
        """Threads with the newest activity first; ``cursor`` is ``next_cursor`` of the page before."""
        project = None if project_id is None else checked_id(project_id)
        sql, values = list_statement(project, cursor, query, pinned, archived, trashed)

        def work(conn: Connection) -> ThreadPage:
            rows = conn.exec_driver_sql(sql, (*values, limit + 1)).all()
            threads = tuple(thread_from(row) for row in rows[:limit])
            has_more = len(rows) > limit
            return ThreadPage(threads, _cursor(threads[-1]) if threads and has_more else None)

        return await self._db.read(work)

    async def rename(self, thread_id: str, title: str) -> Thread:
        wanted = checked_title(title)
        values = {"title": wanted, "title_folded": folded(wanted)}
        return await self._change(thread_id, values, change_log.TITLE, {"title": wanted})

    async def set_archived(self, thread_id: str, is_archived: bool) -> Thread:
        at = self._db.origin.now() if is_archived else None
        return await self._change(thread_id, {"archived_at": at}, change_log.ARCHIVED, {"archived_at": at})

    async def set_pinned(self, thread_id: str, is_pinned: bool) -> Thread:
        at = self._db.origin.now() if is_pinned else None
        return await self._change(thread_id, {"pinned_at": at}, change_log.PINNED, {"pinned_at": at})

    async def set_model(self, thread_id: str, provider: str | None, model: str | None) -> Thread:
        values = {"provider": provider, "model": model}
        return await self._change(thread_id, values, change_log.MODEL, values)

    async def delete(self, thread_id: str) -> Thread:
        """Move to the trash. A thread that is there already stays as it is."""
        wanted = checked_id(thread_id)
        return await self._db.write(lambda conn: trash.delete_thread(conn, self._db.origin, wanted))

    async def restore(self, thread_id: str) -> Thread:
        wanted = checked_id(thread_id)
        return await self._db.write(lambda conn: trash.restore_thread(conn, self._db.origin, wanted))

    async def purge_expired(self, trashed_before_ms: int | None = None) -> int:
        """Remove for good what went to the trash before a moment (30 days ago unless said): threads, and single
        messages. Returns how many of both.
        """
        moment = self._db.origin.now() - TRASH_DAYS * _DAY_MS if trashed_before_ms is None else trashed_before_ms
        return await self._db.write(lambda conn: trash.purge(conn, moment, self._db.origin.now()))

    async def recount(self, thread_id: str) -> Thread:
        """The thread with counters as they should be, counted afresh; nothing is changed."""
        wanted = checked_id(thread_id)

        def work(conn: Connection) -> Thread:
            tally = thread_counters.of_thread(conn, wanted)
            return replace(
                get_thread(conn, wanted),
                message_count=tally.message_count,
                total_input_tokens=tally.input_tokens,
                total_output_tokens=tally.output_tokens,
                total_cached_tokens=tally.cached_tokens,
                total_reasoning_tokens=tally.reasoning_tokens,
                total_tool_time_ms=tally.tool_time_ms,
                tool_counts=dict(tally.tool_counts),
            )

        return await self._db.read(work)

    async def _change(self, thread_id: str, values: dict[str, Any], reg: str, body: dict[str, Any]) -> Thread:
        wanted = checked_id(thread_id)
        origin = self._db.origin

        def work(conn: Connection) -> Thread:
            thread = live_thread(conn, wanted)
            stamp = origin.stamp()
            conn.execute(tables.threads.update().where(tables.threads.c.id == wanted).values(**values, **stamp))
            log_change(
                conn,
                origin,
                project_id=thread.project_id,
                kind="thread",
                op="edit",
                entity=wanted,
                hlc=stamp["hlc"],
                reg=reg,
                body=body,
            )
            return get_thread(conn, wanted)

        return await self._db.write(work)


def checked_title(title: str) -> str:
    """``title`` on one line, or ``InvalidTitle``."""
    wanted = " ".join(clean(title).split())
    if not wanted:
        raise InvalidTitle
    return wanted


def live_thread(conn: Connection, thread_id: str) -> Thread:
    thread = get_thread(conn, thread_id)
    if thread.deleted_at is not None:
        raise ThreadInTrash
    return thread


def insert_thread(
    conn: Connection,
    origin: Origin,
    project_id: str,
    title: str,
    *,
    provider: str | None,
    model: str | None,
    system_prompt: str,
) -> Thread:
    wanted = checked_title(title)
    prompt = clean(system_prompt)
    found = conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ? AND deleted_at IS NULL", (project_id,)).first()
    if found is None:
        raise ProjectNotFound
    thread_id = new_id()
    now = origin.now()
    stamp = origin.stamp()
    shared = {"title": wanted, "system_prompt": prompt, "provider": provider, "model": model, "created_at": now}
    conn.execute(
        tables.threads.insert().values(
            id=thread_id,
            project_id=project_id,
            title_folded=folded(wanted),
            last_activity_at=now,
            **shared,
            **stamp,
        )
    )
    log_change(
        conn,
        origin,
        project_id=project_id,
        kind="thread",
        op="new",
        entity=thread_id,
        hlc=stamp["hlc"],
        body=shared,
    )
    return get_thread(conn, thread_id)


def touch(conn: Connection, thread_id: str, now: int) -> None:
    """Something was said: move the thread to the top of its lists."""
    conn.exec_driver_sql(
        "UPDATE threads SET last_activity_at = max(last_activity_at, ?) WHERE id = ?", (now, thread_id)
    )
    conn.exec_driver_sql(
        "UPDATE projects SET last_chat_at = max(coalesce(last_chat_at, 0), ?)"
        " WHERE id = (SELECT project_id FROM threads WHERE id = ?)",
        (now, thread_id),
    )


def list_statement(
    project_id: str | None, cursor: str | None, query: str, pinned: bool | None, archived: bool, trashed: bool
) -> tuple[str, list[Any]]:
    """The query behind ``list_page``, all but its limit. Its conditions are spelt as in the partial indexes."""
    conditions = ["deleted_at IS NOT NULL"] if trashed else ["deleted_at IS NULL"]
    values: list[Any] = []
    if not trashed:
        conditions.append("archived_at IS NOT NULL" if archived else "archived_at IS NULL")
    if pinned is not None:
        conditions.append("pinned_at IS NOT NULL" if pinned else "pinned_at IS NULL")
    if project_id is not None:
        conditions.append("project_id = ?")
        values.append(project_id)
    if query.strip():
        conditions.append("instr(title_folded, ?) > 0")
        values.append(folded(clean(query).strip()))
    if cursor is not None:
        conditions.append("(last_activity_at, id) < (?, ?)")
        values.extend(_parsed(cursor))
    sql = (
        f"SELECT {THREAD_COLUMNS} FROM threads WHERE {' AND '.join(conditions)}"
        " ORDER BY last_activity_at DESC, id DESC LIMIT ?"
    )
    return sql, values


def _cursor(thread: Thread) -> str:
    return f"{thread.last_activity_at}:{thread.id}"


def _parsed(cursor: str) -> tuple[int, str]:
    moment, _, thread_id = cursor.partition(":")
    try:
        return int(moment), checked_id(thread_id)
    except (ValueError, InvalidInput):
        raise InvalidInput(
            "That is not a place in the list.", safe="Nothing was changed.", next_step="Start from the first page."
        ) from None
