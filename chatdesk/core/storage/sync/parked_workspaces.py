"""Parked workspaces: those of a restored or salvaged profile, not connected to until the person joins them again.

The address in a file may be anybody's. A parked workspace counts as left everywhere; joining it again restores it,
and its projects continue where they were.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.plain_text import from_json

_KEY: Final = "team.parked"


# Which rows of ``workspaces`` are parked.
CONDITION: Final = (
    "left_at IS NOT NULL AND id IN (SELECT e.value FROM meta,"  # noqa: S608 - constants
    " json_each(CASE WHEN json_valid(meta.value) THEN meta.value ELSE '{}' END, '$.ids') e"
    f" WHERE meta.key = '{_KEY}')"
)


def park_all(conn: sqlite3.Connection, now_ms: int) -> None:
    """Park every workspace that was not left, besides those that were parked before."""
    stored = conn.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    parked = set(_ids(None if stored is None else stored[0]))
    parked |= {row[0] for row in conn.execute("SELECT id FROM workspaces WHERE left_at IS NULL")}
    conn.execute("UPDATE workspaces SET left_at = ? WHERE left_at IS NULL", (now_ms,))
    conn.execute("DELETE FROM meta WHERE key = ?", (_KEY,))
    if parked:
        conn.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (_KEY, json.dumps({"ids": sorted(parked)})))


def forget(conn: Connection, workspace_id: str) -> None:
    """Remove a workspace from the parked ones, because it was left."""
    stored = conn.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (_KEY,)).scalar()
    kept = [each for each in _ids(stored) if each != workspace_id]
    conn.exec_driver_sql("UPDATE meta SET value = ? WHERE key = ?", (json.dumps({"ids": kept}), _KEY))


def _ids(stored: str | None) -> list[str]:
    ids = from_json(stored).get("ids")
    return [each for each in ids if isinstance(each, str)] if isinstance(ids, list) else []
