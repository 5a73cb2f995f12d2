"""Erases content for everybody: the text of a shared project leaves the server and every computer that syncs.

**An erasure is a change.** It belongs to a thread, is a ``del`` in the register ``erased``, and its body names the
changes of the log whose text is to be removed: ``{"changes": [ids]}``, at most ``MOST_IN_ONE``. So it waits while the
server cannot be reached, is refused or accepted as any other change, is pulled by every computer, and is sent again by
its author after a restore of the server. It covers exactly the changes that its author had: later ones stay.

**Permissions.** Every member who may write may erase their own changes, and summaries that a model made. Admins and
owners may erase everything. The server checks each named change, and accepts all of an erasure or none of it.

**The remains.** The server replaces each body by its *stub* (``stub`` here, ``cd.stub`` there): a message keeps its
position and role, a thread its time of creation, others nothing. The digest of the former body stays in the row, so the
chain over the log remains valid; files that no other change names are removed.

**On arrival** a computer does the same to its copy of the log, and empties the rows: a message becomes a tombstone that
keeps the messages below in place, a summary is removed, a title or prompt is emptied. Nothing is removed before the
server accepted the erasure, so a refused one changes nothing.

**Nothing comes back.** After a restore of the server a computer sends stubs with their digests for its member's erased
changes, and repeats erasures that only others had requested (``erasures_in_log.py``); it keeps no text that an older
backup of the server has. The server accepts a stub only if an erasure in the log names it. It remembers changes named
before they arrived: if their author still sends the text, it stores the stub.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ChangeState, Erasure, TeamRole
from chatdesk.core.storage.chat import token_counts, trash
from chatdesk.core.storage.engine import change_log, search_index
from chatdesk.core.storage.engine.change_log import ERASED, Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import log_in_sql
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.entering import forget_before
from chatdesk.core.storage.sync.projection import deletes, projection, values
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.projection.projection import Register, homes
from chatdesk.core.storage.sync.registers import member_of
from chatdesk.core.storage.sync.wire import bodies
from chatdesk.core.storage.sync.wire.rows import is_id, read_object

# Changes that one erasure names.
MOST_IN_ONE: Final = 500
_WORD: Final = re.compile("[a-z]{1,16}")
_LONGEST_MOMENT: Final = 16
_MOST_TOKENS: Final = 1_000_000_000
_CONFIRMED, _ORPHANED = ChangeState.CONFIRMED.value, ChangeState.ORPHANED.value
ON_SERVER: Final = f"{_CONFIRMED}, {_ORPHANED}, {ChangeState.ACKNOWLEDGED.value}, {ChangeState.PENDING.value}"
_HAS_WORDS: Final = f"(c.op = 'new' OR c.reg NOT IN ('{change_log.CONTENT}', '{ERASED}'))"
_PERSONAL: Final = ", ".join(f"'{reg}'" for reg in sorted(change_log.PERSONAL))
# By kind, so that each goes by its own index.
_OF_THREAD: Final = " UNION ALL ".join(
    "SELECT c.id, c.kind, c.op, c.body, c.author, c.mine, c.n FROM changes c WHERE +c.project_id = ?1 AND c.erased = 0"
    f" AND c.kind = '{kind}' AND {_HAS_WORDS} AND c.reg NOT IN ({_PERSONAL}) AND c.state IN ({ON_SERVER})"
    f" AND c.entity IN ({source})"
    for kind, source in (
        ("thread", "SELECT ?2"),
        ("message", "SELECT id FROM messages WHERE thread_id = ?2"),
        ("summary", "SELECT id FROM summaries WHERE thread_id = ?2"),
    )
)


def named(body: str | None) -> list[str]:
    """Return the ids of the changes that an erasure names, whatever its body holds."""
    value = (read_object(body) or {}).get("changes")
    return [each for each in value[:MOST_IN_ONE] if is_id(each)] if isinstance(value, list) else []


def erasable(conn: Connection, thread_id: str, message_id: str | None) -> Erasure | None:
    """Return how far this person may erase a thread, or one of its messages; None if its log is not shared."""
    row = conn.exec_driver_sql(
        "SELECT s.role, w.member_id FROM threads t JOIN shared_projects s"
        f" ON s.project_id = {log_in_sql('t.project_id')}"
        " JOIN workspaces w ON w.id = s.workspace_id WHERE t.id = ? AND s.state <> 'ended'",
        (thread_id,),
    ).first()
    if row is None:
        return None
    role = TeamRole(row[0])
    mine, others = conn.exec_driver_sql(
        "SELECT coalesce(sum(m.author_id IS NULL), 0), coalesce(sum(m.author_id IS NOT NULL), 0) FROM messages m"
        " WHERE m.thread_id = ? AND m.purged_at IS NULL AND (? IS NULL OR m.id = ?)"
        " AND m.status NOT IN ('pending', 'streaming')",
        (thread_id, message_id, message_id),
    ).one()
    return Erasure(mine + others, 0) if role.can_manage else Erasure(mine, others, may_write=role.can_write)


def ask_for_thread(conn: Connection, origin: Origin, thread_id: str) -> int:
    """Request the erasure of a thread's content for everybody, as far as this person may. Returns the number of
    changes."""
    project_id = _project_of(conn, thread_id)
    return _ask(conn, origin, project_id, thread_id, driver(conn).execute(_OF_THREAD, (project_id, thread_id)))


def ask_for_messages(conn: Connection, origin: Origin, thread_id: str, message_ids: Sequence[str]) -> int:
    """Request the erasure of single messages of a thread, and of the summaries that cover them. Returns the number of
    changes."""
    project_id = _project_of(conn, thread_id)
    wanted = set(message_ids) | set(_summaries_over(conn, thread_id, message_ids))
    rows = [
        row
        for batch in batches(sorted(wanted))
        for row in driver(conn).execute(
            "SELECT c.id, c.kind, c.op, c.body, c.author, c.mine, c.n FROM changes c WHERE +c.project_id = ?"
            f" AND c.erased = 0 AND {_HAS_WORDS} AND c.state IN ({ON_SERVER}) AND c.entity IN ({marks(batch)})",
            (project_id, *batch),
        )
    ]
    return _ask(conn, origin, project_id, thread_id, rows)


def ask_for_changes(
    conn: Connection, origin: Origin, project_id: str, thread_id: str, change_ids: Sequence[str]
) -> None:
    """Log the erasure of these changes of one thread."""
    for start in range(0, len(change_ids), MOST_IN_ONE):
        change_log.log_change(
            conn,
            origin,
            project_id=project_id,
            kind="thread",
            op="del",
            entity=thread_id,
            reg=ERASED,
            hlc=origin.hybrid_clock.next(),
            body={"changes": list(change_ids[start : start + MOST_IN_ONE])},
        )


def _ask(conn: Connection, origin: Origin, project_id: str, thread_id: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """Request the erasure of those changes that this person may erase. ``rows``: (change, kind, op, body, author, mine,
    n)."""
    role = conn.exec_driver_sql("SELECT role FROM shared_projects WHERE project_id = ?", (project_id,)).scalar_one()
    me = member_of(driver(conn), project_id)
    may_all = TeamRole(role).can_manage
    ids = [
        row[0]
        for row in sorted(rows, key=lambda row: row[6])
        if may_all or (row[5] and row[4] is None) or row[4] == me or _is_made_by_model(row[1], row[3])
    ]
    if ids:
        ask_for_changes(conn, origin, project_id, thread_id, ids)
    return len(ids)


def _is_made_by_model(kind: str, body: str | None) -> bool:
    return kind == "summary" and (read_object(body) or {}).get("author") == "model"


def _summaries_over(conn: Connection, thread_id: str, message_ids: Sequence[str]) -> list[str]:
    """Return the summaries of the thread whose range of positions contains one of these messages."""
    return [
        row[0]
        for batch in batches(list(message_ids))
        for row in conn.exec_driver_sql(
            "SELECT DISTINCT s.id FROM summaries s JOIN messages first ON first.id = s.from_message_id"
            " JOIN messages last ON last.id = s.up_to_message_id JOIN messages m ON m.thread_id = s.thread_id"
            f" WHERE s.thread_id = ? AND m.id IN ({marks(batch)}) AND m.position BETWEEN first.position"
            " AND last.position",
            (thread_id, *batch),
        )
    ]


def _project_of(conn: Connection, thread_id: str) -> str:
    log = f"SELECT {log_in_sql('threads.project_id')} FROM threads WHERE id = ?"
    return str(conn.exec_driver_sql(log, (thread_id,)).scalar_one())


# The parts of an erased entity that stay.


_KEPT: Final[Mapping[str, Mapping[str, Callable[[object], bool]]]] = {
    "thread": {
        "created_at": lambda value: is_number(value) and len(str(value)) <= _LONGEST_MOMENT,
        "project_id": is_id,
    },
    "summary": {"thread_id": is_id},
    "message": {
        "thread_id": is_id,
        "parent_id": is_id,
        "role": lambda value: isinstance(value, str) and _WORD.fullmatch(value) is not None,
        "status": lambda value: isinstance(value, str) and _WORD.fullmatch(value) is not None,
        "created_at": lambda value: is_number(value) and len(str(value)) <= _LONGEST_MOMENT,
        **{
            name: lambda value: is_number(value) and 0 < int(str(value)) <= _MOST_TOKENS
            for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
        },
    },
}


def stub(kind: str, op: str, body: str | None) -> str | None:
    """Return the remainder of an erased body, as ``cd.stub`` makes it: of a message its position, role and token
    counts; of a thread its time of creation. Nothing is kept that could be text."""
    if op != "new" or kind not in _KEPT:
        return None
    value = read_object(body) or {}
    kept = {name: value[name] for name, is_harmless in _KEPT[kind].items() if is_harmless(value.get(name))}
    return json.dumps({**kept, "is_purged": True} if kind == "message" else kept)


def is_number(value: object) -> bool:
    """Return whether this is a whole number that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


