"""Holds the page of a project's log that is being applied: the state shared by the steps, and the storing of its
changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.engine.bulk import insert_rows
from chatdesk.core.storage.engine.change_log import ERASED, Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync import outbox
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.projection.projection import Register
from chatdesk.core.storage.sync.registers import DELETE

CONFIRMED: Final = ChangeState.CONFIRMED.value
ORPHANED: Final = ChangeState.ORPHANED.value
PRIVATE: Final = ChangeState.PRIVATE.value
_UNCONFIRMED: Final = (ChangeState.PENDING.value, ChangeState.ACKNOWLEDGED.value)
# The beginning of ``problem`` for a change that waits, and for one that is never applied.
WAITS: Final = "waits:"
FOREIGN: Final = "foreign: "

_INSERT: Final = (
    "INSERT OR IGNORE INTO changes (id, project_id, seq, device, dseq, kind, op, entity, reg, parents, hlc, v, body,"
    " state, mine, at, author, problem, digest, erased)"
)


def rows_by_id(raw: sqlite3.Connection, query: str, ids: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Return the rows of ``query``, which ends in ``IN``, by their first column."""
    return {
        row[0]: row for batch in batches(sorted(set(ids))) for row in raw.execute(f"{query} ({marks(batch)})", batch)
    }


class Page:
    """A page while it is applied. ``effects`` collects its effects; ``registers`` are to be projected at the end;
    ``arrived`` are entities for which other changes may have waited; ``erased`` are changes whose text one of the
    ``erasures`` removed, or an earlier one. Changes up to ``joined_seq`` are older than this person's membership."""

    def __init__(
        self, conn: Connection, origin: Origin, project_id: str, effects: Effects, *, joined_seq: int = 0
    ) -> None:
        self.conn = conn
        self.raw: sqlite3.Connection = driver(conn)
        self.origin = origin
        self.project_id = project_id
        self.effects = effects
        self.joined_seq = joined_seq
        self.registers: set[Register] = set()
        self.arrived: list[str] = []
        self.erased: set[str] = set()
        self.erasures: list[PulledChange] = []

    def rows(self, query: str, ids: Iterable[str]) -> dict[str, tuple[Any, ...]]:
        """Return the rows of ``query``, which ends in ``IN``, by their first column."""
        return rows_by_id(self.raw, query, ids)

    def store(
        self,
        rows: Sequence[PulledChange],
        *,
        foreign: Mapping[str, str] = {},
        waiting: Mapping[str, str] = {},
        in_rows: Container[str] = (),
        has_heads: bool = True,
    ) -> None:
        """Store new changes: ``foreign`` ones are never applied, and ``waiting`` ones not yet; both say why, by their
        ids. ``in_rows``: those whose body need not be kept, as the rows of their message say all of it."""
        values = [self._values(row, foreign.get(row.id), waiting.get(row.id), in_rows) for row in rows]
        before = self.raw.total_changes
        insert_rows(self.raw, _INSERT, values)
        if self.raw.total_changes - before != len(values):
            for row, value in zip(rows, values, strict=True):
                if self.raw.execute("SELECT 1 FROM changes WHERE id = ?", (row.id,)).fetchone() is None:
                    self.free_slot(row.device, row.dseq)
                    insert_rows(self.raw, _INSERT, [value])
        if has_heads:
            insert_rows(
                self.raw,
                "INSERT OR IGNORE INTO register_heads (entity, reg, change_id)",
                [(row.entity, row.reg, row.id) for row in rows if row.id not in foreign],
            )

    def _values(
        self, row: PulledChange, foreign: str | None, waits_for: str | None, in_rows: Container[str]
    ) -> tuple[Any, ...]:
        state, problem, body = CONFIRMED, None, row.body
        if foreign is not None:
            problem = FOREIGN + foreign
        elif waits_for is not None:
            state, problem = ORPHANED, WAITS + waits_for
        elif row.id in in_rows:
            body = None
        return (
            row.id,
            self.project_id,
            row.seq,
            row.device,
            row.dseq,
            row.kind,
            row.op,
            row.entity,
            row.reg,
            json.dumps(row.parents) if row.parents else "[]",
            row.hlc,
            row.v,
            body if body is None or body.isascii() else clean(body),
            state,
            0,
            row.at,
            row.author,
            problem,
            row.digest,
            int(row.is_erased),
        )

    def wait_for(self, rows: Sequence[PulledChange], waiting: Mapping[str, str]) -> None:
        """Record that stored changes wait; ``waiting`` has what for, by their ids."""
        self.raw.executemany(
            "UPDATE changes SET state = ?, problem = ?, body = ? WHERE id = ?",
            [(ORPHANED, WAITS + waiting[row.id], row.body, row.id) for row in rows if row.id in waiting],
        )

    def free_slot(self, device: str, dseq: int) -> None:
        """Move the local change away from a number in a device's sequence that the server gave to another change."""
        here = "SELECT n, mine, state FROM changes WHERE device = ? AND dseq = ?"
        if (row := self.raw.execute(here, (device, dseq)).fetchone()) is None:
            return
        # A change of a device that this one was before may still have to be sent.
        if device == self.origin.device_id or (row[1] and row[2] in _UNCONFIRMED):
            outbox.renumber(self.conn, [row[0]])
        else:
            self.raw.execute("UPDATE changes SET dseq = ? WHERE n = ?", (-row[0], row[0]))

    def gather_erased(self, rows: Iterable[PulledChange]) -> None:
        """Remember which of these changes were erased, and which erase others."""
        for row in rows:
            if row.is_erased:
                self.erased.add(row.id)
            elif (row.kind, row.op, row.reg) == ("thread", DELETE, ERASED):
                self.erasures.append(row)
