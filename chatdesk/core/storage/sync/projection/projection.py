"""Applies the log of a shared project to its rows: the columns of a register hold the value of its winning head,
whoever wrote it and in whatever order changes arrived.

Changes of an entity count only in the project that contains the entity.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import tags
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import is_own_log, log_in_sql
from chatdesk.core.storage.engine.plain_text import clean, folded
from chatdesk.core.storage.engine.rows import TAG_MARK, batches, marks
from chatdesk.core.storage.engine.steering import SYSTEM_PROMPT
from chatdesk.core.storage.sync.projection import own_projects, own_values, values
from chatdesk.core.storage.sync.projection.deletes import show_or_hide_messages, show_or_hide_threads
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.projection.summaries import show_or_hide_summary
from chatdesk.core.storage.sync.projection.values import Reader
from chatdesk.core.storage.sync.registers import (
    COUNTS,
    OVERRULED,
    LogRow,
    heads_of,
    made_with,
    member_of,
    read_between,
    update_heads,
    winner,
)
from chatdesk.core.storage.sync.wire.rows import is_id, read_object

# Kind: in which project a row of it is.
_HOMES: Final[Mapping[str, str]] = {
    "thread": "SELECT id, project_id FROM threads WHERE id IN",
    "message": "SELECT m.id, t.project_id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE m.id IN",
    "summary": "SELECT s.id, t.project_id FROM summaries s JOIN threads t ON t.id = s.thread_id WHERE s.id IN",
    "project": "SELECT id, id FROM projects WHERE id IN",
}
_READERS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "thread": values.THREAD,
    "project": values.PROJECT,
    "summary": values.SUMMARY,
}
_TABLES: Final = {"thread": "threads", "project": "projects", "summary": "summaries"}
Register = tuple[str, str, str]  # kind, entity, reg

# Registers that hold a text of a person, and its name in their bodies.
_TEXTS: Final[Mapping[str, str]] = {
    change_log.TITLE: "title",
    change_log.NAME: "name",
    SYSTEM_PROMPT: "system_prompt",
}
# Inserts a copy, once per text; the log's own row stays.
_KEEP_OVERRULED: Final = (
    "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, v, body, state, at,"
    " problem) SELECT ?1, project_id, device, -(SELECT max(n) + 1 FROM changes), kind, op, entity, reg, json_array(id),"
    f" hlc, v, body, {ChangeState.REFUSED.value}, at, '{OVERRULED}' FROM changes c WHERE c.id = ?2 AND NOT EXISTS"
    f" (SELECT 1 FROM changes k WHERE k.problem = '{OVERRULED}' AND k.parents = json_array(c.id))"
)


def homes(raw: sqlite3.Connection, kind: str, entities: Iterable[str]) -> dict[str, str]:
    """Return the log that each of these entities that exist belongs to: its project's."""
    query = _HOMES.get(kind)
    if query is None:
        return {}
    found = {
        row[0]: row[1]
        for batch in batches(sorted(set(entities)))
        for row in raw.execute(f"{query} ({marks(batch)})", batch)
    }
    logs = {each: raw.execute(f"SELECT {log_in_sql('?1')}", (each,)).fetchone()[0] for each in set(found.values())}
    return {entity: logs[project_id] for entity, project_id in found.items()}


def elsewhere(raw: sqlite3.Connection, project_id: str, rows: Sequence[PulledChange]) -> set[str]:
    """Return the ids of changes whose entities belong to another log."""
    is_own = is_own_log(raw, project_id)
    here = {
        kind: homes(raw, kind, [row.entity for row in rows if row.kind == kind]) for kind in {row.kind for row in rows}
    }
    return {
        row.id
        for row in rows
        if here[row.kind].get(row.entity, project_id) != project_id
        or (row.kind == "project" and row.entity != project_id and not is_own)
    }


def project_register(conn: Connection, origin: Origin, kind: str, entity: str, reg: str) -> None:
    """Update the rows of one register, after one of its changes began or ceased to count."""
    raw = driver(conn)
    home = homes(raw, kind, (entity,)).get(entity)
    if home is None:
        return
    effects = Effects(me=member_of(raw, home))
    project_many(conn, origin, home, [(kind, entity, reg)], effects)