# Doing it, as the log of the server says.

# An erased summary, or a message that waited only for other rows, stops waiting.
_SET_ERASED: Final = (
    "UPDATE changes SET body = ?, erased = 1,"
    f" problem = CASE WHEN problem LIKE 'waits:%' AND ({{is_here}}) THEN NULL ELSE problem END,"
    f" state = CASE WHEN state = {_ORPHANED} AND seq IS NOT NULL AND ({{is_here}}) THEN {_CONFIRMED} ELSE state END"
    " WHERE id = ?"
).format(
    # A row that waits for its own entity belongs to a message that is still being written here.
    is_here="kind = 'summary' OR (problem <> 'waits:' || entity"
    " AND EXISTS (SELECT 1 FROM messages m WHERE m.id = changes.entity))"
)


def erase(
    conn: Connection, origin: Origin, project_id: str, change_ids: Iterable[str], effects: Effects
) -> set[Register]:
    """Remove the text of those of these changes that are stored here and not erased yet. Returns the registers to be
    projected."""
    raw = driver(conn)
    rows = [
        row
        for batch in batches(sorted(set(change_ids)))
        for row in raw.execute(
            # Without a digest the server never had it: it will enter a stub, and that comes back.
            "SELECT id, kind, op, entity, reg, body FROM changes WHERE +project_id = ? AND digest IS NOT NULL"
            f" AND erased = 0 AND state IN ({ON_SERVER}) AND {_HAS_WORDS.replace('c.', '')}"
            f" AND id IN ({marks(batch)})",
            (project_id, *batch),
        )
    ]
    unlogged = _unlogged(raw, project_id, change_ids, effects.me)
    if not (rows or unlogged):
        return set()
    search_index.mark_erased(raw)
    ids = {row[0] for row in rows}
    # An entity with an id of another project was never stored in its place, and its erasure must not touch that one.
    messages, summaries = (_here(raw, project_id, kind, rows) for kind in ("message", "summary"))
    texts = {key: text for key, (text, _) in bodies.message_texts(conn, sorted(messages)).items()}
    others = [each for each in messages if not _is_own(raw, each, ids)]
    registers = empty_messages(conn, origin, [*others, *unlogged], effects)
    for change_id, kind, op, entity, reg, body in rows:
        left = stub(kind, op, texts.get(entity) if body is None else body)
        if entity in summaries:
            _drop_summary(raw, entity, effects)
        if kind == "thread":
            effects.threads.add(entity)  # this change may be the only reason why the thread is shown
            if op == "new":
                # Registers that no later change set still hold the values of the creation.
                registers.update((kind, entity, each) for each in values.THREAD)
        if kind != "message" or op != "new":
            registers.add((kind, entity, reg))
        raw.execute(_SET_ERASED, (left, change_id))
        forget_before(raw, kind, entity, reg)
    tags: dict[str, list[str | None]] = defaultdict(list)
    for _, kind, _, entity, reg, body in rows:
        if kind == "thread" and reg.startswith(change_log.TAG):
            tags[entity].append(body)
    for thread_id, erased_bodies in tags.items():
        projection.remove_erased_tags(raw, project_id, thread_id, erased_bodies, effects)
    return registers


