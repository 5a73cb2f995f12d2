"""Erases messages of shared projects after their retention time, once a day on the computers of owners and admins,
because the server runs no such process.

The retention time is a register of the project (``lww.retention``), which only they may set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_results import Tending
from chatdesk.core.domain.sharing.team import LONGEST_RETENTION_DAYS, TeamRole
from chatdesk.core.errors import InvalidInput
from chatdesk.core.storage.chat import trash
from chatdesk.core.storage.engine.change_log import RETENTION, Origin, log_change
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import json_value, object_in
from chatdesk.core.storage.engine.rows import get_thread
from chatdesk.core.storage.sync import erasing, registers
from chatdesk.core.storage.sync.wire.rows import is_id
from chatdesk.core.texts import Text

_EVERY_MS: Final = 24 * 3600 * 1000


def due(conn: Connection, origin: Origin, project_id: str) -> Tending | None:
    """Return the clean-up to request of the server now; None if this person may not, or did so within a day."""
    row = conn.exec_driver_sql(
        f"SELECT role, state, coalesce({json_value('progress', 'tended_at')}, 0) FROM shared_projects"  # noqa: S608
        " WHERE project_id = ?",
        (project_id,),
    ).first()
    if row is None or row.state != "shared" or not TeamRole(row.role).can_manage:
        return None
    if abs(origin.now() - row[2]) < _EVERY_MS:
        return None
    return Tending(retention(conn, project_id))


def tended(conn: Connection, origin: Origin, project_id: str, expired: Sequence[tuple[str, str]]) -> None:
    """Record that the server did its part, and request the erasure of ``expired``, (thread, change), for everybody.
    Threads of which nothing is left move to the trash."""
    conn.exec_driver_sql(
        f"UPDATE shared_projects SET progress = json_set({object_in('progress')}, '$.tended_at', ?)"  # noqa: S608
        " WHERE project_id = ?",
        (origin.now(), project_id),
    )
    by_thread: dict[str, list[str]] = defaultdict(list)
    for thread_id, change_id in expired:
        if is_id(thread_id) and is_id(change_id):
            by_thread[thread_id].append(change_id)
    for thread_id, change_ids in by_thread.items():
        made = conn.exec_driver_sql(
            "SELECT id FROM changes WHERE entity = ? AND kind = 'thread' AND op = 'new' AND project_id = ?",
            (thread_id, project_id),
        ).scalar()
        if made is None:
            continue  # the thread has not arrived here yet
        if made in change_ids and get_thread(conn, thread_id).deleted_at is None:
            trash.delete_thread(conn, origin, thread_id)
        erasing.ask_for_changes(conn, origin, project_id, thread_id, change_ids)


def retention(conn: Connection, project_id: str) -> int | None:
    """Return for how many days messages of a shared project are kept; None: for ever."""
    rows = registers.read(driver(conn), project_id, "project", project_id, RETENTION)
    shown = registers.winner(registers.heads_of(rows))
    days = None if shown is None else shown.values().get("days")
    return (
        days if isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= LONGEST_RETENTION_DAYS else None
    )


def set_retention(conn: Connection, origin: Origin, project_id: str, days: int | None) -> None:
    """Set for how many days messages of a project are kept; carried out with the next round. Raises ``InvalidInput``,
    ``SharedReadOnly``, ``SharedNotOwn``."""
    if days is not None and not 1 <= days <= LONGEST_RETENTION_DAYS:
        raise InvalidInput(
            Text(
                "Messages are kept for 1 to {longest_retention_days} days.",
                longest_retention_days=LONGEST_RETENTION_DAYS,
            ),
            safe=Text("Nothing was changed."),
        )
    log_change(
        conn,
        origin,
        project_id=project_id,
        kind="project",
        op="edit",
        entity=project_id,
        reg=RETENTION,
        hlc=origin.hybrid_clock.next(),
        body={"days": days},
    )
    conn.exec_driver_sql(
        f"UPDATE shared_projects SET progress = json_remove({object_in('progress')}, '$.tended_at')"  # noqa: S608
        " WHERE project_id = ?",
        (project_id,),
    )
