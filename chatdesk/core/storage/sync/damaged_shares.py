"""Prepares the shared projects of a damaged profile, so that missing rows are pulled when it joins the team again."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.domain.thread import DEFAULT_COLOUR
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.content_digest import damaged_ids
from chatdesk.core.storage.engine.own_log import is_own_log
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync import parked_workspaces
from chatdesk.core.storage.sync.sharing import PLACEHOLDER
from chatdesk.core.texts import shown

_TAKEN: Final = int(ChangeState.CONFIRMED)
_RUNNING: Final = "SELECT project_id FROM shared_projects WHERE state <> 'ended'"


def damaged(conn: Connection) -> list[str]:
    """Return the messages of shared projects whose text or files are damaged here, and that the team has."""
    found = damaged_ids(conn)
    found += [
        row[0]
        for row in conn.exec_driver_sql(
            "SELECT DISTINCT message_id FROM message_parts p WHERE type IN ('image', 'file')"
            " AND json_valid(content) AND json_extract(content, '$.sha256') IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.part_id = p.id AND a.document_id IS NULL)"
        )
    ]
    return [
        row[0]
        for batch in batches(sorted(set(found)))
        for row in conn.exec_driver_sql(
            f"SELECT DISTINCT entity FROM changes WHERE entity IN ({marks(batch)}) AND kind = 'message' AND op = 'new'"
            f" AND state = {_TAKEN} AND project_id IN ({_RUNNING})",
            tuple(batch),
        )
    ]


def prepare(conn: Connection, now: int) -> bool:
    """Park the workspaces of a damaged profile, before it is repaired, and remove the remains of messages that the team
    has completely. Returns whether any project is shared."""
    shared = [row[0] for row in conn.exec_driver_sql(_RUNNING)]
    for project_id in (each for each in shared if not is_own_log(driver(conn), each)):
        conn.exec_driver_sql(
            "INSERT OR IGNORE INTO projects (id, name, colour, created_at) VALUES (?, ?, ?, ?)",
            (project_id, shown(PLACEHOLDER), DEFAULT_COLOUR, now),
        )
    for batch in batches(damaged(conn)):
        chosen = f"message_id IN ({marks(batch)})"
        conn.exec_driver_sql(
            f"DELETE FROM artifacts WHERE part_id IN (SELECT id FROM message_parts WHERE {chosen})", tuple(batch)
        )
        conn.exec_driver_sql(f"DELETE FROM message_parts WHERE {chosen}", tuple(batch))
        conn.exec_driver_sql(f"UPDATE messages SET content_digest = NULL WHERE id IN ({marks(batch)})", tuple(batch))
    conn.exec_driver_sql(  # so that the threads are pulled as new rows
        f"DELETE FROM changes WHERE kind = 'thread' AND op = 'new' AND state = {_TAKEN} AND project_id IN ({_RUNNING})"
        " AND entity NOT IN (SELECT id FROM threads)"
    )
    if shared:
        parked_workspaces.park_all(driver(conn), now)
    return bool(shared)
