"""Registers in the log: which changes count, which of them are heads, and which head is shown.

A register is (kind, entity, reg) within one project. A thread and a message of the same id, which only a hostile member
makes, are different entities. Changes that the server refused or that were never sent do not count, nor do changes of
another project. Nothing here depends on the order in which changes arrived.
"""

# ruff: noqa: S608 - statements are assembled from constants of this module; values are always bound

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.sync.wire.rows import moment, read_object

DELETE: Final = "del"
# ``problem`` of a text of this person that another member's, written at the same time, took the place of.
OVERRULED: Final = "overruled"
# The plus in front of a column keeps SQLite from going through all changes of the project.
# In SQL: whether a row of ``changes`` counts.
COUNTS: Final = f"state NOT IN ({ChangeState.REFUSED.value}, {ChangeState.PRIVATE.value})"

# Changes that were never applied are excluded: whether they count would depend on the other rows of their page.
_APPLIED = f"+project_id = ? AND {COUNTS} AND (problem IS NULL OR problem NOT LIKE 'foreign: %')"
_COLUMNS = "id, device, dseq, kind, op, parents, hlc, body, seq, author, mine"
_ROWS = f"SELECT {_COLUMNS} FROM changes WHERE entity = ? AND reg = ? AND +kind = ? AND {_APPLIED}"
_ROWS_BETWEEN = (
    f"SELECT reg, {_COLUMNS} FROM changes WHERE entity = ? AND reg > ? AND reg < ? AND +kind = ? AND {_APPLIED}"
)
# If no creation of the thread counts, the values of an uncounted one are used.
_MADE = (
    "SELECT body FROM changes WHERE entity = ? AND reg = 'content' AND op = 'new' AND +kind = ? AND +project_id = ?"
    f" ORDER BY {COUNTS} DESC, id LIMIT 1"
)
_FIRST_MADE: Final = (
    "SELECT author FROM changes WHERE entity = ? AND reg = 'content' AND op = 'new' AND +kind = 'thread'"
    f" AND +project_id = ? AND seq IS NOT NULL AND {COUNTS} AND (problem IS NULL OR problem NOT LIKE 'foreign: %')"
    " ORDER BY seq LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class LogRow:
    """A change of one register; ``seq`` is None until it came back from the server."""

    id: str
    device: str
    dseq: int
    kind: str
    op: str
    parents: frozenset[str]
    hlc: int
    body: str | None
    seq: int | None
    author: str | None
    is_mine: bool

    def values(self) -> dict[str, Any]:
        """Return the content of the body; empty if it is not a JSON object."""
        return read_object(self.body) or {}

    def covers(self) -> Mapping[str, int]:
        """Return, for a deletion, the newest change of each device that its author had seen."""
        covers = self.values().get("covers")
        if not isinstance(covers, dict):
            return {}
        return {device: dseq for device, dseq in covers.items() if type(dseq) is int}


def read(raw: sqlite3.Connection, project_id: str, kind: str, entity: str, reg: str) -> list[LogRow]:
    """Return all changes of a register that count."""
    return [log_row(row) for row in raw.execute(_ROWS, (entity, reg, kind, project_id))]


def read_between(
    raw: sqlite3.Connection, project_id: str, kind: str, entity: str, ends: tuple[str, str]
) -> dict[str, list[LogRow]]:
    """Return all changes that count of the registers whose names are between two, by register."""
    found: dict[str, list[LogRow]] = defaultdict(list)
    for reg, *row in raw.execute(_ROWS_BETWEEN, (entity, *ends, kind, project_id)):
        found[reg].append(log_row(row))
    return found


def log_row(row: Sequence[Any]) -> LogRow:
    """Return a ``LogRow`` from its columns, in their order."""
    change_id, device, dseq, kind, op, parents, hlc, body, seq, author, mine = row
    return LogRow(change_id, device, dseq, kind, op, _parents(parents), hlc, body, seq, author, bool(mine))


def _parents(stored: str) -> frozenset[str]:
    if stored == "[]":
        return frozenset()
    try:
        value = json.loads(stored)
    except ValueError:
        return frozenset()
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()


def heads_of(rows: Sequence[LogRow]) -> list[LogRow]:
    """Return the changes that no other change names as its parent. If changes name each other in a cycle, which only a
    hostile client writes, the newest is the head."""
    named = {parent for row in rows for parent in row.parents if parent != row.id}
    heads = [row for row in rows if row.id not in named]
    return heads or ([max(rows, key=_order)] if rows else [])


def winner(heads: Iterable[LogRow]) -> LogRow | None:
    """Return the head that is shown; None if all of them are deletions."""
    return max((row for row in heads if row.op != DELETE), key=_order, default=None)


def _order(row: LogRow) -> tuple[int, str]:
    return row.hlc, row.id


def deleted_at(deletions: Iterable[LogRow], now: int) -> int:
    """Return the moment that the last of these deletions gives, at the latest ``now``."""
    said = [moment(row.values().get("deleted_at"), now) for row in sorted(deletions, key=_order)]
    return next((each for each in reversed(said) if each), now)


def update_heads(
    raw: sqlite3.Connection, project_id: str, kind: str, entity: str, reg: str
) -> tuple[list[LogRow], list[LogRow]]:
    """Compute the heads of a register and store them. Returns all rows, and the heads."""
    rows = read(raw, project_id, kind, entity, reg)
    heads = heads_of(rows)
    wanted = {row.id for row in heads}
    kept = {row[0] for row in raw.execute(change_log.HEADS, (entity, reg, kind))}
    if wanted != kept:
        raw.executemany(change_log.DROP_HEAD, [(entity, reg, change_id) for change_id in kept - wanted])
        raw.executemany(change_log.ADD_HEAD, [(entity, reg, change_id) for change_id in wanted - kept])
    return rows, heads


def made_with(raw: sqlite3.Connection, project_id: str, kind: str, entity: str) -> dict[str, Any]:
    """Return the body of an entity's creation: the value of every register that was not changed since."""
    row = raw.execute(_MADE, (entity, kind, project_id)).fetchone()
    return {} if row is None else read_object(row[0]) or {}


def member_of(raw: sqlite3.Connection, project_id: str) -> str | None:
    """Return this person's member id in the workspace of a project; None if it is not shared."""
    row = raw.execute(
        "SELECT w.member_id FROM shared_projects s JOIN workspaces w ON w.id = s.workspace_id WHERE s.project_id = ?",
        (project_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def first_author(raw: sqlite3.Connection, project_id: str, thread_id: str) -> str | None:
    """Return the author of the first creation of a thread in the server's order, because a forged log can create it
    again. None where the log does not say."""
    row = raw.execute(_FIRST_MADE, (thread_id, project_id)).fetchone()
    return None if row is None else row[0]
