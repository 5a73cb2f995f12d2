"""What this profile holds of a shared log, for *Check against the server*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from chatdesk.core.storage.rows import batches, marks


@dataclass(frozen=True, slots=True)
class HeldLog:
    """``seq`` and ``chain``: up to where the project was taken over; ``name`` is the project's."""

    project_id: str
    name: str
    seq: int
    chain: bytes | None


def held(conn: Connection, workspace_id: str) -> list[HeldLog]:
    """The logs of the shared projects of one workspace."""
    rows = conn.exec_driver_sql(
        "SELECT s.project_id, p.name, s.seq, s.chain FROM shared_projects s JOIN projects p ON p.id = s.project_id"
        " WHERE s.workspace_id = ? AND s.state = 'shared' ORDER BY s.project_id",
        (workspace_id,),
    )
    return [HeldLog(*row) for row in rows]


def unknown(conn: Connection, project_id: str, numbers: Sequence[tuple[int, str]]) -> list[int]:
    """Which of these (seq, change) are not here under that number, as numbers."""
    known: dict[str, int | None] = {}
    ids = [change_id for _, change_id in numbers]
    for batch in batches(ids):
        rows = conn.exec_driver_sql(
            f"SELECT id, seq FROM changes WHERE project_id = ? AND id IN ({marks(batch)})",  # noqa: S608
            (project_id, *batch),
        )
        known.update((row[0], row[1]) for row in rows)
    return [seq for seq, change_id in numbers if known.get(change_id) != seq]
