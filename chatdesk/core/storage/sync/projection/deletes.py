"""Applies deletions: each hides exactly what its author had seen, and anything newer brings back the thing that
contains it.

A thread is hidden if it was deleted, not restored, and every change of it and of its content is covered by a deletion,
or was erased since. A message is hidden if it was deleted, not restored, and every message below it has an author who
knew of the deletion: an author knows what their own device did before, and what the change names as parent.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import heapq
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from chatdesk.core.domain.summary import StaleReason
from chatdesk.core.storage.chat import projects, shown_path, summaries, thread_counters
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import is_own_log, log_in_sql
from chatdesk.core.storage.engine.plain_text import json_value, to_json
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync import registers
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.registers import COUNTS, DELETE, LogRow, log_row, update_heads
from chatdesk.core.storage.sync.wire.rows import is_id

# Codes of ``team_notes``.
THREAD_BACK, MESSAGE_BACK = "thread_back", "message_back"

_DELETED = f"SELECT deleted_at, project_id FROM threads WHERE id = ? AND {log_in_sql('threads.project_id')} = ?"
_PERSONAL = ", ".join(f"'{reg}'" for reg in sorted(change_log.PERSONAL))
_COUNTED = "c." + COUNTS
_CHILDREN = (
    "SELECT m.id, m.deleted_at, c.id, c.device, c.dseq, c.kind, c.op, c.parents, c.hlc, c.body, c.seq, c.author, c.mine"
    " FROM messages m JOIN changes c ON c.entity = m.id AND c.reg = 'content' AND c.op = 'new' AND c.kind = 'message'"
    f" AND +c.project_id = ? AND {_COUNTED} WHERE m.parent_id = ?"
)
_OF_THREAD = (
    "SELECT c.device, c.dseq, c.author FROM changes c WHERE +c.project_id = ? AND c.op <> 'del'"
    f" AND c.erased = 0 AND c.reg NOT IN ({_PERSONAL}) AND {_COUNTED}"
    " AND (c.problem IS NULL OR c.problem NOT LIKE 'foreign: %')"
)
# Written out for each source, so that each uses its own index. A change of another kind than its entity is invalid.
_WRITTEN = " UNION ALL ".join(
    f"{_OF_THREAD} AND c.kind = '{kind}' AND c.entity IN ({source})"
    for kind, source in (
        ("thread", "SELECT ?"),
        ("message", "SELECT id FROM messages WHERE thread_id = ?"),
        ("summary", "SELECT id FROM summaries WHERE thread_id = ?"),
    )
)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The decision to hide or show. If something was deleted and is shown: by which deletion, and the author who
    brought it back."""

    is_hidden: bool
    deletion: LogRow | None = None
    author: str | None = None


def show_or_hide_threads(
    conn: Connection, origin: Origin, project_id: str, ids: Iterable[str], effects: Effects
) -> None:
    """Hide and show threads of one project according to the log."""
    raw = driver(conn)
    has_changed: set[str] = set()
    is_own = is_own_log(raw, project_id)
    for thread_id in sorted(ids):
        row = raw.execute(_DELETED, (thread_id, project_id))
        found = row.fetchone()
        if found is None:
            continue
        verdict = _thread_verdict(raw, project_id, thread_id)
        if verdict.deletion is not None:
            _add_note_of_deletion(raw, origin, thread_id, THREAD_BACK, verdict, effects)
        if verdict.is_hidden is (found[0] is not None):
            continue
        # The moment of its coming, so that it stays in the trash for as long as anything else. On all computers of one
        # person it is that of the deletion, by which the threads of a project come back together.
        gone_at = _moment(raw, origin, project_id, thread_id, is_own=is_own) if verdict.is_hidden else None
        raw.execute("UPDATE threads SET deleted_at = ? WHERE id = ?", (gone_at, thread_id))
        effects.threads.add(thread_id)
        has_changed.add(found[1])
    for each in sorted(has_changed):
        projects.refresh_last_chat(conn, each)


def _moment(raw: sqlite3.Connection, origin: Origin, log: str, thread_id: str, *, is_own: bool) -> int:
    return registers.deleted_at(_deletions(raw, log, "thread", thread_id), origin.now()) if is_own else origin.now()


def _thread_verdict(raw: sqlite3.Connection, project_id: str, thread_id: str) -> _Verdict:
    deletions = _deletions(raw, project_id, "thread", thread_id)
    if not deletions:
        return _Verdict(is_hidden=False)
    covered: dict[str, int] = {}
    for row in deletions:
        for device, dseq in row.covers().items():
            covered[device] = max(dseq, covered.get(device, -1))
    values = (project_id, thread_id) * 3
    for device, dseq, author in raw.execute(_WRITTEN, values):
        if dseq > covered.get(device, -1):
            return _Verdict(is_hidden=False, deletion=max(deletions, key=lambda row: row.id), author=author)
    return _Verdict(is_hidden=True)


