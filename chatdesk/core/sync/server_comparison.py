"""*Check against the server*: compares the server's log with the local one, change by change, and then a replica made
of it with what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.sync_wire import PULL_ROWS, PulledChange
from chatdesk.core.domain.sharing.team import ServerCheck, Workspace
from chatdesk.core.plurals import counted
from chatdesk.core.storage.sync import check
from chatdesk.core.storage.sync.check import HeldLog
from chatdesk.core.storage.sync.replica import Replica, Shown, ShownHere, shown_here
from chatdesk.core.sync.log_check import Read, compare_log
from chatdesk.core.sync.ports import TeamStore

if TYPE_CHECKING:
    pass

T = TypeVar("T")
_MOST_TOLD: Final = 50
_MOST_TRIES: Final = 5
_WAYS: Final = {
    "missing": "{} of the team not shown here.",
    "more": "{} shown here, and the team shows none such.",
    "other": "{} shown otherwise here than by the team's log.",
}


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
            compared, found = self._compare_log(log)
            changes += compared
            shown = [] if found else self._compare_shown(log)
            if shown:
                repairable.append(log.project_id)
            differences += found + shown
        waiting = self._read(lambda conn: check.waiting(conn, self._workspace.id))
        told = tuple(differences[:_MOST_TOLD])
        return ServerCheck(len(logs), changes, told, waiting=waiting, repairable=tuple(repairable))

    def _compare_log(self, log: HeldLog) -> tuple[int, list[str]]:
        return compare_log(self._read, self._team, log)

    def _compare_shown(self, log: HeldLog) -> list[str]:
        """Compare what is shown with a replica made of the log, which was found to be the same."""
        with Replica(
            self._folder,
            self._clock,
            workspace_id=self._workspace.id,
            member_id=self._workspace.member_id,
            project_id=log.project_id,
        ) as replica:
            here = self._read(partial(shown_here, project_id=log.project_id))
            # Meanwhile this profile may have taken over more.
            for _ in range(_MOST_TRIES):
                while replica.seq < here.seq:
                    rows = [row for row in self._pull(log, replica.seq) if row.seq <= here.seq]
                    if not rows:
                        return []
                    replica.take(rows)
                here = self._read(partial(shown_here, project_id=log.project_id))
                if replica.seq == here.seq:
                    return _differences(log.name, here, *replica.lines())
        return []

    def _pull(self, log: HeldLog, seq: int) -> Sequence[PulledChange]:
        return self._team.pull(log.project_id, seq, limit=PULL_ROWS)


def _differences(name: str, here: ShownHere, there: Shown, without_words: frozenset[str]) -> list[str]:
    found: dict[tuple[str, str], int] = {}
    for kind, entity in sorted(here.lines.keys() | there.keys()):
        if entity in without_words or here.threads.get(entity, entity) in here.unsent:
            continue
        mine, theirs = here.lines.get((kind, entity)), there.get((kind, entity))
        if mine != theirs:
            way = "missing" if mine is None else "more" if theirs is None else "other"
            found[kind, way] = found.get((kind, way), 0) + 1
    return [f"“{name}”: {_WAYS[way].format(_amount(count, kind))}" for (kind, way), count in found.items()]


def _amount(count: int, kind: str) -> str:
    if kind == "project":
        return "the project's settings"
    return counted(count, kind, "summaries" if kind == "summary" else "")
