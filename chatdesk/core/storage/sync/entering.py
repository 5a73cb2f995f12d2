"""Writes the present content of a project into its log: when it is shared, and for threads that are moved into a shared
one.

The ids of these changes are derived from their content, so that a repeated step, or another computer with a copy of the
same project, makes the same changes.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.engine import Connection, Row

from chatdesk.core.domain.library import GONE
from chatdesk.core.domain.sharing.team import ChangeState, ShareState
from chatdesk.core.storage.chat import quoting
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import CONTENT, PERSONAL, Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import is_own_log
from chatdesk.core.storage.engine.plain_text import from_json, to_json
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.entries import THREAD_COLUMNS, Entry, project_entries, thread_entries
from chatdesk.core.storage.sync.registers import COUNTS, OVERRULED

_THREADS_A_STEP: Final = 200
# In ``problem`` of changes that were replaced by entering their thing afresh.
ENTERED: Final = "entered"
_WORDS: Final = ("title", "name", "system_prompt")
_LAST_ID: Final = "~"  # after every id

_PENDING, _PRIVATE = int(ChangeState.PENDING), int(ChangeState.PRIVATE)
PERSONAL_REGS: Final = tuple(sorted(PERSONAL))
# In SQL, with ``PERSONAL_REGS`` bound.
NOT_PERSONAL: Final = f"reg NOT IN ({marks(PERSONAL_REGS)})"

_SUMMARY: Final = (
    "thread_id", "from_message_id", "up_to_message_id", "text", "provider", "model", "prompt_version", "author",
    "pinned_facts", "created_at", "token_count", "message_count", "input_tokens", "output_tokens",
)  # fmt: skip
_UNFINISHED: Final = """
WITH RECURSIVE below(id) AS (
    SELECT id FROM messages WHERE thread_id = ? AND status IN ('pending', 'streaming')
    UNION SELECT m.id FROM below JOIN messages m ON m.parent_id = below.id
)
SELECT id FROM below
"""


@dataclass(frozen=True, slots=True)
class _Share:
    project_id: str
    workspace_id: str
    # Members of a team that has the project already: it brings what they wrote, under their names.
    team: frozenset[str] = frozenset()
    is_own: bool = False  # the log of this person's computers, which holds all private projects

    def id_of(self, entry: Entry) -> str:
        """Return the id of the change: for a creation derived from the entity alone, for any other also from its
        body."""
        said = "" if entry.op == "new" or entry.body is None else to_json(entry.body)
        # A thread and a message of the same id, which only a hostile member makes, are different entities.
        name = "\n".join((self.workspace_id, self.project_id, entry.kind, entry.entity, entry.reg, entry.op, said))
        return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def _share_of(conn: Connection, project_id: str) -> _Share:
    workspace_id, progress = conn.exec_driver_sql(
        "SELECT workspace_id, progress FROM shared_projects WHERE project_id = ?", (project_id,)
    ).one()
    members = conn.exec_driver_sql("SELECT id FROM team_members WHERE workspace_id = ?", (workspace_id,))
    is_own = is_own_log(driver(conn), project_id)
    has_all = bool(from_json(progress).get("joined_seq")) and not is_own
    return _Share(project_id, workspace_id, frozenset(row[0] for row in members) if has_all else frozenset(), is_own)


def log_project(conn: Connection, origin: Origin, project_id: str, *, into: str | None = None) -> None:
    """Write the project itself into its log, or into that of own computers; ``log_batch`` writes its threads. Raises
    ``ProjectNotFound``."""
    share = _share_of(conn, into or project_id)
    quoting.quote_project(conn, project_id, team=share.team)
    entries = project_entries(conn, project_id, is_own=share.is_own)
    _enter(conn, origin, share, "project", _own(conn, share, entries), new=[project_id])
    deleted_at = conn.exec_driver_sql("SELECT deleted_at FROM projects WHERE id = ?", (project_id,)).scalar()
    if share.is_own and deleted_at is not None:
        body = {"covers": change_log.seen(conn, origin, share.project_id), "deleted_at": deleted_at}
        _delete(conn, origin, share, "project", {project_id: body})


def log_batch(conn: Connection, origin: Origin, project_id: str, *, rows: int = 500) -> tuple[int, int] | None:
    """Write about ``rows`` more things into the log. Returns how many were written so far, and how many there were at
    the start; None when all is done."""
    row = conn.exec_driver_sql(
        "SELECT progress, state FROM shared_projects WHERE project_id = ?", (project_id,)
    ).first()
    if row is None or row.state != ShareState.SHARING:
        return None
    share, progress = _share_of(conn, project_id), from_json(row.progress)
    budget = rows
    while budget > 0:
        if "current" not in progress:
            after = progress.get("thread", _LAST_ID)
            following = (
                _next_own_threads(conn, progress.get("projects", []), after)
                if share.is_own
                else _next_threads(conn, project_id, after, until=progress.get("until", 0))
            )
            if not following:
                _finish(conn, share, progress)
                origin.watch.record(project_id)
                return None
            for thread_id in following:
                progress |= {"thread": thread_id, "current": thread_id}
                _enter_thread(conn, origin, share, thread_id)
                budget -= 1 + _enter_content(conn, origin, share, progress, rows=budget - 1)
                if budget <= 0 or "current" in progress:
                    break
        else:
            budget -= max(1, _enter_content(conn, origin, share, progress, rows=budget))
    done = progress["done"] = min(progress.get("done", 0) + rows - max(budget, 0), progress.get("total", 0))
    conn.exec_driver_sql(
        "UPDATE shared_projects SET progress = ? WHERE project_id = ?", (json.dumps(progress), project_id)
    )
    return done, progress.get("total", 0)


def log_threads(conn: Connection, origin: Origin, project_id: str, thread_ids: Sequence[str]) -> None:
    """Write threads that were moved into a shared project into its log, as new ones."""
    share = replace(_share_of(conn, project_id), team=frozenset())
    for thread_id in thread_ids:
        _enter_thread(conn, origin, share, thread_id)
        progress: dict[str, Any] = {"current": thread_id}
        while "current" in progress:
            _enter_content(conn, origin, share, progress, rows=2000)
    origin.watch.record(project_id)


def _next_threads(conn: Connection, project_id: str, after: str, *, until: int) -> list[str]:
    """Return the next threads to write, the newest first. Those that were made since the share began are in the log
    already."""
    return [
        row[0]
        for row in conn.exec_driver_sql(
            f"SELECT id FROM threads t WHERE project_id = ? AND id < ? AND deleted_at IS NOT {GONE}"
            " AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.entity = t.id AND c.kind = 'thread'"
            " AND c.reg = 'content' AND c.op = 'new'"
            f" AND c.project_id = t.project_id AND c.n > ? AND c.state <> {_PRIVATE})"
            " ORDER BY id DESC LIMIT ?",
            (project_id, after, until, _THREADS_A_STEP),
        )
    ]


def _next_own_threads(conn: Connection, project_ids: Sequence[str], after: str) -> list[str]:
    rows = conn.exec_driver_sql(
        f"SELECT id FROM threads WHERE project_id IN ({marks(project_ids)}) AND id < ? AND deleted_at IS NOT {GONE}"
        " ORDER BY id DESC LIMIT ?",
        (*project_ids, after, _THREADS_A_STEP),
    )
    return [row[0] for row in rows]


def _enter_thread(conn: Connection, origin: Origin, share: _Share, thread_id: str) -> None:
    quoting.quote_thread(conn, origin, thread_id, team=share.team)
    row = conn.exec_driver_sql(f"SELECT {THREAD_COLUMNS} FROM threads WHERE id = ?", (thread_id,)).one()
    entries = thread_entries(conn, row, is_own=share.is_own)
    _enter(conn, origin, share, "thread", _own(conn, share, entries), new=[thread_id])


def _own(conn: Connection, share: _Share, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries of a thread or project that the members of the team did not write."""

    def author_of(entry: Entry) -> str | None:
        words = next((str(entry.body[name]) for name in _WORDS if entry.body and name in entry.body), None)
        return quoting.author_of(conn, entry.kind, entry.entity, entry.reg, words)

    return [each for each in entries if not share.team or author_of(each) not in share.team]


