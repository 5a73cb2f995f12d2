"""Joins a folder of this person's own computers, for the first time or again.

The log of a project names its threads for good. A thread that was moved while this computer was out of the folder
therefore goes back to the project in which the other computers have it, with what was written in it meanwhile.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import GONE
from chatdesk.core.domain.sharing.team import ChangeState, Workspace
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine.change_log import CONTENT, PROJECT, Origin
from chatdesk.core.storage.sync import team

_UNSENT: Final = f"{int(ChangeState.PENDING)}, {int(ChangeState.PRIVATE)}"
# The threads of the former projects of a folder, each with the project whose log made it. One that a team has now stays
# with the team.
_HOMES: Final = f"""
SELECT t.id, t.project_id, min(c.project_id) FROM threads t
  JOIN changes c ON c.entity = t.id AND c.kind = 'thread' AND c.op = 'new' AND c.reg = '{CONTENT}'
  JOIN shared_projects s ON s.project_id = c.project_id AND s.workspace_id = ? AND s.state = 'ended'
  JOIN projects p ON p.id = c.project_id
WHERE t.deleted_at IS NOT {GONE}
  AND t.project_id NOT IN (SELECT project_id FROM shared_projects WHERE state <> 'ended')
GROUP BY t.id
HAVING sum(c.project_id = t.project_id) = 0 OR EXISTS (SELECT 1 FROM changes m
  WHERE m.entity = t.id AND m.kind = 'thread' AND m.reg = '{PROJECT}' AND m.state IN ({_UNSENT}))
ORDER BY t.id
"""
_TAKE_CHANGES: Final = f"""
UPDATE changes SET project_id = :home WHERE project_id <> :home AND mine = 1 AND state IN ({_UNSENT})
  AND reg <> '{PROJECT}' AND problem IS NULL AND (kind = 'thread' AND entity = :thread
    OR kind = 'message' AND entity IN (SELECT id FROM messages WHERE thread_id = :thread)
    OR kind = 'summary' AND entity IN (SELECT id FROM summaries WHERE thread_id = :thread))
"""


def join(conn: Connection, origin: Origin, workspace: Workspace) -> None:
    """Store the folder as joined, after what was moved has been moved back."""
    for thread_id, project_id, home in conn.exec_driver_sql(_HOMES, (workspace.id,)).all():
        conn.exec_driver_sql(_TAKE_CHANGES, {"home": home, "thread": thread_id})
        if project_id != home:
            projects.bring_back(conn, origin, home)
            conn.exec_driver_sql("UPDATE threads SET project_id = ? WHERE id = ?", (home, thread_id))
            for each in (project_id, home):
                projects.refresh_last_chat(conn, each)
    team.add_workspace(conn, workspace)
