"""Joins a parked workspace again: this profile becomes another device, and its projects are pulled whole.

Unsent changes are kept. This is for a profile that was restored or repaired, or that has a copy in use.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.errors import NotPossible
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.change_log import ERASED
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.engine.plain_text import from_json, json_value, object_in, to_json
from chatdesk.core.storage.sync import outbox, parked_workspaces
from chatdesk.core.texts import Text

_TAKEN: Final = f"{int(ChangeState.CONFIRMED)}, {int(ChangeState.ACKNOWLEDGED)}"


def join_again(conn: Connection, workspace_id: str, now_ms: int) -> None:
    """Prepare a workspace that this profile was in for being joined again, if it is parked: as another device, pulling
    everything. Raises ``NotPossible`` while an answer is being written in one of its projects: the log may have another
    end of it."""
    raw = driver(conn)
    parked = f"SELECT 1 FROM workspaces WHERE id = ? AND {parked_workspaces.CONDITION}"
    if raw.execute(parked, (workspace_id,)).fetchone() is None:
        return
    shared = "SELECT project_id FROM shared_projects WHERE workspace_id = ? AND state <> 'ended'"
    unfinished = (
        "SELECT 1 FROM messages m JOIN threads t ON t.id = m.thread_id"
        f" WHERE m.status IN ('pending', 'streaming') AND t.project_id IN ({shared}) LIMIT 1"
    )
    if raw.execute(unfinished, (workspace_id,)).fetchone() is not None:
        raise NotPossible(
            Text("An answer in a shared project is still being written."),
            next_step=Text("Wait until it ends, or stop it, then connect again."),
        )
    if parked_workspaces.has_same_device(raw):  # false if another workspace was joined before
        become_another_device(conn, now_ms)
    for (project_id,) in raw.execute(shared, (workspace_id,)).fetchall():
        # Everything up to here was news once.
        raw.execute(
            f"UPDATE shared_projects SET progress = json_set({object_in('progress')}, '$.joined_seq',"
            f" max(seq, coalesce({json_value('progress', 'joined_seq')}, 0))) WHERE project_id = ?",
            (project_id,),
        )
        outbox.start_over(conn, project_id)


def become_another_device(conn: Connection, now_ms: int) -> None:
    """Number the changes that no server has, in order, as those of a new device."""
    raw = driver(conn)
    old, new = own_device(conn), new_id()
    raw.execute(
        "INSERT INTO devices"
        " (id, is_mine, next_dseq, last_hlc, clock_offset_ms, commit_count, message_count, created_at)"
        " SELECT ?, 0, 1, last_hlc, clock_offset_ms, commit_count, message_count, ? FROM devices WHERE is_mine = 1",
        (new, now_ms),
    )
    raw.execute("UPDATE devices SET is_mine = (id = ?)", (new,))
    # Later changes of the old device are not this profile's.
    raw.execute(
        "INSERT INTO seen_changes (project_id, device, dseq) SELECT project_id, device, max(dseq) FROM changes"
        f" WHERE device = ? AND state IN ({_TAKEN}) GROUP BY project_id, device"
        " ON CONFLICT (project_id, device) DO UPDATE SET dseq = max(dseq, excluded.dseq)",
        (old,),
    )
    reached = dict(raw.execute("SELECT project_id, dseq FROM seen_changes WHERE device = ?", (old,)).fetchall())
    unsent = raw.execute(
        "SELECT n, project_id, op, reg, body FROM changes WHERE mine = 1 AND state = ? AND project_id IN"
        " (SELECT project_id FROM shared_projects WHERE state <> 'ended') ORDER BY n",
        (int(ChangeState.PENDING),),
    ).fetchall()
    outbox.renumber(conn, [row[0] for row in unsent])
    for place, (n, project_id, op, reg, body) in enumerate(unsent):
        if op == "del" and reg != ERASED:
            # A deletion covers the changes that its author saw: those of the old device that the server accepted, and
            # all earlier ones of the new one.
            value = from_json(body)
            covers: dict[str, Any] = value["covers"] if isinstance(value.get("covers"), dict) else {}
            if old in covers:
                covers = {**covers, old: min(covers[old], reached.get(project_id, 0))}
            said = to_json({**value, "covers": {**covers, new: place}})
            raw.execute("UPDATE changes SET body = ? WHERE n = ?", (said, n))
