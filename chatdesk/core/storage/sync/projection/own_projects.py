"""Makes, hides and shows the projects in the log of this person's own computers.

A project is hidden if it was deleted, not restored, every change of it is covered by a deletion, and no thread in it is
shown. Where that would leave none, the last one that was deleted comes back.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.thread import DEFAULT_COLOUR
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_log import is_own_log, log_in_sql
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.registers import COUNTS, DELETE, LogRow, deleted_at, update_heads
from chatdesk.core.storage.sync.wire.rows import is_id
from chatdesk.core.texts import shown

_WRITTEN: Final = (
    f"SELECT device, dseq FROM changes WHERE entity = ?2 AND kind = 'project' AND +project_id = ?1 AND op <> '{DELETE}'"
    f" AND {COUNTS} AND (problem IS NULL OR problem NOT LIKE 'foreign: %')"
)


def find_or_make(conn: Connection, origin: Origin, log: str, wanted: object) -> str | None:
    """Return the project that a change in the log of own computers names, made where it is not here; None for one that
    is in another log here, as a team's is."""
    raw = driver(conn)
    if not is_id(wanted):
        return projects.private_project_id(conn, origin)
    project_id = str(wanted)
    row = raw.execute(f"SELECT {log_in_sql('id')} FROM projects WHERE id = ?", (project_id,)).fetchone()
    if row is None:
        # Its own changes may still have to come. They bring its name.
        raw.execute(
            "INSERT INTO projects (id, name, colour, created_at) VALUES (?, ?, ?, ?)",
            (project_id, shown(projects.DEFAULT_NAME), DEFAULT_COLOUR, origin.now()),
        )
    return project_id if row is None or row[0] == log else None


def made_in(conn: Connection, origin: Origin, log: str, body: Mapping[str, Any]) -> str | None:
    """Return the project of a thread that the log makes; None where that is in another log here."""
    return find_or_make(conn, origin, log, body.get("project_id")) if is_own_log(driver(conn), log) else log


def show_or_hide(
    conn: Connection, origin: Origin, log: str, named: Iterable[tuple[str, str]], effects: Effects
) -> None:
    """Hide and show projects according to the log, if it is that of own computers. ``named``: the registers of projects
    that changed."""
    raw = driver(conn)
    if not is_own_log(raw, log):
        return
    wanted = {entity for entity, _ in named} | effects.homes(raw)
    wanted |= {row[0] for row in raw.execute("SELECT id FROM projects WHERE deleted_at IS NOT NULL")}
    gone: list[str] = []
    for project_id in sorted(wanted):
        found = f"SELECT deleted_at FROM projects WHERE id = ? AND {log_in_sql('projects.id')} = ?"
        row = raw.execute(found, (project_id, log)).fetchone()
        if row is None:
            continue
        deletions = _deletions(raw, log, project_id)
        if bool(deletions) is (row[0] is not None):
            continue
        moment_said = deleted_at(deletions, origin.now()) if deletions else None
        raw.execute("UPDATE projects SET deleted_at = ? WHERE id = ?", (moment_said, project_id))
        effects.projects.add(project_id)
        gone += [project_id] if deletions else []
    if gone and raw.execute("SELECT 1 FROM projects WHERE deleted_at IS NULL LIMIT 1").fetchone() is None:
        newest = "SELECT id FROM projects WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, id LIMIT 1"
        projects.set_deleted(conn, origin, raw.execute(newest).fetchone()[0], None)


def _deletions(raw: sqlite3.Connection, log: str, project_id: str) -> list[LogRow]:
    """Return the deletions that hide a project; none where it is shown."""
    _, heads = update_heads(raw, log, "project", project_id, change_log.CONTENT)
    found = [row for row in heads if row.op == DELETE]
    if not found or any(row.op == "edit" for row in heads):
        return []
    covered: dict[str, int] = {}
    for row in found:
        for device, dseq in row.covers().items():
            covered[device] = max(dseq, covered.get(device, -1))
    if any(dseq > covered.get(device, -1) for device, dseq in raw.execute(_WRITTEN, (log, project_id))):
        return []
    live = "SELECT 1 FROM threads WHERE project_id = ? AND deleted_at IS NULL LIMIT 1"
    return [] if raw.execute(live, (project_id,)).fetchone() is not None else found
