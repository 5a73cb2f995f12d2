"""Reads this profile's copy of a shared log, for *Check against the server*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from chatdesk.core.storage.engine.rows import batches, marks


@dataclass(frozen=True, slots=True)
class HeldLog:
    """The local copy of one project's log. ``seq`` and ``chain``: the last change that was applied; ``name`` is the
    project's. ``is_misfit``: what follows at the server does not fit."""

    project_id: str
    name: str
    seq: int
    chain: bytes | None
    is_misfit: bool = False


def held(conn: Connection, workspace_id: str) -> list[HeldLog]:
    """Return the logs of the shared projects of one workspace."""
    rows = conn.exec_driver_sql(
        "SELECT s.project_id, p.name, s.seq, s.chain, json_extract(s.progress, '$.misfit') IS NOT NULL"
        " FROM shared_projects s JOIN projects p ON p.id = s.project_id"
        " WHERE s.workspace_id = ? AND s.state = 'shared' ORDER BY s.project_id",
        (workspace_id,),
    )
    return [HeldLog(*row) for row in rows]


def places(conn: Connection, project_id: str, change_ids: Sequence[str]) -> dict[str, tuple[int | None, bytes | None]]:
    """Return (sequence number, digest) by change id, for those of these changes that are stored here."""
    return {
        row[0]: (row[1], row[2])
        for batch in batches(list(change_ids))
        for row in conn.exec_driver_sql(
            f"SELECT id, seq, digest FROM changes WHERE project_id = ? AND id IN ({marks(batch)})",  # noqa: S608
            (project_id, *batch),
        )
    }


def waiting(conn: Connection, workspace_id: str) -> int:
    """Return how many changes of a workspace's projects the server does not have yet."""
    return int(
        conn.exec_driver_sql(
            "SELECT count(*) FROM changes c JOIN shared_projects s ON s.project_id = c.project_id"
            " WHERE s.workspace_id = ? AND s.state <> 'ended' AND c.state = 0",
            (workspace_id,),
        ).scalar_one()
    )