def _deletions(raw: sqlite3.Connection, project_id: str, kind: str, entity: str) -> list[LogRow]:
    """Return the deletions among the heads; none if a member restored the entity beside them."""
    _, heads = update_heads(raw, project_id, kind, entity, change_log.CONTENT)
    deletions = [row for row in heads if row.op == DELETE]
    # Creation always precedes deletion, so only an edit counts as a reply to it.
    return [] if any(row.op == "edit" for row in heads) else deletions


def show_or_hide_messages(
    conn: Connection, origin: Origin, project_id: str, ids: Iterable[str], effects: Effects
) -> None:
    """Hide and show messages of one project according to the log. Lower messages come first, because a message is shown
    if one below it is."""
    raw = driver(conn)
    queue: list[tuple[int, str]] = []
    seen: set[str] = set()

    def want(batch: Iterable[str]) -> None:
        fresh = [each for each in batch if each not in seen]
        seen.update(fresh)
        for some in batches(fresh):
            for message_id, position, purged_at in raw.execute(
                "SELECT m.id, m.position, m.purged_at FROM messages m JOIN threads t ON t.id = m.thread_id"
                f" WHERE m.id IN ({marks(some)}) AND {log_in_sql('t.project_id')} = ?",
                (*some, project_id),
            ).fetchall():
                if purged_at is None:
                    heapq.heappush(queue, (-position, message_id))
                else:  # purged: no text is left to show
                    update_heads(raw, project_id, "message", message_id, change_log.CONTENT)

    touched = set(ids)
    want(touched)
    is_hidden: dict[str, bool] = {}
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    shown: dict[str, list[str]] = defaultdict(list)
    while queue:
        _, message_id = heapq.heappop(queue)
        thread_id, parent_id, deleted_at, is_parent_hidden = raw.execute(
            "SELECT m.thread_id, m.parent_id, m.deleted_at, p.deleted_at IS NOT NULL FROM messages m"
            " LEFT JOIN messages p ON p.id = m.parent_id WHERE m.id = ?",
            (message_id,),
        ).fetchone()
        deletions = _deletions(raw, project_id, "message", message_id)
        verdict = _message_verdict(raw, project_id, message_id, deletions, is_hidden)
        if verdict.deletion is not None:
            _add_note_of_deletion(raw, origin, thread_id, MESSAGE_BACK, verdict, effects, message_id=message_id)
        has_changed = verdict.is_hidden is not (deleted_at is not None)
        # Its state changed, or the change log names it: its parent may not have been informed.
        # One above that is hidden stays so, whatever else below it is hidden.
        is_told = has_changed or message_id in touched
        if parent_id is not None and is_told and not (verdict.is_hidden and is_parent_hidden):
            want((parent_id,))
        if not has_changed:
            continue
        is_hidden[message_id] = verdict.is_hidden
        if verdict.is_hidden:
            groups[thread_id][message_id] = _together(deletions, message_id)
        else:
            shown[thread_id].append(message_id)
    for thread_id, back in shown.items():
        _show(conn, origin, thread_id, back, effects)
    for thread_id, gone in groups.items():
        hide(conn, origin, thread_id, gone, effects)


def _message_verdict(
    raw: sqlite3.Connection,
    project_id: str,
    message_id: str,
    deletions: Sequence[LogRow],
    is_hidden: Mapping[str, bool],
) -> _Verdict:
    if not deletions:
        return _Verdict(is_hidden=False)
    covers = [(row, row.covers()) for row in deletions]
    for child_id, deleted_at, *columns in raw.execute(_CHILDREN, (project_id, message_id)):
        child = log_row(columns)
        if is_hidden.get(child_id, deleted_at is not None):
            continue
        if not any(_knew(child, row, seen) for row, seen in covers):
            return _Verdict(is_hidden=False, deletion=max(deletions, key=lambda row: row.id), author=child.author)
    return _Verdict(is_hidden=True)


def _knew(child: LogRow, deletion: LogRow, seen: Mapping[str, int]) -> bool:
    """Return whether a deletion covers a message, or the message's author knew of the deletion."""
    return (
        child.dseq <= seen.get(child.device, -1)
        or deletion.id in child.parents
        or (child.device == deletion.device and child.dseq > deletion.dseq)
    )


def _together(deletions: Sequence[LogRow], message_id: str) -> str:
    """Return the id of the message with which this one was deleted, and is restored."""
    top = max(deletions, key=lambda row: row.id).values().get("with")
    return str(top) if is_id(top) else message_id


