"""Stores the changes of a pulled page in the profile's log: with the server's numbers, and with what became of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.bulk import insert_rows
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import clean
from chatdesk.core.storage.sync import outbox
from chatdesk.core.storage.sync.inbox.messages import known_rows
from chatdesk.core.storage.sync.wire.rows import MessageRows

CONFIRMED: Final = ChangeState.CONFIRMED.value
UNCONFIRMED: Final = (ChangeState.PENDING.value, ChangeState.ACKNOWLEDGED.value)
ORPHANED: Final = ChangeState.ORPHANED.value
PRIVATE: Final = ChangeState.PRIVATE.value
# How ``problem`` begins of a change that waits, and of one that is never applied.
WAITS: Final = "waits:"
FOREIGN: Final = "foreign: "

_KNOWN = (
    "SELECT id, project_id, kind, op, entity, reg, state, device, dseq, seq, hlc, author, mine, problem,"
    " CASE WHEN mine = 0 THEN at END, erased, body FROM changes WHERE id IN"
)
_INSERT = (
    "INSERT OR IGNORE INTO changes (id, project_id, seq, device, dseq, kind, op, entity, reg, parents, hlc, v, body,"
    " state, mine, at, author, problem, digest, erased)"
)
_CONFIRM = (
    "UPDATE changes SET state = ?1, seq = ?2, device = ?3, dseq = ?4, hlc = ?5, author = ?6, digest = ?7,"
    " at = CASE WHEN mine = 1 THEN at ELSE ?8 END,"
    " problem = CASE WHEN problem LIKE 'foreign: %' THEN problem END,"
    " body = CASE WHEN erased & ?9 OR (kind = 'message' AND op = 'new') THEN body ELSE ?10 END, erased = erased & ?9"
    " WHERE id = ?11"
)


class KnownChange(NamedTuple):
    """A change of a pulled page that is stored already. ``at``: when the server had taken it, for a change of
    others."""

    id: str
    project_id: str
    kind: str
    op: str
    entity: str
    reg: str
    state: int
    device: str
    dseq: int
    seq: int | None
    hlc: int
    author: str | None
    mine: int
    problem: str | None
    at: int | None
    erased: int
    body: str | None

    def is_the_same(self, row: PulledChange, project_id: str) -> bool:
        """Return whether ``row``, which has the id of this change, is this change."""
        mine = (self.project_id, self.kind, self.op, self.entity, self.reg)
        return mine == (project_id, row.kind, row.op, row.entity, row.reg)

    def has_place(self, row: PulledChange) -> bool:
        """Return whether this change is where the server has it in its device's sequence."""
        return (self.device, self.dseq) == (row.device, row.dseq)


def known_changes(raw: sqlite3.Connection, ids: Iterable[str]) -> dict[str, KnownChange]:
    """Return those of these changes that are stored, by id."""
    return {key: KnownChange(*row) for key, row in known_rows(raw, _KNOWN, ids).items()}


class StoredChanges:
    """The log of one project. ``messages`` are those of the page that could be read, by the ids of their changes."""

    def __init__(self, conn: Connection, origin: Origin, project_id: str, messages: Mapping[str, MessageRows]) -> None:
        self._conn = conn
        self._raw = driver(conn)
        self._origin = origin
        self._project_id = project_id
        self._messages = messages

    def confirm(self, rows: Sequence[PulledChange]) -> None:
        """Record the server's numbers for changes that are stored already. A message that was waiting for another goes
        on waiting until it is looked at."""
        self._raw.executemany(
            _CONFIRM,
            [
                (
                    CONFIRMED, row.seq, row.device, row.dseq, row.hlc, row.author, row.digest,
                    row.at, int(row.is_erased), row.body, row.id,
                )
                for row in rows
            ],
        )  # fmt: skip

    def wait_for(self, rows: Sequence[PulledChange], waiting: Mapping[str, str]) -> None:
        """Record that changes wait; ``waiting`` has what for, by their ids."""
        self._raw.executemany(
            "UPDATE changes SET state = ?, problem = ?, body = ? WHERE id = ?",
            [(ORPHANED, waiting[row.id], row.body, row.id) for row in rows if row.id in waiting],
        )

    def store_with(
        self,
        rows: Sequence[PulledChange],
        foreign: Mapping[str, str],
        waiting: Mapping[str, str],
        *,
        has_heads: bool = True,
    ) -> None:
        """Store new changes: ``foreign`` ones are never applied, and ``waiting`` ones not yet; both say why."""
        entries: list[tuple[PulledChange, int, str | None, str | None]] = []
        for row in rows:
            is_applied = row.id not in foreign and row.id not in waiting
            is_message = (row.kind, row.op, row.reg) == ("message", "new", change_log.CONTENT)
            # Its words are in rows of their own, and only what these cannot say has to be kept as it came.
            is_in_rows = is_applied and is_message and not row.is_erased
            body = None if is_in_rows and self._messages[row.id].is_exact else row.body
            if row.id in foreign:
                entries.append((row, CONFIRMED, FOREIGN + foreign[row.id], body))
            elif row.id in waiting:
                entries.append((row, ORPHANED, waiting[row.id], body))
            else:
                entries.append((row, CONFIRMED, None, body))
        self.store(entries)
        if has_heads:
            insert_rows(
                self._raw,
                "INSERT OR IGNORE INTO register_heads (entity, reg, change_id)",
                [(row.entity, row.reg, row.id) for row in rows if row.id not in foreign],
            )

    def store(self, entries: Sequence[tuple[PulledChange, int, str | None, str | None]]) -> None:
        """Store new changes, each with its state, its problem and its body."""
        values = [
            (
                row.id,
                self._project_id,
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
            for row, state, problem, body in entries
        ]
        before = self._raw.total_changes
        insert_rows(self._raw, _INSERT, values)
        if self._raw.total_changes - before == len(values):
            return
        for row, value in zip((entry[0] for entry in entries), values, strict=True):
            if self._raw.execute("SELECT 1 FROM changes WHERE id = ?", (row.id,)).fetchone() is None:
                self.free_slot(row.device, row.dseq)
                insert_rows(self._raw, _INSERT, [value])

    def free_slot(self, device: str, dseq: int) -> None:
        """Move the local change away from a number in a device's sequence that the server gave to another change."""
        here = "SELECT n, mine, state FROM changes WHERE device = ? AND dseq = ?"
        if (row := self._raw.execute(here, (device, dseq)).fetchone()) is None:
            return
        # A change of a device that this one was before may still have to be sent.
        if device == self._origin.device_id or (row[1] and row[2] in UNCONFIRMED):
            outbox.renumber(self._conn, [row[0]])
        else:
            self._raw.execute("UPDATE changes SET dseq = ? WHERE n = ?", (-row[0], row[0]))