def _enter_content(conn: Connection, origin: Origin, share: _Share, progress: dict[str, Any], *, rows: int) -> int:
    """Write the messages of the current thread, those nearer to the root first, then their deletions, then the rest.
    Removes ``current`` from ``progress`` at the end. Returns how many messages were written."""
    thread_id, place, rows = progress["current"], progress.get("place", [-1, ""]), max(rows, 1)
    found: Sequence[Row[Any]] = ()
    if "deleted" not in progress:
        found = conn.exec_driver_sql(
            "SELECT id, position, author_id FROM messages WHERE thread_id = ? AND (position, id) > (?, ?)"
            " ORDER BY position, id LIMIT ?",
            (thread_id, *place, rows),
        ).all()
        # Answers that are still being written, and the messages below them, are logged when these end.
        unfinished = {row[0] for row in conn.exec_driver_sql(_UNFINISHED, (thread_id,))}
        own = [row.id for row in found if row.author_id not in share.team]
        entries = [Entry("message", "new", each) for each in own if each not in unfinished]
        _enter(conn, origin, share, "message", entries, new=own)
        if len(found) == rows:
            progress["place"] = [found[-1].position, found[-1].id]
            return len(found)
        progress["deleted"] = ""
    dead = conn.exec_driver_sql(
        "SELECT id, deleted_with FROM messages WHERE thread_id = ? AND deleted_at IS NOT NULL AND id > ?"
        " AND EXISTS (SELECT 1 FROM changes c WHERE c.entity = messages.id AND c.kind = 'message'"
        f"  AND c.reg = 'content' AND c.op = 'new' AND c.state <> {_PRIVATE}) ORDER BY id LIMIT ?",
        (thread_id, progress["deleted"], rows),
    ).all()
    if dead:
        covers = change_log.seen(conn, origin, share.project_id)
        _delete(
            conn,
            origin,
            share,
            "message",
            {row.id: {"covers": covers, "with": row.deleted_with or row.id} for row in dead},
        )
        progress["deleted"] = dead[-1].id
    if len(dead) < rows:
        _enter_rest(conn, origin, share, thread_id)
        for key in ("current", "place", "deleted"):
            progress.pop(key, None)
    return len(found)