def hide(conn: Connection, origin: Origin, thread_id: str, gone: Mapping[str, str], effects: Effects) -> None:
    """Remove messages of one thread from the shown ones; ``gone``: by id, the message that each was deleted with."""
    raw, ids = driver(conn), list(gone)
    tally = thread_counters.of_messages(conn, ids)
    hidden, top = _mark_summaries(conn, thread_id, ids)
    now = origin.now()
    raw.executemany(
        "UPDATE messages SET deleted_at = ?, deleted_with = ? WHERE id = ?",
        [(now, gone[message_id], message_id) for message_id in ids],
    )
    thread_counters.count_in(conn, thread_id, tally, -1, hidden)
    if top is not None:
        sibling = _nearest_version(conn, top)
        if sibling is not None:
            shown_path.show(conn, sibling)
    _after(conn, thread_id, effects)


def _show(conn: Connection, origin: Origin, thread_id: str, back: Sequence[str], effects: Effects) -> None:
    raw = driver(conn)
    shown, _ = _mark_summaries(conn, thread_id, back)
    raw.executemany(
        "UPDATE messages SET deleted_at = NULL, deleted_with = NULL WHERE id = ?", [(each,) for each in back]
    )
    thread_counters.count_in(conn, thread_id, thread_counters.of_messages(conn, back), 1, shown)
    _after(conn, thread_id, effects)


def _after(conn: Connection, thread_id: str, effects: Effects) -> None:
    shown_path.refresh_end(conn, thread_id)
    effects.threads.add(thread_id)
    effects.paths.add(thread_id)
    effects.contexts.add(thread_id)


def _mark_summaries(conn: Connection, thread_id: str, ids: Sequence[str]) -> tuple[int, shown_path.Node | None]:
    """Mark the summaries that cover these messages as outdated. Returns how many of the messages are on the path, and
    the topmost of those."""
    shown, top = 0, None
    for batch in batches(ids):
        for is_on_path, count, first, last in conn.exec_driver_sql(
            "SELECT on_path, count(*), min(position), max(position) FROM messages"
            f" WHERE id IN ({marks(batch)}) GROUP BY on_path",
            tuple(batch),
        ):
            summaries.mark_range_stale(
                conn, thread_id, StaleReason.DELETED, is_on_path=bool(is_on_path), first=first, last=last
            )
            if is_on_path:
                shown += count
                top = first if top is None else min(top, first)
    if top is None:
        return shown, None
    return shown, shown_path.find_place(conn, thread_id, top)


def _nearest_version(conn: Connection, node: shown_path.Node) -> shown_path.Node | None:
    """Return the live version before ``node``, else the one after it."""
    place = "parent_id = ?" if node.parent_id is not None else "thread_id = ? AND parent_id IS NULL"
    for order in ("id < ? ORDER BY id DESC", "id > ? ORDER BY id"):
        found = conn.exec_driver_sql(
            f"SELECT id FROM messages WHERE {place} AND role = ? AND deleted_at IS NULL AND {order} LIMIT 1",
            (node.parent_id or node.thread_id, node.role, node.id),
        ).scalar()
        if found is not None:
            return shown_path.find_node(conn, found)
    return None


def _add_note_of_deletion(
    raw: sqlite3.Connection,
    origin: Origin,
    thread_id: str,
    code: str,
    verdict: _Verdict,
    effects: Effects,
    **more: str,
) -> None:
    deletion = verdict.deletion
    assert deletion is not None  # asked for only then
    details = {
        "del": deletion.id,
        "deleted_by": deletion.author or effects.me,
        "by": verdict.author or effects.me,
        **more,
    }
    add_note(raw, origin, thread_id, code, details, effects)


def add_note(
    raw: sqlite3.Connection,
    origin: Origin,
    thread_id: str,
    code: str,
    details: Mapping[str, str | None],
    effects: Effects,
) -> None:
    """Store a note for the person, once for each event."""
    if effects.is_quiet:
        return
    # A revival is noted once for each deletion, even if several members wrote below it.
    known = raw.execute(
        f"SELECT 1 FROM team_notes WHERE thread_id = ? AND code = ? AND {json_value('details', 'del')} IS ?"
        f" AND {json_value('details', 'message_id')} IS ? AND {json_value('details', 'by')} IS coalesce(?,"
        f" {json_value('details', 'by')})",
        (
            thread_id,
            code,
            details.get("del"),
            details.get("message_id"),
            None if details.get("del") is not None else details.get("by"),
        ),
    ).fetchone()
    if known is None:
        raw.execute(
            "INSERT INTO team_notes (at, thread_id, code, details) VALUES (?, ?, ?, ?)",
            (origin.now(), thread_id, code, to_json(details)),
        )
        effects.notes.append(thread_id)
