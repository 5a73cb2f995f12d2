"""Stores the choices of an unfinished set-up of a workspace, so that the next attempt continues after a crash."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.storage.engine.plain_text import from_json

KEY = "team.setup"


@dataclass(frozen=True, slots=True)
class UnfinishedSetup:
    """The choices of an unfinished set-up. ``login`` is that of the future owner; nothing here is secret."""

    workspace_id: str
    login: str


def unfinished_setup(conn: Connection, address: ServerAddress) -> UnfinishedSetup | None:
    """Return the unfinished set-up for this database, or None."""
    stored = from_json(conn.exec_driver_sql("SELECT value FROM meta WHERE key = ?", (KEY,)).scalar())
    if stored.get("place") != _place(address):
        return None
    return UnfinishedSetup(str(stored.get("workspace_id")), str(stored.get("login")))


def record_setup(conn: Connection, address: ServerAddress, setup: UnfinishedSetup) -> None:
    value = json.dumps({"place": _place(address), "workspace_id": setup.workspace_id, "login": setup.login})
    conn.exec_driver_sql(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (KEY, value),
    )


def forget_setup(conn: Connection) -> None:
    conn.exec_driver_sql("DELETE FROM meta WHERE key = ?", (KEY,))


def _place(address: ServerAddress) -> list[object]:
    return [address.host, address.port, address.database]
