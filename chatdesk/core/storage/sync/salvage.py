"""Restores shared projects of a damaged profile from the team's log.

Stored messages are compared with the log, and what is missing or damaged is fetched. Everything may be pulled again:
applying it twice changes nothing.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.domain.thread import DEFAULT_COLOUR
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.content_digest import damaged_ids
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync import fork, outbox
from chatdesk.core.storage.sync.sharing import PLACEHOLDER
from chatdesk.core.texts import shown

_TAKEN: Final = int(ChangeState.CONFIRMED)
_RUNNING: Final = "SELECT project_id FROM shared_projects WHERE state <> 'ended'"


def damaged(conn: Connection) -> list[str]:
    """Return the messages of shared projects whose text or files are damaged here, and that the team has."""
    found = damaged_ids(conn)
    found += [
        row[0]
        for row in conn.exec_driver_sql(
            "SELECT DISTINCT message_id FROM message_parts p WHERE type IN ('image', 'file')"
            " AND json_valid(content) AND json_extract(content, '$.sha256') IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.part_id = p.id AND a.document_id IS NULL)"
        )
    ]
    return [
        row[0]
        for batch in batches(sorted(set(found)))
        for row in conn.exec_driver_sql(
            f"SELECT DISTINCT entity FROM changes WHERE entity IN ({marks(batch)}) AND kind = 'message' AND op = 'new'"
            f" AND state = {_TAKEN} AND project_id IN ({_RUNNING})",
            tuple(batch),
        )
    ]


def pull_again(conn: Connection, now: int) -> bool:
    """Prepare all shared projects to be pulled again from their beginning, before other repairs. Returns whether there
    are any. The profile becomes another device: of its own messages it only checks whether they come back."""
    shared = [row[0] for row in conn.exec_driver_sql(_RUNNING)]
    if not shared:
        return False
    for project_id in shared:
        conn.exec_driver_sql(
            "INSERT OR IGNORE INTO projects (id, name, colour, created_at) VALUES (?, ?, ?, ?)",
            (project_id, shown(PLACEHOLDER), DEFAULT_COLOUR, now),
        )
    _remove_damaged(conn, damaged(conn))
    # While the log still tells the kinds of all other heads.
    conn.exec_driver_sql(
        "INSERT OR IGNORE INTO register_heads (entity, reg, change_id) SELECT entity, reg, id FROM changes c"
        f" WHERE kind = 'message' AND op = 'new' AND state = {_TAKEN} AND project_id IN ({_RUNNING}) AND NOT EXISTS"
        f" (SELECT 1 FROM register_heads h WHERE h.entity = c.entity AND h.reg = c.reg AND {change_log.OF_KIND})",
        ("message", "message"),
    )
    for kind, table in (("thread", "threads"), ("summary", "summaries")):
        # Then they come as what is new.
        conn.exec_driver_sql(
            f"DELETE FROM changes WHERE kind = ? AND op = 'new' AND state = {_TAKEN} AND project_id IN ({_RUNNING})"
            f" AND entity NOT IN (SELECT id FROM {table})",
            (kind,),
        )
    if conn.exec_driver_sql("SELECT 1 FROM devices WHERE is_mine = 1").first() is not None:
        fork.fork(conn, now)
    for project_id in shared:
        be_quiet(conn, project_id)
        outbox.start_over(conn, project_id)
    return True


def _remove_damaged(conn: Connection, messages: Sequence[str]) -> None:
    """Remove the rest of damaged messages, because the team's copy is complete."""
    for batch in batches(messages):
        chosen = f"message_id IN ({marks(batch)})"
        conn.exec_driver_sql(
            f"DELETE FROM artifacts WHERE part_id IN (SELECT id FROM message_parts WHERE {chosen})", tuple(batch)
        )
        conn.exec_driver_sql(f"DELETE FROM message_parts WHERE {chosen}", tuple(batch))
        conn.exec_driver_sql(f"UPDATE messages SET content_digest = NULL WHERE id IN ({marks(batch)})", tuple(batch))


def be_quiet(conn: Connection, project_id: str) -> None:
    """Mark everything up to the cursor as old, so that it causes no notifications."""
    seq, progress = conn.exec_driver_sql(
        "SELECT seq, progress FROM shared_projects WHERE project_id = ?", (project_id,)
    ).one()
    said = from_json(progress)
    known = said.get("joined_seq")
    said["joined_seq"] = max(seq, known if isinstance(known, int) else 0)
    conn.exec_driver_sql("UPDATE shared_projects SET progress = ? WHERE project_id = ?", (json.dumps(said), project_id))