def project_many(
    conn: Connection, origin: Origin, project_id: str, registers: Iterable[Register], effects: Effects
) -> None:
    """Update the rows of many registers of one project; entities that do not exist, or are in another project, are
    skipped."""
    raw = driver(conn)
    by_kind: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for kind, entity, reg in registers:
        by_kind[kind].add((entity, reg))
    deleted_messages, threads = set[str](), set[str]()
    tags_of: dict[str, list[str]] = defaultdict(list)
    personal: set[Register] = set()
    for kind in ("project", "thread", "message", "summary"):
        wanted = by_kind.get(kind, set())
        here = homes(raw, kind, [entity for entity, _ in wanted])
        for entity, reg in sorted(wanted):
            if here.get(entity) != project_id:
                continue
            if reg == change_log.CONTENT and kind == "message":
                deleted_messages.add(entity)
            elif reg == change_log.CONTENT and kind == "thread":
                threads.add(entity)
            elif reg == change_log.CONTENT and kind == "summary":
                show_or_hide_summary(raw, origin, project_id, entity, effects)
            elif reg == change_log.CONTENT:
                _project_all(raw, project_id, entity, effects)
            elif kind == "thread" and reg.startswith(change_log.TAG):
                tags_of[entity].append(reg)
            elif reg in change_log.PERSONAL:
                personal.add((kind, entity, reg))
            else:
                _write_columns(raw, project_id, kind, entity, reg, effects)
    for thread_id, regs in tags_of.items():
        _write_tags(raw, origin, project_id, thread_id, regs, effects)
    show_or_hide_messages(conn, origin, project_id, deleted_messages, effects)
    threads |= threads_with_deletions(raw, project_id, _threads_of(raw, by_kind))
    own_values.write(conn, origin, project_id, personal, effects)
    show_or_hide_threads(conn, origin, project_id, threads, effects)
    own_projects.show_or_hide(conn, origin, project_id, by_kind.get("project", ()), effects)


def _threads_of(raw: sqlite3.Connection, by_kind: Mapping[str, set[tuple[str, str]]]) -> set[str]:
    """Return the threads that these registers belong to."""
    found = {entity for entity, _ in by_kind.get("thread", ())}
    for kind, table in (("message", "messages"), ("summary", "summaries")):
        for batch in batches(sorted({entity for entity, _ in by_kind.get(kind, ())})):
            query = f"SELECT DISTINCT thread_id FROM {table} WHERE id IN ({marks(batch)})"
            found |= {row[0] for row in raw.execute(query, batch)}
    return found


def threads_with_deletions(raw: sqlite3.Connection, project_id: str, ids: Iterable[str]) -> set[str]:
    """Return the threads among these that any member has ever deleted."""
    return {
        row[0]
        for batch in batches(sorted(ids))
        for row in raw.execute(
            f"SELECT DISTINCT entity FROM changes WHERE entity IN ({marks(batch)}) AND reg = 'content'"
            f" AND kind = 'thread' AND op = 'del' AND +project_id = ? AND {COUNTS}",
            (*batch, project_id),
        )
    }


def _project_all(raw: sqlite3.Connection, log: str, project_id: str, effects: Effects) -> None:
    update_heads(raw, log, "project", project_id, change_log.CONTENT)
    for reg in values.PROJECT:
        _write_columns(raw, log, "project", project_id, reg, effects)


def _write_columns(
    raw: sqlite3.Connection, project_id: str, kind: str, entity: str, reg: str, effects: Effects
) -> None:
    """Write the value of the shown head, or else of the creation, into the columns of the register."""
    reader = _READERS.get(kind, {}).get(reg)
    _, heads = update_heads(raw, project_id, kind, entity, reg)
    if reader is None:
        if reg.startswith((change_log.FILES, change_log.FILE_TEXT)):
            effects.projects.add(entity)  # ``core/knowledge`` reads these
        return  # else a register of a newer ChatDesk: stored for it
    shown = winner(heads)
    if len(heads) > 1 and shown is not None and reg in _TEXTS:
        _keep_overruled(raw, heads, shown, reg)
    columns: dict[str, Any] = reader(made_with(raw, project_id, kind, entity) if shown is None else shown.values())
    if shown is not None:
        columns |= {"hlc": shown.hlc, "origin_device": shown.device}
    table = _TABLES[kind]
    before = raw.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE id = ?", (entity,)).fetchone()
    if before == tuple(columns.values()):
        return
    raw.execute(
        f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?", (*columns.values(), entity)
    )
    _gather(raw, kind, entity, reg, effects)


def _keep_overruled(raw: sqlite3.Connection, heads: Sequence[LogRow], shown: LogRow, reg: str) -> None:
    """Keep this person's text, among the refused changes, if another member's concurrent text is shown instead."""
    name = _TEXTS[reg]
    for row in heads:
        text = row.values().get(name)
        is_own_text = row.is_mine and row.seq is not None and row.values().get("title_source", "person") == "person"
        if is_own_text and text and text != shown.values().get(name):
            raw.execute(_KEEP_OVERRULED, (new_id(), row.id))


def _gather(raw: sqlite3.Connection, kind: str, entity: str, reg: str, effects: Effects) -> None:
    if kind == "project":
        effects.projects.add(entity)
        return
    thread_id = entity
    if kind == "summary":
        thread_id = raw.execute("SELECT thread_id FROM summaries WHERE id = ?", (entity,)).fetchone()[0]
    effects.threads.add(thread_id)
    if reg in values.CONTEXT:
        effects.contexts.add(thread_id)


