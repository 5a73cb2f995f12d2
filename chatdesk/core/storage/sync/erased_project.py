"""Removes a shared project that its owner erased, except for content that only this profile has."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ChangeState, EndReason
from chatdesk.core.errors import NotPossible
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.sync import refused, sharing
from chatdesk.core.storage.sync.registers import OVERRULED
from chatdesk.core.texts import Text, shown

# The name of the project until its row is removed.
_NAME: Final = Text("Erased project")
# Long ago: the next sweep of the trash takes the row.
_LONG_AGO: Final = 1


def erase(conn: Connection, origin: Origin, project_id: str) -> None:
    """Remove a project with its content. This person's changes that the server never had are copied into a thread of a
    private project first."""
    search_index.mark_erased(driver(conn))
    _save_unsent(conn, origin, project_id)
    sharing.end(conn, project_id, EndReason.ERASED)
    conn.exec_driver_sql("DELETE FROM threads WHERE project_id = ?", (project_id,))
    conn.exec_driver_sql(
        "DELETE FROM register_heads WHERE change_id IN (SELECT id FROM changes WHERE project_id = ?)", (project_id,)
    )
    for table in ("changes", "seen_changes", "shared_files"):
        conn.exec_driver_sql(f"DELETE FROM {table} WHERE project_id = ?", (project_id,))
    conn.exec_driver_sql(
        "UPDATE projects SET name = ?, system_prompt = '', parameters = '{}', provider = NULL, model = NULL,"
        " deleted_at = ? WHERE id = ?",
        (shown(_NAME), _LONG_AGO, project_id),
    )
    projects.ensure_default_project(conn, origin)


def _save_unsent(conn: Connection, origin: Origin, project_id: str) -> None:
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {ChangeState.REFUSED.value}, problem = 'erased' WHERE project_id = ?"
        f" AND mine = 1 AND state = {ChangeState.PENDING.value} AND seal IS NULL AND kind = 'message' AND op = 'new'",
        (project_id,),
    )
    unsent = [
        row[0]
        for row in conn.exec_driver_sql(
            f"SELECT id FROM changes WHERE project_id = ? AND mine = 1 AND state = {ChangeState.REFUSED.value}"
            " AND problem <> ?",
            (project_id, OVERRULED),
        )
    ]
    if not unsent:
        return
    try:
        refused.copy_refused(conn, origin, unsent, not_into=project_id)
    except NotPossible:  # none of them has text
        return
