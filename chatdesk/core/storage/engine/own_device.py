"""Finds the device that a database belongs to, or makes one."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import insert_row


def own_device(conn: Connection) -> str:
    """Return the id of the device that this database belongs to."""
    return str(conn.exec_driver_sql("SELECT id FROM devices WHERE is_mine = 1").scalar_one())


def origin_of(conn: Connection, clock: Clock) -> Origin:
    """Return the origin of changes made in this database. Creates its device if there is none."""
    row = conn.exec_driver_sql("SELECT id, last_hlc FROM devices WHERE is_mine = 1").first()
    if row is not None:
        # Not observe(): our own stamps must grow even when the clock was set back since.
        return Origin(row[0], clock, HybridClock(clock, last=row[1]))
    device_id = new_id()
    insert_row(conn, tables.devices, id=device_id, is_mine=1, created_at=clock.now_ms())
    return Origin(device_id, clock, HybridClock(clock))
