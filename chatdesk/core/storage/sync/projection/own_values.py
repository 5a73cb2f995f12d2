"""Applies the registers that only this person's own computers get: pins, the archive, marks, and where a thread is.

Two computers that move one thread to different projects leave it in the one that the later move names.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.message import ContextMark
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import is_own_log
from chatdesk.core.storage.sync.projection import own_projects
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.registers import made_with, update_heads, winner
from chatdesk.core.storage.sync.wire.rows import is_id, moment

_MARKS: Final = frozenset(mark.value for mark in ContextMark)
_TABLES: Final = {"thread": "threads", "project": "projects", "message": "messages"}

Values = Mapping[str, Any]
# Kind and register: its column, and how its value is read from a body.
_COLUMNS: Final[Mapping[tuple[str, str], tuple[str, Callable[[Values], Any]]]] = {
    ("thread", change_log.PINNED): ("pinned_at", lambda body: moment(body.get("pinned_at"))),
    ("thread", change_log.ARCHIVED): ("archived_at", lambda body: moment(body.get("archived_at"))),
    ("project", change_log.ARCHIVED): ("archived_at", lambda body: moment(body.get("archived_at"))),
    ("thread", change_log.CONTEXT_FROM): (
        "context_from_id",
        lambda body: body["context_from_id"] if is_id(body.get("context_from_id")) else None,
    ),
    ("message", change_log.CONTEXT): (
        "context_mark",
        lambda body: mark if (mark := body.get("context_mark")) in _MARKS else "",
    ),
}


def write(
    conn: Connection, origin: Origin, log: str, registers: Iterable[tuple[str, str, str]], effects: Effects
) -> None:
    """Write the values of these registers into their rows, if the log is that of own computers."""
    raw = driver(conn)
    for kind, entity, reg in sorted(registers) if is_own_log(raw, log) else ():
        _, heads = update_heads(raw, log, kind, entity, reg)
        newest = winner(heads)
        if (kind, reg) == ("thread", change_log.PROJECT):
            body = made_with(raw, log, kind, entity) if newest is None else newest.values()
            if is_id(body.get("project_id")):
                _move(conn, origin, log, entity, str(body["project_id"]), effects)
            continue
        if newest is None or (kind, reg) not in _COLUMNS:
            continue
        column, read = _COLUMNS[kind, reg]
        value = read(newest.values())
        changed = raw.execute(
            f"UPDATE {_TABLES[kind]} SET {column} = ?1 WHERE id = ?2 AND {column} IS NOT ?1", (value, entity)
        )
        if changed.rowcount:
            _gather(conn, kind, entity, reg, effects)


def _move(conn: Connection, origin: Origin, log: str, thread_id: str, wanted: str, effects: Effects) -> None:
    raw = driver(conn)
    (before,) = raw.execute("SELECT project_id FROM threads WHERE id = ?", (thread_id,)).fetchone()
    if before == wanted or own_projects.find_or_make(conn, origin, log, wanted) is None:
        return  # a project that a team has here: the thread stays where it is
    raw.execute("UPDATE threads SET project_id = ? WHERE id = ?", (wanted, thread_id))
    for each in (before, wanted):
        projects.refresh_last_chat(conn, each)
    effects.threads.add(thread_id)
    effects.contexts.add(thread_id)


def _gather(conn: Connection, kind: str, entity: str, reg: str, effects: Effects) -> None:
    if kind == "project":
        effects.projects.add(entity)
        return
    thread_id = entity
    if kind == "message":
        thread_id = driver(conn).execute("SELECT thread_id FROM messages WHERE id = ?", (entity,)).fetchone()[0]
    effects.threads.add(thread_id)
    if reg == change_log.ARCHIVED:
        project_id = driver(conn).execute("SELECT project_id FROM threads WHERE id = ?", (entity,)).fetchone()[0]
        projects.refresh_last_chat(conn, project_id)
    elif reg != change_log.PINNED:
        effects.contexts.add(thread_id)