def _unlogged(raw: sqlite3.Connection, project_id: str, change_ids: Iterable[str], me: str | None) -> list[str]:
    """Return messages that are here although their change came erased: own questions below an answer that is still
    being written here, which a copy of this profile sent, and others' in a profile that lost its log."""
    return [
        row[0]
        for batch in batches(sorted(set(change_ids)))
        for row in raw.execute(
            "SELECT m.id FROM changes c JOIN messages m ON m.id = c.entity JOIN threads t ON t.id = m.thread_id"
            f" WHERE +c.project_id = ?1 AND {log_in_sql('t.project_id')} = ?1 AND c.erased = 1 AND c.kind = 'message'"
            " AND c.op = 'new'"
            " AND (m.author_id = c.author OR (c.author = ?2 AND m.author_id IS NULL AND m.role = 'user'))"
            f" AND m.purged_at IS NULL AND c.id IN ({marks(batch)})",
            (project_id, me, *batch),
        )
        if not _is_own(raw, row[0], set())
    ]


def _here(raw: sqlite3.Connection, project_id: str, kind: str, rows: Sequence[tuple[Any, ...]]) -> set[str]:
    """Return the entities of this kind that these changes make and that are in this project."""
    made = [row[3] for row in rows if (row[1], row[2]) == (kind, "new")]
    return {entity for entity, home in homes(raw, kind, made).items() if home == project_id}


