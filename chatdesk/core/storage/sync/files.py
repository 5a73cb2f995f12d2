"""Tracks the attached files of shared projects: the ones to be sent or fetched, and their progress.

``shared_files.state``: ``to_send`` → ``sent``; ``to_fetch`` → ``here`` or ``missing``, which is tried again later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

SENT: Final = "sent"
TO_FETCH: Final = "to_fetch"
HERE: Final = "here"
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file of one project. ``done`` counts whole chunks that moved between this computer and the server: 0 for files
    that were already here."""

    project_id: str
    sha256: str
    size_bytes: int


def to_send(conn: Connection, workspace_id: str, *, limit: int) -> list[SharedFile]:
    """Return the next files to send, the smallest first, because changes wait for them."""
    return _files(
        conn,
        "WHERE f.state = 'to_send' AND p.workspace_id = ? AND p.state <> 'ended'"
        " ORDER BY f.size_bytes, f.sha256 LIMIT ?",
        (workspace_id, limit),
    )


def to_fetch(conn: Connection, workspace_id: str, *, tried_before: int, limit: int) -> list[SharedFile]:
    """Return the next files to fetch: those of the newest messages first, then those that the server did not have when
    last tried, before ``tried_before`` (milliseconds UTC)."""
    return _files(
        conn,
        "WHERE (f.state = 'to_fetch' OR (f.state = 'missing' AND coalesce(f.tried_at, 0) < ?))"
        " AND p.workspace_id = ? AND p.state <> 'ended'"
        # Ids of artifacts grow with time.
        " ORDER BY f.state = 'missing', (SELECT max(a.id) FROM artifacts a WHERE a.sha256 = f.sha256) DESC LIMIT ?",
        (tried_before, workspace_id, limit),
    )


def is_any(conn: Connection, workspace_id: str, *, tried_before: int) -> bool:
    """Return whether ``to_send`` or ``to_fetch`` would return anything."""
    return bool(
        conn.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM shared_files f JOIN shared_projects p ON p.project_id = f.project_id"
            " WHERE f.state IN ('to_send', 'to_fetch') AND p.workspace_id = ?1 AND p.state <> 'ended')"
            " OR EXISTS (SELECT 1 FROM shared_projects p JOIN shared_files f ON f.project_id = p.project_id"
            " WHERE p.workspace_id = ?1 AND p.state <> 'ended' AND f.state = 'missing'"
            " AND coalesce(f.tried_at, 0) < ?2)",
            (workspace_id, tried_before),
        ).scalar()
    )


def ask_again(conn: Connection, workspace_id: str) -> None:
    """Let files that were missing be fetched at once."""
    conn.exec_driver_sql(
        "UPDATE shared_files SET tried_at = NULL WHERE state = 'missing'"
        " AND project_id IN (SELECT project_id FROM shared_projects WHERE workspace_id = ?)",
        (workspace_id,),
    )


def mark(
    conn: Connection, file: SharedFile, state: str, *, now: int, done: int | None = None, problem: str | None = None
) -> None:
    """Store the state of a file."""
    conn.exec_driver_sql(
        "UPDATE shared_files SET state = ?, done = coalesce(?, done), problem = ?, tried_at = ?"
        " WHERE project_id = ? AND sha256 = ?",
        (state, done, problem, now, file.project_id, file.sha256),
    )


def not_here(conn: Connection) -> dict[str, str]:
    """Return ``TO_FETCH`` or ``MISSING`` by SHA-256, for files that are not on this computer yet."""
    rows = conn.exec_driver_sql(
        "SELECT sha256, min(state = 'missing') FROM shared_files WHERE state IN ('to_fetch', 'missing') GROUP BY sha256"
    )
    return {sha256: MISSING if is_missing else TO_FETCH for sha256, is_missing in rows}


def still_needed(conn: Connection) -> set[str]:
    """Return the SHA-256 of files that wait to be sent, which upkeep must not remove."""
    return {row[0] for row in conn.exec_driver_sql("SELECT sha256 FROM shared_files WHERE state = 'to_send'")}


def is_attached(conn: Connection, sha256: str) -> bool:
    """Return whether a message shows the file; one that none shows holds the parts of a message that was too large."""
    return conn.exec_driver_sql("SELECT 1 FROM artifacts WHERE sha256 = ? LIMIT 1", (sha256,)).first() is not None


def _files(conn: Connection, rest: str, values: tuple[object, ...]) -> list[SharedFile]:
    rows = conn.exec_driver_sql(
        "SELECT f.project_id, f.sha256, f.size_bytes FROM shared_files f"  # noqa: S608 - constants
        f" JOIN shared_projects p ON p.project_id = f.project_id {rest}",
        values,
    )
    return [SharedFile(*row) for row in rows]
