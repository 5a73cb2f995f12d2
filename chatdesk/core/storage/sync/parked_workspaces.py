"""Parks workspaces: a parked one is not connected until the person joins it again.

This happens in a restored or repaired profile, because the address in a file may be a stranger's, and in a profile with
a copy that writes under the same device: a device's sequence has one writer. A parked workspace counts as left
everywhere; ``joining_again`` has the way back. Each start imports this module, so it needs nothing else of team sync.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import from_json

_KEY: Final = "team.parked"

# Which rows of ``workspaces`` are parked.
CONDITION: Final = (
    "left_at IS NOT NULL AND id IN (SELECT e.value FROM meta,"
    " json_each(CASE WHEN json_valid(meta.value) THEN meta.value ELSE '{}' END, '$.ids') e"
    f" WHERE meta.key = '{_KEY}')"
)


def is_joined(conn: Connection) -> bool:
    """Return whether this profile works with a team at all: there is a workspace, also a parked one, or a project that
    is or was shared."""
    return bool(
        conn.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM workspaces WHERE left_at IS NULL) OR EXISTS (SELECT 1 FROM shared_projects)"
            f" OR EXISTS (SELECT 1 FROM workspaces WHERE {CONDITION})"
        ).scalar()
    )


def park_all(conn: sqlite3.Connection, now_ms: int) -> None:
    """Park every workspace that was not left, besides those that were parked before."""
    parked = set(_ids(_stored(conn)))
    parked |= {row[0] for row in conn.execute("SELECT id FROM workspaces WHERE left_at IS NULL")}
    conn.execute("UPDATE workspaces SET left_at = ? WHERE left_at IS NULL", (now_ms,))
    conn.execute("DELETE FROM meta WHERE key = ?", (_KEY,))
    if parked:
        said = {"ids": sorted(parked), "device": _own_device(conn)}
        conn.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (_KEY, json.dumps(said)))


def forget(conn: Connection, workspace_id: str) -> None:
    """Remove a workspace from the parked ones, because it was left."""
    said = _stored(driver(conn))
    kept = [each for each in _ids(said) if each != workspace_id]
    conn.exec_driver_sql("UPDATE meta SET value = ? WHERE key = ?", (json.dumps({**said, "ids": kept}), _KEY))


def has_same_device(conn: sqlite3.Connection) -> bool:
    """Return whether this profile still is the device that it was when its workspaces were parked."""
    return bool(_stored(conn).get("device", _own_device(conn)) == _own_device(conn))


def _own_device(conn: sqlite3.Connection) -> str:
    row = conn.execute("SELECT id FROM devices WHERE is_mine = 1").fetchone()
    return "" if row is None else str(row[0])


def _stored(conn: sqlite3.Connection) -> dict[str, Any]:
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    return dict(from_json(None if row is None else row[0]))


def _ids(said: dict[str, Any]) -> list[str]:
    ids = said.get("ids")
    return [each for each in ids if isinstance(each, str)] if isinstance(ids, list) else []
