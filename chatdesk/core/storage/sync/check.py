"""Reads the names and accepted losses of shared projects, for *Check against the server*."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.lost_changes import accepted_text
from chatdesk.core.storage.engine.plain_text import shown_name
from chatdesk.core.storage.sync.erasing import is_number
from chatdesk.core.storage.sync.wire.rows import read_object


def shared(conn: Connection, workspace_id: str) -> list[tuple[str, str]]:
    """Return (id, name) of the shared projects of one workspace."""
    rows = conn.exec_driver_sql(
        "SELECT s.project_id, p.name FROM shared_projects s JOIN projects p ON p.id = s.project_id"
        " WHERE s.workspace_id = ? AND s.state = 'shared' ORDER BY s.project_id",
        (workspace_id,),
    )
    return [(row[0], shown_name(row[1])) for row in rows]


def accepted_losses(conn: Connection, workspace_id: str) -> tuple[str, ...]:
    """Return a sentence for each loss of the server that an owner let a project go on without, the newest first."""
    rows = conn.exec_driver_sql(
        "SELECT p.name, coalesce(m.name, ''), c.at, c.body FROM changes c"
        " JOIN shared_projects s ON s.project_id = c.project_id JOIN projects p ON p.id = c.project_id"
        " LEFT JOIN team_members m ON m.workspace_id = s.workspace_id AND m.id = c.author"
        " WHERE s.workspace_id = ? AND s.state = 'shared' AND c.kind = 'project' AND c.op = 'edit' AND c.reg = 'loss'"
        " AND c.seq IS NOT NULL ORDER BY c.seq DESC LIMIT 20",
        (workspace_id,),
    )
    found = []
    for name, who, at, body in rows:
        count: Any = (read_object(body) or {}).get("changes")
        found.append(accepted_text(int(count) if is_number(count) else 0, shown_name(name), shown_name(who), at))
    return tuple(found)
