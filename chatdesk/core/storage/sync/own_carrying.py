"""Brings the private projects into the log of this person's own computers.

There is one such log. It is a row of ``shared_projects`` whose project is the workspace itself, so that nothing in it
counts as shared. Its ``progress`` names the projects that are being entered.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import GONE
from chatdesk.core.domain.sharing.sync_wire import ProjectHead
from chatdesk.core.domain.sharing.team import ChangeState, ShareState, TeamRole
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.own_log import OWN_LOG
from chatdesk.core.storage.engine.plain_text import from_json, object_in
from chatdesk.core.storage.sync import outbox
from chatdesk.core.storage.sync.entering import ENTERED, log_project
from chatdesk.core.storage.sync.registers import COUNTS
from chatdesk.core.texts import shown

_PENDING, _PRIVATE = int(ChangeState.PENDING), int(ChangeState.PRIVATE)
_OF_TEAMS: Final = "SELECT project_id FROM shared_projects WHERE state <> 'ended'"
# Private projects that the log has not, and whether anything was done in each.
_NOT_CARRIED: Final = f"""
SELECT p.id, p.name <> ?2 OR p.deleted_at IS NOT NULL
  OR EXISTS (SELECT 1 FROM threads t WHERE t.project_id = p.id)
  OR EXISTS (SELECT 1 FROM changes c WHERE c.entity = p.id AND c.op <> 'new')
  OR EXISTS (SELECT 1 FROM knowledge_sources k WHERE k.project_id = p.id)
  OR EXISTS (SELECT 1 FROM knowledge_questions k WHERE k.project_id = p.id)
FROM projects p WHERE p.id NOT IN ({_OF_TEAMS}) AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.entity = p.id
  AND c.kind = 'project' AND c.reg = 'content' AND c.op = 'new' AND +c.project_id = ?1 AND c.{COUNTS}) ORDER BY p.id
"""
# What was done in private projects since the log was left.
_DONE_ALONE: Final = f"""
UPDATE changes SET project_id = ?1, state = {_PENDING}, body = CASE WHEN kind = 'thread' AND op = 'new'
    THEN json_set(coalesce(body, '{{}}'), '$.project_id', project_id) ELSE body END
WHERE n > ?2 AND mine = 1 AND state IN ({_PENDING}, {_PRIVATE}) AND problem IS NULL
  AND project_id NOT IN (SELECT project_id FROM shared_projects)
"""


def open_log(conn: Connection, origin: Origin, workspace_id: str) -> None:
    """Begin the log of own computers, or go on with it after it was left."""
    row = conn.exec_driver_sql(
        "SELECT state, progress FROM shared_projects WHERE project_id = ?", (workspace_id,)
    ).first()
    if row is None:
        conn.exec_driver_sql(
            "INSERT INTO shared_projects (project_id, workspace_id, role, state, shared_at) VALUES (?1, ?1, ?, ?, ?)",
            (workspace_id, TeamRole.OWNER.value, ShareState.SHARED.value, origin.now()),
        )
        return
    if row.state != ShareState.ENDED:
        return
    conn.exec_driver_sql(_DONE_ALONE, (workspace_id, from_json(row.progress).get("left", 0)))
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PENDING} WHERE project_id = ? AND state = {_PRIVATE} AND mine = 1"
        " AND problem IS NULL",
        (workspace_id,),
    )
    conn.exec_driver_sql(
        "UPDATE shared_projects SET state = ?, ended = NULL, progress = '{}' WHERE project_id = ?",
        (ShareState.SHARED.value, workspace_id),
    )
    outbox.start_over(conn, workspace_id)


def carry(conn: Connection, origin: Origin, log: str, head: ProjectHead | None) -> list[str]:
    """Begin to enter the private projects that the log has not, and return their ids. ``head`` is the log as the folder
    has it. The first project of a new profile, in which nothing was written, waits until all was read, and goes where
    there is another one."""
    seq, progress = conn.exec_driver_sql("SELECT seq, progress FROM shared_projects WHERE project_id = ?", (log,)).one()
    if head is not None and from_json(progress).get("joined_seq") is None:
        conn.exec_driver_sql(
            f"UPDATE shared_projects SET progress = json_set({object_in('progress')}, '$.joined_seq', ?)"
            " WHERE project_id = ?",
            (head.seq, log),
        )
    found = conn.exec_driver_sql(_NOT_CARRIED, (log, shown(projects.DEFAULT_NAME))).all()
    used = [project_id for project_id, is_used in found if is_used]
    gone: list[str] = []
    if head is None or head.seq <= seq:
        for project_id in (each for each, is_used in found if not is_used):
            others = f"SELECT 1 FROM projects WHERE id <> ? AND deleted_at IS NULL AND id NOT IN ({_OF_TEAMS}) LIMIT 1"
            if conn.exec_driver_sql(others, (project_id,)).first() is None:
                used.append(project_id)
            else:
                conn.exec_driver_sql("DELETE FROM projects WHERE id = ?", (project_id,))
                gone.append(project_id)
    if used:
        _enter_projects(conn, origin, log, used)
    return [*used, *gone]


def _enter_projects(conn: Connection, origin: Origin, log: str, project_ids: list[str]) -> None:
    progress = from_json(
        conn.exec_driver_sql("SELECT progress FROM shared_projects WHERE project_id = ?", (log,)).scalar()
    )
    entered = sorted({*progress.get("projects", []), *project_ids})
    total = conn.exec_driver_sql(
        "SELECT count(*) + coalesce(sum(message_count), 0) FROM threads"
        f" WHERE project_id IN (SELECT value FROM json_each(?)) AND deleted_at IS NOT {GONE}",
        (json.dumps(entered),),
    ).scalar_one()
    said = {"projects": entered, "done": 0, "total": total, "joined_seq": progress.get("joined_seq", 0)}
    conn.exec_driver_sql(
        "UPDATE shared_projects SET state = ?, progress = ? WHERE project_id = ?",
        (ShareState.SHARING.value, json.dumps(said), log),
    )
    for project_id in project_ids:
        log_project(conn, origin, project_id, into=log)
    # What the other computers did in a project while a team had it here counts again.
    if conn.exec_driver_sql("DELETE FROM changes WHERE project_id = ? AND problem LIKE 'foreign: %'", (log,)).rowcount:
        outbox.start_over(conn, log)
    origin.watch.record(log)


def forget_entered(conn: Connection, project_id: str) -> None:
    """Let a project that a team had be entered again, by forgetting that the log has it."""
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PRIVATE}, problem = ? WHERE entity = ? AND kind = 'project' AND op = 'new'"
        f" AND project_id IN ({OWN_LOG})",
        (ENTERED, project_id),
    )