def _is_own(raw: sqlite3.Connection, message_id: str, erased: set[str]) -> bool:
    """Return whether this id holds text that only this person has: a copy of the profile gave the same id to other
    text."""
    return any(
        row[0] not in erased
        for row in raw.execute(
            "SELECT id FROM changes WHERE entity = ? AND reg = 'content' AND op = 'new' AND mine = 1"
            f" AND state IN ({ChangeState.PENDING.value}, {ChangeState.REFUSED.value})",
            (message_id,),
        )
    )


def empty_messages(conn: Connection, origin: Origin, message_ids: Sequence[str], effects: Effects) -> set[Register]:
    """Remove the content of these messages and keep only their positions. Returns the registers to be projected: a
    message above may be hidden or shown because of them."""
    shown: dict[str, dict[str, str]] = defaultdict(dict)
    registers: set[Register] = set()
    here = []
    for batch in batches(sorted(set(message_ids))):
        for message_id, thread_id, parent_id, deleted_at in conn.exec_driver_sql(
            "SELECT id, thread_id, parent_id, deleted_at FROM messages WHERE purged_at IS NULL"
            f" AND status NOT IN ('pending', 'streaming') AND id IN ({marks(batch)})",
            tuple(batch),
        ):
            here.append(message_id)
            if deleted_at is None:
                shown[thread_id][message_id] = message_id
            if parent_id is not None:
                registers.add(("message", parent_id, change_log.CONTENT))
            effects.threads.add(thread_id)
            effects.contexts.add(thread_id)
    for thread_id, gone in shown.items():
        deletes.hide(conn, origin, thread_id, gone, effects)
    for message_id in here:
        token_counts.forget(conn, message_id)
    trash.empty_messages(conn, here, origin.now())
    return registers


def _drop_summary(raw: sqlite3.Connection, summary_id: str, effects: Effects) -> None:
    row = raw.execute("DELETE FROM summaries WHERE id = ? RETURNING thread_id", (summary_id,)).fetchone()
    if row is not None:
        effects.threads.add(row[0])
        effects.contexts.add(row[0])