# Tags belong to a profile, so what travels is the name. Every member's tag has a register of its own, and several may
# mean one name: the one that the server took last decides, because that order knows what its author had seen.


def tags_in_log(raw: sqlite3.Connection, project_id: str, thread_id: str) -> dict[str, tuple[bool, LogRow, str]]:
    """Return the tags of a thread by folded name: whether it is set, the deciding change, and its register."""
    found: dict[str, tuple[bool, LogRow, str]] = {}
    ends = change_log.TAG, change_log.TAG + "\U0010ffff"
    for reg, rows in read_between(raw, project_id, "thread", thread_id, ends).items():
        shown = winner(heads_of(rows))
        if shown is None:
            continue
        # Taking a tag off may leave its name out.
        name = tag_name(shown.values()) or next((n for row in rows if (n := tag_name(row.values()))), None)
        if name is None:
            continue
        key = folded(name)
        known = found.get(key)
        if known is None or _seen_last(shown) > _seen_last(known[1]):
            found[key] = (shown.values().get("is_on") in (1, True), shown, reg)
    return found


def _seen_last(row: LogRow) -> tuple[int, int, str]:
    return (2**63 if row.seq is None else row.seq), row.hlc, row.id


def tag_name(body: Mapping[str, Any]) -> str | None:
    """Return the tag's name in a body as it is stored here; None if there is none."""
    name = body.get("name")
    if not isinstance(name, str):
        return None
    kept = clean_line(clean(name[: 2 * tags.LONGEST_NAME]).replace(TAG_MARK, " ")).lstrip("#").strip()
    return kept[: tags.LONGEST_NAME].strip() or None


def _write_tags(
    raw: sqlite3.Connection, origin: Origin, project_id: str, thread_id: str, regs: Iterable[str], effects: Effects
) -> None:
    """Update these tags of one thread, all of whose tags are looked through once."""
    named: list[tuple[str, str]] = []
    for reg in regs:
        rows, _ = update_heads(raw, project_id, "thread", thread_id, reg)
        named += [(reg, name) for row in rows if (name := tag_name(row.values()))]
    if not named:
        return
    known = tags_in_log(raw, project_id, thread_id)
    for reg, name in dict.fromkeys(named):
        found = known.get(folded(name))
        is_on = found is not None and found[0]
        tag_id = _local_tag(raw, origin, (found[2] if found is not None else reg), name, is_wanted=is_on)
        if tag_id is None:
            continue
        statement = (
            "INSERT OR IGNORE INTO thread_tags (thread_id, tag_id) VALUES (?, ?)"
            if is_on
            else "DELETE FROM thread_tags WHERE thread_id = ? AND tag_id = ?"
        )
        if raw.execute(statement, (thread_id, tag_id)).rowcount:
            effects.threads.add(thread_id)
            effects.has_tags = True


def remove_erased_tags(
    raw: sqlite3.Connection, project_id: str, thread_id: str, bodies: Iterable[str | None], effects: Effects
) -> None:
    """Take the tags of erased changes off their thread, unless other changes put them there. ``bodies``: the bodies of
    the erased changes. A tag without threads leaves the profile, unless it was made here."""
    known = tags_in_log(raw, project_id, thread_id)
    for body in bodies:
        name = tag_name(read_object(body) or {})
        if name is None or known.get(folded(name), (False,))[0]:
            continue
        tag = raw.execute("SELECT id FROM tags WHERE name_folded = ?", (folded(name),)).fetchone()
        if tag is not None:
            raw.execute("DELETE FROM thread_tags WHERE thread_id = ? AND tag_id = ?", (thread_id, tag[0]))
            raw.execute(
                "DELETE FROM tags WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM thread_tags WHERE tag_id = ?1)"
                " AND NOT EXISTS (SELECT 1 FROM changes WHERE kind = 'tag' AND entity = ?1)",
                (tag[0],),
            )
            effects.has_tags = True


def _local_tag(raw: sqlite3.Connection, origin: Origin, reg: str, name: str, *, is_wanted: bool) -> str | None:
    """Return the id of this profile's tag: first by id, under any name, then by name."""
    wanted = reg.removeprefix(change_log.TAG)
    row = raw.execute("SELECT id FROM tags WHERE id = ?", (wanted,)).fetchone()
    if row is None:
        row = raw.execute("SELECT id FROM tags WHERE name_folded = ?", (folded(name),)).fetchone()
    if row is not None:
        return str(row[0])
    if not is_wanted or not is_id(wanted):
        return None
    stamp = origin.stamp()
    raw.execute(
        "INSERT INTO tags (id, name, name_folded, created_at, hlc, origin_device) VALUES (?, ?, ?, ?, ?, ?)",
        (wanted, name, folded(name), origin.now(), stamp["hlc"], stamp["origin_device"]),
    )
    return wanted
