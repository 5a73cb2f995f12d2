"""Finds which changes the erasures in a log take, and asks again for erasures after a restore of the server."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import sqlite3
from collections import defaultdict

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.storage.engine.change_log import ERASED, Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import json_value
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.erasing import ON_SERVER, ask_for_changes, named
from chatdesk.core.storage.sync.registers import member_of
from chatdesk.core.storage.sync.wire.rows import is_id


def taken_by(raw: sqlite3.Connection, project_id: str, row: PulledChange) -> set[str]:
    """Return the changes named by an erasure that it takes: those that the log had before, as the server then asked for
    the right to them, and those that the server lost where its author wrote them, or may manage the project."""
    managers = {
        member
        for member, role in raw.execute("SELECT member_id, role FROM team_roles WHERE project_id = ?", (project_id,))
        if TeamRole(role).can_manage
    }
    return {
        change_id
        for batch in batches(named(row.body))
        for change_id, seq, author, mine in raw.execute(
            f"SELECT id, seq, author, mine FROM changes WHERE +project_id = ? AND id IN ({marks(batch)})",
            (project_id, *batch),
        )
        if (seq is not None and seq < row.seq)
        or row.author in managers
        or row.author == (member_of(raw, project_id) if mine else author)
    }


def named_in_log(raw: sqlite3.Connection, project_id: str, *, not_by: str | None = None) -> set[str]:
    """Return the changes that any erasure in this log names, or any by another member than ``not_by``."""
    return {
        change_id
        for author, mine, body in raw.execute(
            "SELECT author, mine, body FROM changes WHERE project_id = ? AND kind = 'thread' AND op = 'del'"
            f" AND reg = '{ERASED}' AND state IN ({ON_SERVER})",
            (project_id,),
        )
        if not_by is None or not (mine or author == not_by)
        for change_id in named(body)
    }


def ask_again(conn: Connection, origin: Origin, project_id: str) -> None:
    """Request again the erasure of this member's own changes that only others asked for: those may not come back to a
    server that was restored, and the placeholders of these changes are accepted only after an erasure."""
    raw = driver(conn)
    me = member_of(raw, project_id)
    share = "SELECT 1 FROM shared_projects WHERE project_id = ? AND state = 'shared' AND role <> 'viewer'"
    if raw.execute(share, (project_id,)).fetchone() is None:
        return
    wanted: dict[str, list[str]] = defaultdict(list)
    asked = named_in_log(raw, project_id, not_by=me)
    for change_id, thread_id in raw.execute(
        "SELECT c.id, CASE c.kind WHEN 'thread' THEN c.entity WHEN 'message' THEN m.thread_id"
        f" ELSE {json_value('c.body', 'thread_id')} END FROM changes c LEFT JOIN messages m ON m.id = c.entity"
        " WHERE c.project_id = ?1 AND c.erased = 1 AND (c.mine = 1 OR c.author = ?2) AND c.op <> 'del' ORDER BY c.n",
        (project_id, me),
    ).fetchall():
        if change_id in asked and is_id(thread_id):
            wanted[thread_id].append(change_id)
    for thread_id, change_ids in wanted.items():
        ask_for_changes(conn, origin, project_id, thread_id, change_ids)