def _enter_rest(conn: Connection, origin: Origin, share: _Share, thread_id: str) -> None:
    """Write the summaries of a thread, and its deletion if it is in the trash."""
    quoting.quote_summaries(conn, thread_id)
    entries, ids = [], []
    for row in conn.exec_driver_sql(
        f"SELECT id, is_off, {', '.join(_SUMMARY)} FROM summaries WHERE thread_id = ? AND deleted_at IS NULL"
        " ORDER BY id",
        (thread_id,),
    ):
        ids.append(row.id)
        entries.append(Entry("summary", "new", row.id, body={name: getattr(row, name) for name in _SUMMARY}))
        if row.is_off:
            entries.append(Entry("summary", "edit", row.id, change_log.SWITCH, {"is_off": True}))
    _enter(conn, origin, share, "summary", entries, new=ids)
    if share.is_own:
        marked = conn.exec_driver_sql(
            "SELECT id, context_mark FROM messages WHERE thread_id = ? AND context_mark <> '' ORDER BY id", (thread_id,)
        )
        entries = [Entry("message", "edit", row[0], change_log.CONTEXT, {"context_mark": row[1]}) for row in marked]
        _enter(conn, origin, share, "message", entries, new=())
    deleted_at = conn.exec_driver_sql("SELECT deleted_at FROM threads WHERE id = ?", (thread_id,)).scalar()
    if deleted_at is not None:
        body = {"covers": change_log.seen(conn, origin, share.project_id), "deleted_at": deleted_at}
        _delete(conn, origin, share, "thread", {thread_id: body})


def _delete(
    conn: Connection, origin: Origin, share: _Share, kind: str, bodies: Mapping[str, Mapping[str, Any]]
) -> None:
    parents = {entity: share.id_of(Entry(kind, "new", entity)) for entity in bodies}
    entries = [Entry(kind, "del", entity, body=body, parents=(parents[entity],)) for entity, body in bodies.items()]
    conn.exec_driver_sql(
        f"DELETE FROM register_heads WHERE entity = ? AND reg = ? AND {change_log.OF_KIND}",
        [(entity, CONTENT, kind, kind) for entity in bodies],
    )
    _enter(conn, origin, share, kind, entries, new=())


def _finish(conn: Connection, share: _Share, progress: Mapping[str, Any]) -> None:
    """Mark the share as complete. The rest of the private project's old log stays private."""
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PRIVATE}, problem = ? WHERE project_id = ? AND state = {_PENDING} AND n <= ?",
        (ENTERED, share.project_id, progress.get("until", 0)),
    )
    kept = {key: progress[key] for key in ("joined_seq", "wish", "doubted") if progress.get(key)}
    conn.exec_driver_sql(
        "UPDATE shared_projects SET state = ?, progress = ? WHERE project_id = ?",
        (ShareState.SHARED.value, json.dumps(kept), share.project_id),
    )


