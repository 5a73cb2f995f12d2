"""What changed, one row a change, written in the transaction of the change: team sync sends these rows.

A register is (entity, reg). Its heads are the changes no other change names as a parent. A change made here names the
heads it saw. ``reg`` that starts with ``lww.`` shows only the winner; every other one keeps all versions. Bodies of
messages are not copied: a message does not change once it is final, and is read when it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.ids import new_id
from chatdesk.core.storage.plain_text import to_json

CONTENT = "content"
TITLE = "title"
MODEL = "lww.model"
PINNED = "lww.pinned"
ARCHIVED = "lww.archived"


class Origin:
    """This device: who stamps rows, and when."""

    def __init__(self, device_id: str, clock: Clock, hybrid_clock: HybridClock) -> None:
        self.device_id = device_id
        self.clock = clock
        self.hybrid_clock = hybrid_clock

    def now(self) -> int:
        return self.clock.now_ms()

    def stamp(self) -> dict[str, Any]:
        """The two columns that every shareable row carries."""
        return {"hlc": self.hybrid_clock.next(), "origin_device": self.device_id}


def log_change(
    conn: Connection,
    origin: Origin,
    *,
    project_id: str,
    kind: str,
    op: str,
    entity: str,
    hlc: int,
    reg: str = CONTENT,
    body: Mapping[str, Any] | None = None,
) -> str:
    """Append one change and make it the only head of its register. Returns its id."""
    dseq = conn.exec_driver_sql(
        "UPDATE devices SET next_dseq = next_dseq + 1, last_hlc = max(last_hlc, ?)"
        " WHERE id = ? RETURNING next_dseq - 1",
        (hlc, origin.device_id),
    ).scalar_one()
    change_id = new_id()
    parents: list[str] = []
    if op != "new":
        heads = conn.exec_driver_sql(
            "SELECT change_id FROM register_heads WHERE entity = ? AND reg = ? ORDER BY change_id", (entity, reg)
        )
        parents = [row[0] for row in heads]
        conn.exec_driver_sql("DELETE FROM register_heads WHERE entity = ? AND reg = ?", (entity, reg))
    conn.exec_driver_sql(
        "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, body, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            change_id,
            project_id,
            origin.device_id,
            dseq,
            kind,
            op,
            entity,
            reg,
            json.dumps(parents),
            hlc,
            None if body is None else to_json(body),
            origin.now(),
        ),
    )
    conn.exec_driver_sql(
        "INSERT INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)", (entity, reg, change_id)
    )
    return change_id


def log_new(conn: Connection, origin: Origin, *, project_id: str, kind: str, entities: Sequence[str]) -> None:
    """Append the making of many things at once, in their order."""
    first = conn.exec_driver_sql(
        "UPDATE devices SET next_dseq = next_dseq + ? WHERE id = ? RETURNING next_dseq - ?",
        (len(entities), origin.device_id, len(entities)),
    ).scalar_one()
    now, device = origin.now(), origin.device_id
    ids = [new_id() for _ in entities]
    stamps = [origin.hybrid_clock.next() for _ in entities]
    conn.exec_driver_sql(
        "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, at)"
        " VALUES (?, ?, ?, ?, ?, 'new', ?, ?, '[]', ?, ?)",
        [
            (ids[place], project_id, device, first + place, kind, entity, CONTENT, stamps[place], now)
            for place, entity in enumerate(entities)
        ],
    )
    conn.exec_driver_sql(
        "INSERT INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)",
        [(entity, CONTENT, change) for entity, change in zip(entities, ids, strict=True)],
    )
    conn.exec_driver_sql("UPDATE devices SET last_hlc = max(last_hlc, ?) WHERE id = ?", (stamps[-1], device))
