"""*Check against the server*: walks through what the server has and compares it with what was taken over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from chatdesk.core.domain.chain import next_chain
from chatdesk.core.domain.sync_wire import PULL_ROWS
from chatdesk.core.domain.team import ServerCheck
from chatdesk.core.storage import sync_check
from chatdesk.core.storage.sync_check import HeldLog
from chatdesk.core.sync.ports import TeamStore

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

T = TypeVar("T")
_MOST_TOLD: Final = 50


class Read(Protocol):
    """Runs its argument in a transaction."""

    def __call__(self, work: Callable[[Connection], T], /) -> T: ...


def compare(read: Read, team: TeamStore, workspace_id: str) -> ServerCheck:
    """Every change up to where this profile is, of every shared project.
    Raises ``TeamError`` and ``StorageError``."""
    differences: list[str] = []
    changes = 0
    logs = read(lambda conn: sync_check.held(conn, workspace_id))
    for log in logs:
        compared, found = _compare_one(read, team, log)
        changes += compared
        differences += found
    return ServerCheck(len(logs), changes, tuple(differences[:_MOST_TOLD]))


def _compare_one(read: Read, team: TeamStore, log: HeldLog) -> tuple[int, list[str]]:
    """How many changes were compared, and what differs."""
    seq, chain = 0, None
    missing = 0
    while seq < log.seq:
        rows = [row for row in team.pull(log.project_id, seq, limit=PULL_ROWS) if row.seq <= log.seq]
        if not rows or rows[0].seq != seq + 1:
            return seq, [f"“{log.name}”: the server has {seq:,} of the {log.seq:,} changes that are here."]
        for row in rows:
            chain = next_chain(chain, row.id, row.device, row.dseq, row.hlc)
            if row.chain != chain:
                return seq, [f"“{log.name}”: the server's history is not consistent at change {row.seq:,}."]
        numbers = [(row.seq, row.id) for row in rows]
        missing += len(read(partial(_unknown, project_id=log.project_id, numbers=numbers)))
        seq = rows[-1].seq
    differences = []
    if missing:
        word = "change of the server is" if missing == 1 else "changes of the server are"
        differences.append(f"“{log.name}”: {missing:,} {word} not here.")
    if chain != log.chain and log.seq:
        differences.append(f"“{log.name}”: the server has another history than the one that was taken over.")
    return seq, differences


def _unknown(conn: Connection, *, project_id: str, numbers: Sequence[tuple[int, str]]) -> list[int]:
    return sync_check.unknown(conn, project_id, numbers)
