"""Joins a folder of this person's own computers, for the first time or again."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import Workspace
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.sync import own_carrying, team


def join(conn: Connection, origin: Origin, workspace: Workspace) -> None:
    """Store the folder as joined. What was done meanwhile is sent."""
    team.add_workspace(conn, workspace)
    own_carrying.open_log(conn, origin, workspace.id)
