"""Tells whether this profile works with a team at all. Checked after each start, so it needs nothing of team sync."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.storage.sync import parked_workspaces


def is_joined(conn: Connection) -> bool:
    """Return whether there is a workspace, also a parked one, or a project that is or was shared."""
    return bool(
        conn.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM workspaces WHERE left_at IS NULL) OR EXISTS (SELECT 1 FROM shared_projects)"
            f" OR EXISTS (SELECT 1 FROM workspaces WHERE {parked_workspaces.CONDITION})"
        ).scalar()
    )
