"""Logs every change as one row, in the transaction that makes the change; team sync sends these rows.

A register is (kind, entity, reg), because a hostile member can give a thread the id of a message. Its heads are the
changes that no other change names as a parent; a change made here names the heads it saw. A ``reg`` that starts with
``lww.`` shows only the winner; others keep all versions. Bodies of messages, which never change once they are final,
are read when they are sent.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.errors import SharedNotOwn, SharedReadOnly
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.bulk import insert_rows
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import SEEN, Log, log_of
from chatdesk.core.storage.engine.plain_text import to_json

CONTENT = "content"
TITLE = "title"
PINNED = "lww.pinned"
ARCHIVED = "lww.archived"
PROJECT = "lww.project"
NAME = "name"
COLOUR = "lww.colour"
TAG = "lww.tag."  # followed by the tag's id: whether a thread has that tag
CONTEXT = "lww.context"
CONTEXT_FROM = "lww.context_from"
SWITCH = "lww.switch"
FILES = "lww.files."  # of a project, followed by the id of a source of its files
FILE_TEXT = "lww.filetext."  # of a project, followed by a source's id and the digest of a path: a file's passages
RETENTION = "lww.retention"  # of a project: for how many days its messages are kept
ERASED = "erased"  # the parts erased for all members: see ``storage/sync/erasing.py``
# Registers of one person's own view, which only their own computers get. A thread's project is logged when the thread
# enters it.
PERSONAL = frozenset((PINNED, ARCHIVED, CONTEXT, CONTEXT_FROM, PROJECT))
# ``project_id`` of what belongs to the whole profile and to no project.
PROFILE = ""
_TABLES = {"thread": "threads", "message": "messages", "summary": "summaries"}

# Values of ``domain.team.ChangeState``, whose module a start does not load; a test holds them equal.
_PENDING, _PRIVATE = 0, 5

_INSERT = (
    "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, body, state, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# Tests in SQL whether a head has the kind bound to both question marks. A head without its change matches every kind. A
# hostile member can give one id to two things of different kinds.
OF_KIND = "coalesce((SELECT kind FROM changes WHERE id = change_id), ?) = ?"
# Heads of one register, given as (entity, reg, kind).
HEADS = (
    "SELECT change_id FROM register_heads WHERE entity = ?1 AND reg = ?2"
    " AND coalesce((SELECT kind FROM changes WHERE id = change_id), ?3) = ?3 ORDER BY change_id"
)
ADD_HEAD = "INSERT INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)"
DROP_HEAD = "DELETE FROM register_heads WHERE entity = ? AND reg = ? AND change_id = ?"


class LogWatch:
    """The projects whose changes the running transaction logged, passed to ``listener`` on the writing thread after the
    commit. ``read_only``: projects of others in which this person may not write; replaced as a whole."""

    def __init__(self) -> None:
        self.listener: Callable[[frozenset[str]], None] | None = None
        self.read_only: frozenset[str] = frozenset()
        self._recorded: set[str] = set()

    def record(self, project_id: str) -> None:
        self._recorded.add(project_id)

    def check(self, project_id: str) -> None:
        """Raise ``SharedReadOnly`` if this person may not write to the project."""
        if project_id in self.read_only:
            raise SharedReadOnly

    def discard(self) -> None:
        """Drop the recorded projects, because the transaction was rolled back."""
        self._recorded.clear()

    def publish(self) -> None:
        """Pass the recorded projects to ``listener``, because the transaction was committed."""
        if self._recorded:
            recorded = frozenset(self._recorded)
            self._recorded.clear()
            if self.listener is not None:
                self.listener(recorded)


class Origin:
    """The device that stamps rows, with the clocks that it uses."""

    def __init__(self, device_id: str, clock: Clock, hybrid_clock: HybridClock, watch: LogWatch | None = None) -> None:
        self.device_id = device_id
        self.clock = clock
        self.hybrid_clock = hybrid_clock
        self.watch = watch or LogWatch()

    def now(self) -> int:
        return self.clock.now_ms()

    def stamp(self) -> dict[str, Any]:
        """Return the two columns that every shareable row carries."""
        return {"hlc": self.hybrid_clock.next(), "origin_device": self.device_id}


def write_register(
    conn: Connection,
    origin: Origin,
    table: Table,
    entity: str,
    *,
    project_id: str,
    reg: str,
    values: Mapping[str, Any],
    body: Mapping[str, Any] | None = None,
) -> None:
    """Write columns of one row with a new stamp, and log the change. ``body`` is sent: ``values`` unless given."""
    stamp = origin.stamp()
    conn.execute(table.update().where(table.c.id == entity).values(**values, **stamp))
    log_change(
        conn,
        origin,
        project_id=project_id,
        kind=table.name.removesuffix("s") if table.name != "summaries" else "summary",
        op="edit",
        entity=entity,
        hlc=stamp["hlc"],
        reg=reg,
        body=values if body is None else body,
    )


def log_change(
    conn: Connection,
    origin: Origin,
    *,
    project_id: str,
    kind: str,
    op: str,
    entity: str,
    hlc: int,
    reg: str = CONTENT,
    body: Mapping[str, Any] | None = None,
    knows: Sequence[str] = (),
    is_kept: bool = False,
) -> str:
    """Append one change and make it the only head of its register. Returns its id. ``knows``: the parents of something
    new, see ``known_deletions``. ``is_kept``: also where this person may only read. Raises ``SharedReadOnly``,
    ``SharedNotOwn``."""
    log = log_of(conn, project_id)
    _announce(origin, project_id, log, reg, is_kept=is_kept)
    if op != "new":
        _check_own(conn, project_id, kind, reg, (entity,))
    dseq = conn.exec_driver_sql(
        "UPDATE devices SET next_dseq = next_dseq + 1, last_hlc = max(last_hlc, ?)"
        " WHERE id = ? RETURNING next_dseq - 1",
        (hlc, origin.device_id),
    ).scalar_one()
    change_id = new_id()
    parents = list(knows)
    if op != "new":
        parents = [row[0] for row in conn.exec_driver_sql(HEADS, (entity, reg, kind))]
        if parents:
            conn.exec_driver_sql(DROP_HEAD, [(entity, reg, parent) for parent in parents])
    is_making = log.is_own and (kind, op, reg) == ("thread", "new", CONTENT)
    said = _said(body, project_id if is_making else None)
    row = (change_id, log.id, origin.device_id, dseq, kind, op, entity, reg, json.dumps(parents), hlc, said)
    conn.exec_driver_sql(_INSERT, (*row, _state_of(reg, log), origin.now()))
    conn.exec_driver_sql(ADD_HEAD, (entity, reg, change_id))
    return change_id


def log_threads(
    conn: Connection,
    origin: Origin,
    *,
    op: str,
    reg: str,
    entries: Sequence[tuple[str, str, int, Mapping[str, Any] | None]],
) -> None:
    """Append a change to the same register of many threads, given as (id, project, stamp, body), each one once."""
    if not entries:
        return
    logs = {project_id: log_of(conn, project_id) for project_id in {entry[1] for entry in entries}}
    for project_id, log in logs.items():
        _announce(origin, project_id, log, reg)
        if op != "new":
            _check_own(conn, project_id, "thread", reg, [entry[0] for entry in entries if entry[1] == project_id])
    raw = driver(conn)
    first = _reserve_numbers(raw, origin.device_id, len(entries), max(entry[2] for entry in entries))
    heads = _heads(conn, "thread", [entry[0] for entry in entries], reg)
    now, device = origin.now(), origin.device_id
    ids = [new_id() for _ in entries]
    is_making = (op, reg) == ("new", CONTENT)
    raw.executemany(
        _INSERT,
        [
            (
                ids[place],
                logs[project_id].id,
                device,
                first + place,
                "thread",
                op,
                entity,
                reg,
                json.dumps(heads.get(entity, [])),
                hlc,
                _said(body, project_id if is_making and logs[project_id].is_own else None),
                _state_of(reg, logs[project_id]),
                now,
            )
            for place, (entity, project_id, hlc, body) in enumerate(entries)
        ],
    )
    if heads:
        dropped = [(entity, reg, change_id) for entity, found in heads.items() for change_id in found]
        raw.executemany(DROP_HEAD, dropped)
    raw.executemany(ADD_HEAD, [(entry[0], reg, change) for entry, change in zip(entries, ids, strict=True)])


def known_deletions(conn: Connection, message_id: str | None) -> list[str]:
    """Return the ids of the deletions of a message. A message written below it names them as known, so that it does not
    bring the deleted one back."""
    rows = conn.exec_driver_sql(
        "SELECT c.id FROM register_heads h JOIN changes c ON c.id = h.change_id"
        " WHERE h.entity = ? AND h.reg = ? AND c.kind = 'message' AND c.op = 'del' ORDER BY c.id",
        (message_id, CONTENT),
    )
    return [] if message_id is None else [row[0] for row in rows]


def seen(conn: Connection, origin: Origin, project_id: str) -> dict[str, int]:
    """Return the number (``dseq``) of the newest known change of each device. A deletion covers exactly the changes
    that its author had seen; anything newer brings the deleted thing back."""
    covers = {row[0]: row[1] for row in conn.exec_driver_sql(SEEN, (log_of(conn, project_id).id,))}
    own = conn.exec_driver_sql("SELECT next_dseq - 1 FROM devices WHERE id = ?", (origin.device_id,)).scalar()
    return covers | {origin.device_id: int(own or 0)}


def log_message(
    conn: Connection,
    origin: Origin,
    project_id: str,
    message_id: str,
    *,
    parent_id: str | None,
    is_kept: bool = False,
) -> None:
    """Log the creation of a finished message whose parent is in the log."""
    log_change(
        conn,
        origin,
        project_id=project_id,
        kind="message",
        op="new",
        entity=message_id,
        hlc=origin.hybrid_clock.next(),
        knows=known_deletions(conn, parent_id),
        is_kept=is_kept,
    )


def has_content(conn: Connection, message_id: str) -> bool:
    """Return whether the log has any change of a message's content."""
    said = "SELECT 1 FROM changes WHERE entity = ? AND reg = ? AND kind = 'message' LIMIT 1"
    return conn.exec_driver_sql(said, (message_id, CONTENT)).first() is not None


