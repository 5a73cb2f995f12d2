"""*Check against the server*: compares the server's log with the local one, change by change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeVar

from chatdesk.core.domain.sharing.sync_wire import PULL_ROWS, PulledChange
from chatdesk.core.domain.sharing.team import Misfit, ServerCheck
from chatdesk.core.storage.engine.change_log import ERASED
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.sync import check, erasing
from chatdesk.core.storage.sync.check import HeldLog
from chatdesk.core.sync.ports import TeamStore
from chatdesk.core.texts import Text, plural

T = TypeVar("T")
_MOST_LISTED: Final = 50


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
        here = read(partial(check.places, project_id=log.project_id, change_ids=[row.id for row in rows]))
        for row in rows:
            found.compare(row, here.get(row.id))
    end, chain = (last.seq, last.chain) if last is not None else (0, None)
    found.missing += log.seq - end
    if log.misfit is not None:  # what does not fit comes after what was applied
        while rows := team.pull(log.project_id, last.seq if last is not None else 0, limit=PULL_ROWS):
            for row in rows:
                found.add(row, last)
                last = row
        found.is_withheld = log.misfit == Misfit.WITHHELD and (last is None or last.seq <= log.seq)
    found.is_other = bool(log.seq) and end == log.seq and chain != log.chain
    return found.compared, [
        Text("“{name}”: {sentence}", name=log.name, sentence=sentence) for sentence in found.sentences()
    ]


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
    is_withheld: bool = False
    asked: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)

    def add(self, row: PulledChange, before: PulledChange | None) -> None:
        """Compare a row with the one before: rows of the server are chained."""
        self.compared += 1
        seq, chain = (0, None) if before is None else (before.seq, before.chain)
        self.missing += row.seq - seq - 1
        if row.seq == seq + 1 and row.chain != row.chain_after(chain):
            self.unchained += 1
        elif not row.has_accepted_body:
            self.altered += 1
        if (row.op, row.kind, row.reg) == ("del", "thread", ERASED):
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
        said: list[str] = [text for text in self._counts(unasked) if text.number]
        if self.is_withheld:
            said.append(Text("the server says that it has newer changes, and does not send them."))
        if self.is_other and not said:
            said.append(Text("the server's history is not the one that this computer received."))
        return said

    def _counts(self, unasked: int) -> tuple[Text, ...]:
        return (
            plural(
                "{count} changes are missing on the server; somebody removed rows from its tables.",
                "{count} change is missing on the server; somebody removed rows from its tables.",
                self.missing,
            ),
            plural(
                "{count} changes are rewritten on the server, outside of ChatDesk.",
                "{count} change is rewritten on the server, outside of ChatDesk.",
                self.altered,
            ),
            plural(
                "{count} changes are out of the order that the server recorded; somebody changed its tables.",
                "{count} change is out of the order that the server recorded; somebody changed its tables.",
                self.unchained,
            ),
            plural(
                "{count} changes differ from what this computer received: the server has other text.",
                "{count} change differs from what this computer received: the server has other text.",
                self.replaced,
            ),
            plural(
                "{count} changes are emptied on the server, and nobody asked for that in ChatDesk.",
                "{count} change is emptied on the server, and nobody asked for that in ChatDesk.",
                unasked,
            ),
            plural(
                "{count} changes are on the server and not here.",
                "{count} change is on the server and not here.",
                self.unknown,
            ),
        )


def compare(read: Read, team: TeamStore, workspace_id: str) -> ServerCheck:
    """Compare every change up to this profile's cursor, of every shared project. Raises ``TeamError`` and
    ``StorageError``."""
    differences: list[str] = []
    changes = 0
    logs = read(lambda conn: check.held(conn, workspace_id))
    for log in logs:
        compared, found = compare_log(read, team, log)
        changes += compared
        differences += found
    waiting = read(lambda conn: check.waiting(conn, workspace_id))
    return ServerCheck(len(logs), changes, tuple(differences[:_MOST_LISTED]), waiting=waiting)
