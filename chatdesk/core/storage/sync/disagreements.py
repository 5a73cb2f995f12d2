"""Texts that two members changed at once: both are kept, one is shown, and a person may choose."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import Disagreement
from chatdesk.core.errors import NotFound
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.steering import SYSTEM_PROMPT
from chatdesk.core.storage.sync.projection.projection import homes, project_register
from chatdesk.core.storage.sync.registers import LogRow, member_of, read, update_heads, winner
from chatdesk.core.texts import Text

_SEVERAL = (
    "SELECT c.kind, h.entity, h.reg FROM register_heads h JOIN changes c ON c.id = h.change_id"
    " WHERE h.reg <> 'content' AND h.reg NOT LIKE 'lww.%' GROUP BY c.kind, h.entity, h.reg HAVING count(*) > 1"
)
# Register: what a person calls it, and which value of its body is the text.
_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    change_log.TITLE: (Text("Title"), "title"),
    change_log.NAME: (Text("Name"), "name"),
    SYSTEM_PROMPT: (Text("System prompt"), "system_prompt"),
}


def disagreements(conn: Connection, project_id: str) -> list[Disagreement]:
    """Return the registers of a project that have several versions with different texts."""
    raw = driver(conn)
    me = member_of(raw, project_id)
    found = []
    for kind, entity, reg in raw.execute(_SEVERAL).fetchall():
        if reg not in _LABELS:
            continue
        heads = _heads(raw, project_id, kind, entity, reg)
        if heads and homes(raw, kind, (entity,)).get(entity) == project_id:
            disagreement = _describe(raw, project_id, entity, reg, heads, me)
            if disagreement is not None:
                found.append(disagreement)
    return sorted(found, key=lambda each: (each.entity, each.register))


def _heads(raw: sqlite3.Connection, project_id: str, kind: str, entity: str, reg: str) -> list[LogRow]:
    """Return the heads that have content, the shown one first."""
    rows = {row.id: row for row in read(raw, project_id, kind, entity, reg)}
    kept = raw.execute(change_log.HEADS, (entity, reg, kind))
    heads = [rows[row[0]] for row in kept if row[0] in rows]
    shown = winner(heads)
    others = sorted((row for row in heads if row is not shown), key=lambda row: (row.hlc, row.id), reverse=True)
    return [] if shown is None else [shown, *others]


def _describe(
    raw: sqlite3.Connection, project_id: str, entity: str, reg: str, heads: Sequence[LogRow], me: str | None
) -> Disagreement | None:
    label, key = _LABELS[reg]
    versions: dict[str, tuple[str, str, str]] = {}
    for row in heads:
        text = str(row.values().get(key, ""))
        # Who wrote the same has no other version.
        versions.setdefault(text, (row.id, _who(raw, project_id, row, me), text))
    if len(versions) < 2:
        return None
    return Disagreement(project_id, heads[0].kind, entity, reg, label, tuple(versions.values()))


def _who(raw: sqlite3.Connection, project_id: str, row: LogRow, me: str | None) -> str:
    if row.author is None or row.author == me:
        return Text("You")
    name: Any = raw.execute(
        "SELECT m.name FROM team_members m JOIN shared_projects s ON s.workspace_id = m.workspace_id"
        " WHERE s.project_id = ? AND m.id = ?",
        (project_id, row.author),
    ).fetchone()
    return Text("A member") if name is None else str(name[0])


def choose(conn: Connection, origin: Origin, entity: str, reg: str, change_id: str) -> None:
    """Resolve a disagreement for everybody by writing one version again, as a successor of all. Raises ``NotFound`` if
    that version is no longer one of them."""
    raw = driver(conn)
    found = raw.execute("SELECT project_id, kind FROM changes WHERE id = ?", (change_id,)).fetchone()
    heads = [] if found is None else update_heads(raw, found[0], found[1], entity, reg)[1]
    chosen = next((row for row in heads if row.id == change_id), None)
    if found is None or chosen is None:
        raise NotFound(Text("That version is no longer one of those to choose from."))
    change_log.log_change(
        conn,
        origin,
        project_id=found[0],
        kind=found[1],
        op="edit",
        entity=entity,
        hlc=origin.hybrid_clock.next(),
        reg=reg,
        body=chosen.values(),
    )
    project_register(conn, origin, found[1], entity, reg)
