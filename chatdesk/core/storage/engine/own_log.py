"""Says in which log the changes of a project are: its team's, the one log of this person's own computers, or its own.

The log of own computers is a row of ``shared_projects`` whose project is the workspace itself. It holds all private
projects, so that nothing of them counts as shared. A team can name a project as it likes, also like its workspace, so a
row counts only if its workspace is a folder of own computers.
"""

# ruff: noqa: S608 - statements are assembled from constants of this module; values are always bound

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import json_value

# In SQL: whether a row of ``workspaces`` is a folder of own computers.
IS_PLACE: Final = f"{json_value('address', 'place')} IS NOT NULL"
# All logs of own computers, also of those that were left.
OWN_LOGS: Final = (
    "SELECT project_id FROM shared_projects WHERE project_id = workspace_id"
    f" AND workspace_id IN (SELECT id FROM workspaces WHERE {IS_PLACE})"
)
# The log of own computers, if this one has joined any.
OWN_LOG: Final = f"{OWN_LOGS} AND state <> 'ended'"
# The newest change of each device that was taken over, by a log; for a private project also of the logs of own
# computers that were left.
SEEN: Final = (
    "SELECT device, max(dseq) FROM seen_changes WHERE project_id = ?1 OR (project_id IN"
    f" ({OWN_LOGS}) AND ?1 NOT IN (SELECT project_id FROM shared_projects WHERE state <> 'ended')) GROUP BY device"
)


class Log(NamedTuple):
    """A log by its id. ``is_own``: whether it is the one of this person's computers."""

    id: str
    is_own: bool


def log_in_sql(project: str) -> str:
    """Return an SQL expression for the id of the log of the project that an expression names."""
    team = f"SELECT project_id FROM shared_projects WHERE project_id = {project} AND state <> 'ended'"
    return f"coalesce(({team}), ({OWN_LOG}), {project})"


_LOG: Final = f"SELECT l, l IN ({OWN_LOG}) FROM (SELECT {log_in_sql('?1')} AS l)"


def log_of(conn: Connection, project_id: str) -> Log:
    """Return the log of a project; ``project_id`` may be that of a log, too."""
    found, is_own = driver(conn).execute(_LOG, (project_id,)).fetchone()
    return Log(found, bool(is_own))


def is_own_log(raw: sqlite3.Connection, log: str) -> bool:
    """Return whether a log is the one of this person's computers."""
    return raw.execute(f"SELECT 1 WHERE ? IN ({OWN_LOG})", (log,)).fetchone() is not None
