"""Reads and writes single threads: everything but their messages; ``thread_lists`` has the lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import Thread, TitleSource
from chatdesk.core.errors import InvalidTitle, ProjectNotFound, ThreadInTrash, ThreadNotFound
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.ids import checked_id, new_id
from chatdesk.core.storage.chat.outside_text import has_outside_text
from chatdesk.core.storage.engine import change_log, tables
from chatdesk.core.storage.engine.change_log import Origin, is_anothers, log_change, write_register
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, title_columns
from chatdesk.core.storage.engine.rows import get_thread
from chatdesk.core.storage.engine.steering import MODEL

_SOURCES = frozenset(source.value for source in TitleSource)


class ThreadRepository:
    """Reads and writes threads; each write returns the thread as it is now."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(
        self,
        project_id: str,
        title: str,
        *,
        provider: str | None,
        model: str | None,
        system_prompt: str = "",
        title_source: TitleSource = TitleSource.PERSON,
        assistant_id: str | None = None,
    ) -> Thread:
        project = checked_id(project_id)
        return await self._db.write(
            lambda conn: insert_thread(
                conn,
                self._db.origin,
                project,
                title,
                provider=provider,
                model=model,
                system_prompt=system_prompt,
                title_source=title_source,
                assistant_id=assistant_id,
            )
        )

    async def get(self, thread_id: str) -> Thread:
        wanted = checked_id(thread_id)
        return await self._db.read(lambda conn: get_thread(conn, wanted))

    async def has_outside_text(self, thread_id: str, assistant_id: str | None = None) -> bool:
        """Return whether outside text may reach the model in a thread; ``assistant_id`` names the assistant that
        answers this time, None: the thread's own."""
        wanted = checked_id(thread_id)
        return await self._db.read(lambda conn: has_outside_text(conn, wanted, assistant_id))

    async def rename(self, thread_id: str, title: str) -> Thread:
        """Set a title that a person gave: no better one is made from then on."""
        wanted = checked_title(title)
        return await self._change(thread_id, *_title_change(wanted, TitleSource.PERSON))

    async def retitle(self, thread_id: str, title: str, source: TitleSource) -> Thread | None:
        """Set a generated title. Changes nothing and returns None if a person typed the title, the thread is in the
        trash, or this person may not change it in a shared project."""
        wanted, better = checked_id(thread_id), checked_title(title)

        def work(conn: Connection) -> Thread | None:
            row = conn.exec_driver_sql(
                "SELECT title_source, deleted_at, project_id FROM threads WHERE id = ?", (wanted,)
            ).first()
            if row is None or row[0] == TitleSource.PERSON or row[1] is not None:
                return None
            if row[2] in self._db.log_watch.read_only or is_anothers(conn, row[2], "thread", (wanted,)):
                return None
            return change_thread(conn, self._db.origin, wanted, *_title_change(better, source))

        return await self._db.write(work)

    async def title_source(self, thread_id: str) -> TitleSource:
        """Return who gave the title. A source that only a newer ChatDesk knows counts as a person."""
        wanted = checked_id(thread_id)

        def work(conn: Connection) -> TitleSource:
            row = conn.exec_driver_sql("SELECT title_source FROM threads WHERE id = ?", (wanted,)).first()
            if row is None:
                raise ThreadNotFound
            return TitleSource(row[0]) if row[0] in _SOURCES else TitleSource.PERSON

        return await self._db.read(work)

    async def set_model(self, thread_id: str, provider: str | None, model: str | None) -> Thread:
        values = {"provider": provider, "model": model}
        return await self._change(thread_id, values, MODEL, values)

    async def set_assistant(self, thread_id: str, assistant_id: str | None) -> Thread:
        """Set the assistant that answers in a thread. The change log has no line of it: it is one of this
        profile."""
        wanted, chosen = checked_id(thread_id), None if assistant_id is None else checked_id(assistant_id)

        def work(conn: Connection) -> Thread:
            live_thread(conn, wanted)
            conn.exec_driver_sql("UPDATE threads SET assistant_id = ? WHERE id = ?", (chosen, wanted))
            return get_thread(conn, wanted)

        return await self._db.write(work)

    async def _change(self, thread_id: str, values: dict[str, Any], reg: str, body: dict[str, Any]) -> Thread:
        wanted = checked_id(thread_id)
        return await self._db.write(lambda conn: change_thread(conn, self._db.origin, wanted, values, reg, body))


def checked_title(title: str) -> str:
    """Return ``title`` on one line. Raises ``InvalidTitle``."""
    wanted = clean_line(clean(title))
    if not wanted:
        raise InvalidTitle
    return wanted


def _title_change(title: str, source: TitleSource) -> tuple[dict[str, Any], str, dict[str, Any]]:
    shared = {"title": title, "title_source": source.value}
    return {**shared, **title_columns(title)}, change_log.TITLE, shared


def change_thread(
    conn: Connection, origin: Origin, thread_id: str, values: dict[str, Any], reg: str, body: dict[str, Any]
) -> Thread:
    """Write a register of a live thread: its columns, their stamp, and the change log."""
    thread = live_thread(conn, thread_id)
    write_register(
        conn, origin, tables.threads, thread_id, project_id=thread.project_id, reg=reg, values=values, body=body
    )
    return get_thread(conn, thread_id)


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
    title_source: TitleSource = TitleSource.PERSON,
    assistant_id: str | None = None,
) -> Thread:
    wanted = checked_title(title)
    prompt = clean(system_prompt)
    found = conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ? AND deleted_at IS NULL", (project_id,)).first()
    if found is None:
        raise ProjectNotFound
    thread_id = new_id()
    now = origin.now()
    stamp = origin.stamp()
    shared = {
        "title": wanted,
        "title_source": title_source.value,
        "system_prompt": prompt,
        "provider": provider,
        "model": model,
        "created_at": now,
    }
    insert_row(
        conn,
        tables.threads,
        id=thread_id,
        project_id=project_id,
        last_activity_at=now,
        assistant_id=assistant_id,
        **{**shared, **title_columns(wanted)},
        **stamp,
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
    touch(conn, thread_id, now)
    return get_thread(conn, thread_id)


def touch(conn: Connection, thread_id: str, now: int) -> None:
    """Move a thread to the top of its lists, because something was said in it."""
    conn.exec_driver_sql(
        "UPDATE threads SET last_activity_at = max(last_activity_at, ?) WHERE id = ?", (now, thread_id)
    )
    conn.exec_driver_sql(
        "UPDATE projects SET last_chat_at = max(coalesce(last_chat_at, 0), ?)"
        " WHERE id = (SELECT project_id FROM threads WHERE id = ?)",
        (now, thread_id),
    )