def _replace(conn: Connection, origin: Origin, kind: str, things: Sequence[str]) -> None:
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PRIVATE}, problem = ? WHERE entity = ? AND kind = ? AND state = {_PENDING}",
        [(ENTERED, each, kind) for each in things],
    )
    for batch in batches(things):
        places = marks(batch)
        conn.exec_driver_sql(
            f"DELETE FROM register_heads WHERE entity IN ({places}) AND {NOT_PERSONAL} AND {change_log.OF_KIND}",
            (*batch, *PERSONAL_REGS, kind, kind),
        )
        # These come to the team from this person, even if another team's member wrote them.
        if kind == "thread":
            conn.exec_driver_sql(f"UPDATE threads SET author_id = NULL WHERE id IN ({places})", tuple(batch))
        elif kind == "message":
            quoting.quote_messages(conn, origin, quoting.of_others(conn, batch))
            conn.exec_driver_sql(f"UPDATE messages SET author_id = NULL WHERE id IN ({places})", tuple(batch))


def _enter(
    conn: Connection, origin: Origin, share: _Share, kind: str, entries: Sequence[Entry], *, new: Sequence[str]
) -> None:
    """Write changes of one kind into the log, to be sent. They replace the log's earlier changes of the ``new``
    entities."""
    if new:
        _replace(conn, origin, kind, new)
    if not entries:
        return
    if share.is_own:
        entries = _unknown(conn, share, kind, entries)
        if not entries:
            return
    ids = [share.id_of(entry) for entry in entries]
    # Below are those of before the share, also where these were the newest of all that are made again now.
    newest = conn.exec_driver_sql("SELECT coalesce(max(n), 0) FROM changes").scalar_one()
    # From an earlier share that came to its end: made again.
    conn.exec_driver_sql(f"DELETE FROM changes WHERE id = ? AND state = {_PRIVATE}", [(each,) for each in ids])
    stamps = origin.hybrid_clock.several(len(entries))
    first = conn.exec_driver_sql(
        "UPDATE devices SET next_dseq = next_dseq + ?, last_hlc = max(last_hlc, ?)"
        " WHERE id = ? RETURNING next_dseq - ?",
        (len(entries), stamps[-1], origin.device_id, len(entries)),
    ).scalar_one()
    now = origin.now()
    conn.exec_driver_sql(
        "INSERT OR IGNORE INTO changes"
        " (n, id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, body, state, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                newest + 1 + place,
                ids[place],
                share.project_id,
                origin.device_id,
                first + place,
                entry.kind,
                entry.op,
                entry.entity,
                entry.reg,
                json.dumps(entry.parents),
                stamps[place],
                None if entry.body is None else to_json(entry.body),
                _PENDING,
                now,
            )
            for place, entry in enumerate(entries)
        ],
    )
    conn.exec_driver_sql(
        "INSERT OR IGNORE INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)",
        [(entry.entity, entry.reg, change_id) for entry, change_id in zip(entries, ids, strict=True)],
    )


def _unknown(conn: Connection, share: _Share, kind: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries without those that make what the log has already."""
    new = [each.entity for each in entries if each.op == "new"]
    known = {
        row[0]
        for batch in batches(new)
        for row in conn.exec_driver_sql(
            f"SELECT entity FROM changes WHERE entity IN ({marks(batch)}) AND reg = '{CONTENT}' AND op = 'new'"
            f" AND kind = ? AND +project_id = ? AND {COUNTS}",
            (*batch, kind, share.project_id),
        )
    }
    return [each for each in entries if each.op != "new" or each.entity not in known]


def forget_before(raw: sqlite3.Connection, kind: str, entity: str, reg: str) -> None:
    """Remove the words of the log from before the share, and of texts that others' took the place of, of one register,
    or with ``CONTENT`` of the whole entity."""
    raw.execute(
        f"UPDATE changes SET body = NULL WHERE entity = ? AND kind = ? AND state = {_PRIVATE} AND problem = ?"
        " AND (reg = ? OR ? = ?)",
        (entity, kind, ENTERED, reg, reg, CONTENT),
    )
    raw.execute(
        "DELETE FROM changes WHERE entity = ? AND kind = ? AND problem = ? AND (reg = ? OR ? = ?)",
        (entity, kind, OVERRULED, reg, reg, CONTENT),
    )
