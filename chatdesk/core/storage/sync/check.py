"""Reads this profile's copy of a shared log, for *Check against the server*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.lost_changes import accepted_text
from chatdesk.core.storage.engine.plain_text import json_value, shown_name
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.erasing import is_number
from chatdesk.core.storage.sync.wire.rows import read_object


@dataclass(frozen=True, slots=True)
class HeldLog:
    """The local copy of one project's log. ``seq`` and ``chain``: the last change that was applied; ``name`` is the
    project's. ``misfit``: in which way what follows at the server does not fit."""

    project_id: str
    name: str
    seq: int
    chain: bytes | None
    misfit: str | None = None


def held(conn: Connection, workspace_id: str) -> list[HeldLog]:
    """Return the logs of the shared projects of one workspace."""
    rows = conn.exec_driver_sql(
        f"SELECT s.project_id, p.name, s.seq, s.chain, {json_value('s.progress', 'misfit')}"  # noqa: S608
        " FROM shared_projects s JOIN projects p ON p.id = s.project_id"
        " WHERE s.workspace_id = ? AND s.state = 'shared' ORDER BY s.project_id",
        (workspace_id,),
    )
    return [HeldLog(*row) for row in rows]


def places(conn: Connection, project_id: str, change_ids: Sequence[str]) -> dict[str, tuple[int | None, bytes | None]]:
    """Return (sequence number, digest) by change id, for those of these changes that are stored here."""
    return {
        row[0]: (row[1], row[2])
        for batch in batches(list(change_ids))
        for row in conn.exec_driver_sql(
            f"SELECT id, seq, digest FROM changes WHERE +project_id = ? AND id IN ({marks(batch)})",  # noqa: S608
            (project_id, *batch),
        )
    }


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


def waiting(conn: Connection, workspace_id: str) -> int:
    """Return how many changes of a workspace's projects the server does not have yet."""
    return int(
        conn.exec_driver_sql(
            "SELECT count(*) FROM changes c JOIN shared_projects s ON s.project_id = c.project_id"
            " WHERE s.workspace_id = ? AND s.state <> 'ended' AND c.state = 0",
            (workspace_id,),
        ).scalar_one()
    )
