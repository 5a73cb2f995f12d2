"""Stores the log of rounds of sync, of which the newest are kept."""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import SyncRound
from chatdesk.core.storage.engine.plain_text import clean

ROUNDS_KEPT: Final = 500


def add(conn: Connection, entry: SyncRound) -> None:
    """Add a round to the log, of which the newest ``ROUNDS_KEPT`` are kept."""
    conn.exec_driver_sql(
        "INSERT INTO sync_rounds (at, workspace_id, sent, received, took_ms, problem) VALUES (?, ?, ?, ?, ?, ?)",
        (entry.at, entry.workspace_id, entry.sent, entry.received, entry.took_ms, clean(entry.problem)),
    )
    conn.exec_driver_sql("DELETE FROM sync_rounds WHERE n <= (SELECT max(n) FROM sync_rounds) - ?", (ROUNDS_KEPT,))


def newest(conn: Connection, workspace_id: str, *, limit: int = ROUNDS_KEPT) -> list[SyncRound]:
    """Return the log of rounds, the newest first."""
    rows = conn.exec_driver_sql(
        "SELECT at, workspace_id, sent, received, took_ms, problem FROM sync_rounds WHERE workspace_id = ?"
        " ORDER BY n DESC LIMIT ?",
        (workspace_id, limit),
    )
    return [SyncRound(*row) for row in rows]
