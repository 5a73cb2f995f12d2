"""Stores the misfit of a project: how the server's log contradicts the rows received before, and since when. Reads the
losses that an owner accepted."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.lost_changes import accepted_text
from chatdesk.core.domain.sharing.team import Misfit, misfit_text
from chatdesk.core.moments import known_or_zero
from chatdesk.core.storage.engine.plain_text import json_value, object_in, one_of, shown_name
from chatdesk.core.storage.sync.erasing import is_number
from chatdesk.core.storage.sync.wire.rows import read_object

_READ = (
    f"SELECT {json_value('s.progress', 'misfit')}, {json_value('s.progress', 'misfit_since')}, p.name"  # noqa: S608
    " FROM shared_projects s LEFT JOIN projects p ON p.id = s.project_id WHERE s.project_id = ?"
)


def sentence_of(conn: Connection, project_id: str) -> str:
    """Return the sentence on what of a project's log does not fit; empty if all of it does."""
    row = conn.exec_driver_sql(_READ, (project_id,)).first()
    return "" if row is None else sentence(*row)


def sentence(misfit: object, since: object, name: object) -> str:
    """Return the sentence for stored values; empty if ``misfit`` is None."""
    if misfit is None:
        return ""
    return misfit_text(one_of(Misfit, misfit, Misfit.ALTERED), shown_name(str(name or "")), known_or_zero(since))


def record(conn: Connection, project_id: str, misfit: Misfit | None, *, now: int) -> str:
    """Record a misfit and the time of the first one since all fitted, as ``SyncStore.record_misfit``."""
    if misfit is None:
        conn.exec_driver_sql(
            f"UPDATE shared_projects SET progress = json_remove({object_in('progress')}, '$.misfit', '$.misfit_since')"  # noqa: S608
            " WHERE project_id = ?",
            (project_id,),
        )
    else:
        conn.exec_driver_sql(
            f"UPDATE shared_projects SET progress = json_set({object_in('progress')}, '$.misfit', ?, '$.misfit_since',"  # noqa: S608
            f" coalesce({json_value('progress', 'misfit_since')}, ?)) WHERE project_id = ?",
            (misfit.value, now, project_id),
        )
    return sentence_of(conn, project_id)


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