def can_follow(conn: Connection, parent_id: str | None) -> bool:
    """Return whether a message below ``parent_id`` may be logged now. An answer enters the log when it ends, so what
    is below an unfinished one is logged after it."""
    if parent_id is None:
        return True
    row = conn.exec_driver_sql(
        "SELECT m.status IN ('pending', 'streaming'), count(c.n), coalesce(sum(c.state <> ?), 0) FROM messages m"
        " LEFT JOIN changes c ON c.entity = m.id AND c.reg = ? AND c.kind = 'message' WHERE m.id = ? GROUP BY m.id",
        (_PRIVATE, CONTENT, parent_id),
    ).first()
    if row is None:
        return True
    is_unfinished, said, shared = row
    return bool(shared if is_unfinished else said)


def is_logged(conn: Connection, message_id: str) -> bool:
    """Return whether the log has a change of a message that others may know of."""
    found = conn.exec_driver_sql(
        "SELECT 1 FROM changes WHERE entity = ? AND reg = ? AND kind = 'message' AND state <> ? LIMIT 1",
        (message_id, CONTENT, _PRIVATE),
    )
    return found.first() is not None


def _announce(origin: Origin, project_id: str, log: Log, reg: str, *, is_kept: bool = False) -> None:
    if reg in PERSONAL and not log.is_own:
        return
    if not is_kept:
        origin.watch.check(project_id)
    origin.watch.record(log.id)


