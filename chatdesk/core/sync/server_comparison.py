"""*Check against the server*: compares the server's log with the local one, change by change, and then a replica made
of it with what is shown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import PULL_ROWS, PulledChange
from chatdesk.core.domain.sharing.team import Misfit, ServerCheck, Workspace
from chatdesk.core.storage.engine.change_log import ERASED
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.sync import check, erasing
from chatdesk.core.storage.sync.check import HeldLog
from chatdesk.core.storage.sync.replica import Replica, Shown, ShownHere, shown_here
from chatdesk.core.sync.ports import TeamStore
from chatdesk.core.texts import Text, plural

T = TypeVar("T")
_MOST_LISTED: Final = 50
_MOST_TRIES: Final = 5
_WAYS: Final = {
    "missing": Text("“{name}”: missing here: {what}."),
    "more": Text("“{name}”: only here, not in the team's log: {what}."),
    "other": Text("“{name}”: different here than in the team's log: {what}."),
}


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


class ServerComparison:
    """Compares one workspace of a profile with its server; used by one thread. ``folder``: for temporary files."""

    def __init__(self, read: Read, team: TeamStore, workspace: Workspace, *, clock: Clock, folder: Path) -> None:
        self._read = read
        self._team = team
        self._workspace = workspace
        self._clock = clock
        self._folder = folder

    def run(self) -> ServerCheck:
        """Compare every change up to this profile's cursor, of every shared project, and what they result in. Raises
        ``TeamError`` and ``StorageError``."""
        differences: list[str] = []
        repairable = []
        changes = 0
        logs = self._read(lambda conn: check.held(conn, self._workspace.id))
        for log in logs:
            compared, found = compare_log(self._read, self._team, log)
            changes += compared
            shown = [] if found else self._compare_shown(log)
            if shown:
                repairable.append(log.project_id)
            differences += found + shown
        waiting = self._read(lambda conn: check.waiting(conn, self._workspace.id))
        listed = tuple(differences[:_MOST_LISTED])
        return ServerCheck(len(logs), changes, listed, waiting=waiting, repairable=tuple(repairable))

    def _compare_shown(self, log: HeldLog) -> list[str]:
        """Compare the shown state with a replica made of the log, which was found to be the same."""
        replica = Replica(
            self._folder,
            self._clock,
            workspace_id=self._workspace.id,
            member_id=self._workspace.member_id,
            project_id=log.project_id,
        )
        with closing(replica):
            here = self._read(partial(shown_here, project_id=log.project_id))
            # In the meantime this profile may have applied more.
            for _ in range(_MOST_TRIES):
                while replica.seq < here.seq:
                    pulled = self._team.pull(log.project_id, replica.seq, limit=PULL_ROWS)
                    rows = [row for row in pulled if row.seq <= here.seq]
                    if not rows:
                        return []
                    replica.apply_page(rows)
                here = self._read(partial(shown_here, project_id=log.project_id))
                if replica.seq == here.seq:
                    return _differences(log.name, here, *replica.lines())
        return []


def _differences(name: str, here: ShownHere, there: Shown, without_words: frozenset[str]) -> list[str]:
    found: dict[tuple[str, str], int] = {}
    for kind, entity in sorted(here.lines.keys() | there.keys()):
        if entity in without_words or here.threads.get(entity, entity) in here.unsent:
            continue
        mine, theirs = here.lines.get((kind, entity)), there.get((kind, entity))
        if mine != theirs:
            way = "missing" if mine is None else "more" if theirs is None else "other"
            found[kind, way] = found.get((kind, way), 0) + 1
    return [_WAYS[way].filled(name=name, what=_amount(count, kind)) for (kind, way), count in found.items()]


def _amount(count: int, kind: str) -> str:
    if kind == "project":
        return Text("the project's settings")
    if kind == "thread":
        return plural("{count} threads", "{count} thread", count)
    if kind == "message":
        return plural("{count} messages", "{count} message", count)
    if kind == "summary":
        return plural("{count} summaries", "{count} summary", count)
    return f"{count:,} {kind}"
