"""Tells the folders of a person's own computers from the databases of teams: both are workspaces."""

from __future__ import annotations

import json

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.own_log import IS_PLACE
from chatdesk.core.storage.engine.plain_text import from_json


def is_place(conn: Connection, workspace_id: str) -> bool:
    """Return whether a workspace is a folder of this person's own computers."""
    query = f"SELECT 1 FROM workspaces WHERE id = ? AND {IS_PLACE}"  # noqa: S608 - constants
    return conn.exec_driver_sql(query, (workspace_id,)).first() is not None


def is_left(conn: Connection, workspace_id: str) -> bool:
    """Return whether a workspace is such a folder, and was left or is parked."""
    query = f"SELECT 1 FROM workspaces WHERE id = ? AND left_at IS NOT NULL AND {IS_PLACE}"  # noqa: S608 - constants
    return conn.exec_driver_sql(query, (workspace_id,)).first() is not None


def carried(conn: Connection) -> dict[str, str]:
    """Return the workspaces of the projects that this person's own computers carry, by project."""
    rows = conn.exec_driver_sql(
        "SELECT s.project_id, s.workspace_id FROM shared_projects s JOIN workspaces w ON w.id = s.workspace_id"  # noqa: S608
        f" WHERE s.state <> 'ended' AND w.left_at IS NULL AND {IS_PLACE}"
    )
    return dict(rows.all())


def has_threads(conn: Connection) -> bool:
    """Return whether this profile has any chats, also in the trash."""
    return bool(conn.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM threads)").scalar())


def place_in(stored: str) -> str:
    """Return the folder in a stored address; empty for that of a database."""
    place = from_json(stored).get("place")
    return place if isinstance(place, str) else ""


def is_paused_in(stored: str) -> bool:
    """Return whether the folder in a stored address is paused."""
    return from_json(stored).get("paused") is True


def pause(conn: Connection, workspace_id: str, place: str, *, is_paused: bool) -> None:
    """Store whether a folder is read and written at all."""
    stored = json.dumps({"place": place, "paused": True} if is_paused else {"place": place})
    conn.exec_driver_sql("UPDATE workspaces SET address = ? WHERE id = ?", (stored, workspace_id))