def is_anothers(conn: Connection, project_id: str, kind: str, entities: Sequence[str]) -> bool:
    """Return whether any of these entities belongs to another member, in a shared project where this person changes
    only their own. The server would refuse such a change."""
    role = conn.exec_driver_sql(
        "SELECT role FROM shared_projects WHERE project_id = ? AND state <> 'ended'", (project_id,)
    ).scalar()
    if role != "editor" or kind not in ("project", *_TABLES):
        return False
    if kind == "project":
        return True
    for start in range(0, len(entities), 500):
        batch = tuple(entities[start : start + 500])
        others = conn.exec_driver_sql(
            f"SELECT 1 FROM {_TABLES[kind]} WHERE author_id IS NOT NULL"  # noqa: S608 - a name and question marks
            f" AND id IN ({','.join('?' * len(batch))}) LIMIT 1",
            batch,
        )
        if others.first() is not None:
            return True
    return False


def _check_own(conn: Connection, project_id: str, kind: str, reg: str, entities: Sequence[str]) -> None:
    # For an erasure, the authors of the erased changes are checked instead.
    is_everybodys = reg == ERASED or (kind in ("thread", "summary") and reg.startswith("lww."))
    if reg in PERSONAL or is_everybodys or not project_id:
        return
    if is_anothers(conn, project_id, kind, entities):
        raise SharedNotOwn


