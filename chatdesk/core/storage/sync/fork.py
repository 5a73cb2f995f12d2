"""Makes this profile another device, because a copy of it continues under the old id: a sequence has only one
writer."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.change_log import ERASED
from chatdesk.core.storage.engine.plain_text import from_json, to_json

_PENDING = int(ChangeState.PENDING)
_TAKEN = f"{int(ChangeState.CONFIRMED)}, {int(ChangeState.ACKNOWLEDGED)}"


def fork(conn: Connection, now: int) -> str:
    """Renumber the changes that the server does not have, in order, under the id of a new device, which is returned."""
    device = new_id()
    conn.exec_driver_sql(
        "INSERT INTO devices"
        " (id, is_mine, next_dseq, last_hlc, clock_offset_ms, commit_count, message_count, created_at)"
        " SELECT ?, 0, 1, last_hlc, clock_offset_ms, commit_count, message_count, ? FROM devices WHERE is_mine = 1",
        (device, now),
    )
    conn.exec_driver_sql("UPDATE devices SET is_mine = (id = ?)", (device,))
    rows = conn.exec_driver_sql(
        "SELECT c.n, c.project_id, c.device, c.op, c.reg, c.body FROM changes c JOIN shared_projects s"
        f" ON s.project_id = c.project_id AND s.state <> 'ended' WHERE c.state = {_PENDING} AND c.mine = 1 ORDER BY c.n"
    ).all()
    left = {(row.project_id, row.device) for row in rows}
    left |= {
        (row[0], row[1])
        for row in conn.exec_driver_sql(
            "SELECT s.project_id, d.id FROM shared_projects s, devices d WHERE s.state <> 'ended' AND d.id <> ?",
            (device,),
        )
    }
    reached = {key: _reached(conn, *key) for key in left}
    _record_seen(conn, reached)
    renumbered = []
    for dseq, row in enumerate(rows, start=1):
        body = row.body
        if row.op == "del" and row.reg != ERASED:
            body = _covers(body, device, dseq - 1, {old: n for (at, old), n in reached.items() if at == row.project_id})
        renumbered.append((device, dseq, body, row.n))
    if renumbered:
        conn.exec_driver_sql("UPDATE changes SET device = ?, dseq = ?, body = ? WHERE n = ?", renumbered)
        conn.exec_driver_sql("UPDATE devices SET next_dseq = ? WHERE id = ?", (len(renumbered) + 1, device))
    return device


def _reached(conn: Connection, project_id: str, device: str) -> int:
    """Return the newest change of an own device that the server accepted: later ones may be the copy's."""
    found = conn.exec_driver_sql(
        f"SELECT dseq FROM changes WHERE device = ? AND project_id = ? AND state IN ({_TAKEN})"
        " ORDER BY dseq DESC LIMIT 1",
        (device, project_id),
    ).scalar()
    return int(found or 0)


def _record_seen(conn: Connection, reached: dict[tuple[str, str], int]) -> None:
    seen = [(project_id, device, dseq) for (project_id, device), dseq in reached.items() if dseq]
    if seen:
        conn.exec_driver_sql(
            "INSERT INTO seen_changes (project_id, device, dseq) VALUES (?, ?, ?)"
            " ON CONFLICT (project_id, device) DO UPDATE SET dseq = max(dseq, excluded.dseq)",
            seen,
        )


def _covers(body: str | None, device: str, own: int, reached: dict[str, int]) -> str:
    """Return the body of a deletion for the new device. It covers what its author saw: of the old device what the
    server accepted, of the new one all that was numbered before."""
    value = from_json(body)
    stored = value.get("covers")
    covers = {
        name: min(dseq, reached.get(name, dseq)) for name, dseq in (stored if isinstance(stored, dict) else {}).items()
    }
    return to_json({**value, "covers": {**covers, device: own}})
