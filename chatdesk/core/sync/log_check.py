"""The first half of *Check against the server*: compares the server's log with itself, as its rows are chained, and
with the copy here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from chatdesk.core.domain.sharing.sync_wire import PULL_ROWS, PulledChange
from chatdesk.core.plurals import counted
from chatdesk.core.storage.engine.change_log import ERASED
from chatdesk.core.storage.sync import check, erasing
from chatdesk.core.storage.sync.check import HeldLog
from chatdesk.core.sync.ports import TeamStore

if TYPE_CHECKING:
    from chatdesk.core.storage.engine.connection import Connection

T = TypeVar("T")


class Read(Protocol):
    """Runs a function in a read transaction and returns its result."""

    def __call__(self, work: Callable[[Connection], T], /) -> T: ...


def compare_log(read: Read, team: TeamStore, log: HeldLog) -> tuple[int, list[str]]:
    """Return how many changes were compared, and the differences as sentences: missing, moved, rewritten or unknown
    changes."""
    found = _Found()
    last: PulledChange | None = None
    while (last.seq if last is not None else 0) < log.seq:
        after = last.seq if last is not None else 0
        rows = [row for row in team.pull(log.project_id, after, limit=PULL_ROWS) if row.seq <= log.seq]
        if not rows:
            break
        for row in rows:
            found.add(row, last)
            last = row
        here = read(partial(_held, project_id=log.project_id, ids=[row.id for row in rows]))
        for row in rows:
            found.compare(row, here.get(row.id))
    end = last.seq if last is not None else 0
    found.missing += log.seq - end
    found.is_other = bool(log.seq) and end == log.seq and last is not None and last.chain != log.chain
    return found.compared, [f"“{log.name}”: {sentence}" for sentence in found.sentences()]


@dataclass(slots=True)
class _Found:
    """Counts of the differences in one project."""

    compared: int = 0
    missing: int = 0
    unchained: int = 0
    altered: int = 0
    replaced: int = 0
    unknown: int = 0
    is_other: bool = False
    asked: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)

    def add(self, row: PulledChange, before: PulledChange | None) -> None:
        """Compare a row with the one before: rows of the server are chained."""
        self.compared += 1
        seq, chain = (0, None) if before is None else (before.seq, before.chain)
        self.missing += row.seq - seq - 1
        if row.seq == seq + 1 and row.chain != row.chain_after(chain):
            self.unchained += 1
        elif not row.is_as_taken:
            self.altered += 1
        if row.reg == ERASED:
            self.asked.update(erasing.named(row.body))
        elif row.is_erased and not row.reg.startswith("lww."):  # of these, old ones are compacted
            self.erased.add(row.id)

    def compare(self, row: PulledChange, here: tuple[int | None, bytes | None] | None) -> None:
        """Compare a row with the local copy, which is (sequence number, digest)."""
        if here is None or here[0] != row.seq:
            self.unknown += 1
        elif here[1] is not None and here[1] != row.digest:
            self.replaced += 1

    def sentences(self) -> list[str]:
        unasked = len(self.erased - self.asked)
        said = [
            f"{counted(number, 'change is', 'changes are')} {what}"
            for number, what in (
                (self.missing, "missing on the server; somebody removed rows from its tables."),
                (self.altered, "rewritten on the server, outside of ChatDesk."),
                (self.unchained, "not where the server's own chain says; its tables were changed."),
                (self.replaced, "not what was taken over here: the server has other words."),
                (unasked, "emptied on the server, and nobody asked for that in ChatDesk."),
                (self.unknown, "on the server and not here."),
            )
            if number
        ]
        if self.is_other and not said:
            said.append("the server has another history than the one that was taken over.")
        return said


def _held(conn: Connection, *, project_id: str, ids: Sequence[str]) -> dict[str, tuple[int | None, bytes | None]]:
    return check.places(conn, project_id, ids)