def _state_of(reg: str, log: Log) -> int:
    return _PRIVATE if reg in PERSONAL and not log.is_own else _PENDING


def _said(body: Mapping[str, Any] | None, made_in: str | None) -> str | None:
    """Return a body as it is stored; ``made_in``: the project of a new thread, in a log that holds several."""
    if made_in is not None:
        body = {**(body or {}), "project_id": made_in}
    return None if body is None else to_json(body)


def _heads(conn: Connection, kind: str, entities: Sequence[str], reg: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for start in range(0, len(entities), 500):
        batch = entities[start : start + 500]
        places = ",".join("?" * len(batch))
        for entity, change_id in driver(conn).execute(
            "SELECT entity, change_id FROM register_heads"  # noqa: S608 - a list of question marks
            f" WHERE entity IN ({places}) AND reg = ? AND {OF_KIND} ORDER BY entity, change_id",
            (*batch, reg, kind, kind),
        ):
            found.setdefault(entity, []).append(change_id)
    return found


def log_new_messages(conn: Connection, origin: Origin, *, project_id: str, entities: Sequence[str]) -> None:
    """Log the creation of many messages at once, in their order."""
    log = log_of(conn, project_id)
    _announce(origin, project_id, log, CONTENT)
    now, device = origin.now(), origin.device_id
    ids = [new_id() for _ in entities]
    stamps = origin.hybrid_clock.several(len(entities))
    raw = driver(conn)
    first = _reserve_numbers(raw, device, len(entities), stamps[-1])
    insert_rows(
        raw,
        "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, at)",
        [
            (ids[place], log.id, device, first + place, "message", "new", entity, CONTENT, "[]", stamps[place], now)
            for place, entity in enumerate(entities)
        ],
    )
    insert_rows(
        raw,
        "INSERT INTO register_heads (entity, reg, change_id)",
        [(entity, CONTENT, change) for entity, change in zip(entities, ids, strict=True)],
    )


def _reserve_numbers(raw: sqlite3.Connection, device: str, count: int, last_hlc: int) -> int:
    """Reserve ``count`` numbers (``dseq``) for changes of this device. Returns the first."""
    ((first,),) = raw.execute(
        "UPDATE devices SET next_dseq = next_dseq + ?, last_hlc = max(last_hlc, ?)"
        " WHERE id = ? RETURNING next_dseq - ?",
        (count, last_hlc, device, count),
    ).fetchall()
    return int(first)
