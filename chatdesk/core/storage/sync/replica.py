"""Builds a shared project from its team's log in a temporary database, to compare it with what this profile shows.

The same code applies the log, so any difference here has another cause.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock, HybridClock
from chatdesk.core.domain.sharing.sync_results import Cursor
from chatdesk.core.domain.sharing.sync_wire import ProjectHead, PulledChange
from chatdesk.core.domain.sharing.team import ChangeState, ServerAddress, TeamRole, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine import schema_upgrade, tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver, insert_row, open_to_write
from chatdesk.core.storage.sync import digest, outbox, salvage, sharing, team
from chatdesk.core.storage.sync.inbox import inbox
from chatdesk.core.storage.sync.projection import projection
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.registers import member_of

# What is shown, by (kind, id), as a digest of all that it says.
Shown = Mapping[tuple[str, str], bytes]
_UNSENT: Final = (
    f"c.project_id = ? AND (c.state IN ({int(ChangeState.PENDING)}, {int(ChangeState.ACKNOWLEDGED)})"
    f" OR (c.state = {int(ChangeState.ORPHANED)} AND c.seq IS NULL))"
)
_REGISTERS_A_STEP: Final = 2000
_PREFIX: Final = ".check-"


@dataclass(frozen=True, slots=True)
class ShownHere:
    """The content of a project as this profile shows it at its cursor. ``unsent``: threads, and the project itself,
    with changes that wait to be sent or that the server lost: they may rightly differ."""

    seq: int
    lines: Shown
    unsent: frozenset[str]
    threads: Mapping[str, str]


class Replica:
    """A temporary copy of one project. ``folder``: where its database is kept. Used by one thread."""

    def __init__(self, folder: Path, clock: Clock, *, workspace_id: str, member_id: str, project_id: str) -> None:
        self.seq = 0
        self._project_id = project_id
        self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=folder)
        self._conn = open_to_write(Path(self._folder.name) / "replica.sqlite3")
        driver(self._conn).execute("PRAGMA synchronous=OFF")
        self._origin = Origin(new_id(), clock, HybridClock(clock))
        workspace = Workspace(workspace_id, "", ServerAddress("", 0, "", ""), member_id, False, 0)
        head = ProjectHead(project_id, TeamRole.VIEWER.value, "", 2**53)
        with self._conn.begin():
            schema_upgrade.create(self._conn)
            insert_row(self._conn, tables.devices, id=self._origin.device_id, is_mine=1, created_at=0)
            team.add_workspace(self._conn, workspace)
            sharing.adopt(self._conn, self._origin, head, workspace_id)

    def close(self) -> None:
        self._conn.close()
        self._folder.cleanup()

    def apply_page(self, rows: Sequence[PulledChange]) -> None:
        """Apply the next page of the log."""
        page = inbox.prepare(rows, own_device=self._origin.device_id)
        after = Cursor(self._project_id, self.seq, None)
        with self._conn.begin():
            inbox.apply(self._conn, self._origin, self._project_id, page, after=after)
        self.seq = rows[-1].seq

    def lines(self) -> tuple[Shown, frozenset[str]]:
        """Return the shown state of the copy, and the messages whose text is in a file, which is not fetched for
        this."""
        with self._conn.begin():
            waiting = driver(self._conn).execute(
                "SELECT entity FROM changes WHERE kind = 'message' AND problem LIKE 'waits:%'"
            )
            return _lines(self._conn, self._project_id), frozenset(row[0] for row in waiting)


def remove_left_copies(folder: Path) -> None:
    """Remove the copies of comparisons that were killed, while none is running."""
    for left in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def shown_here(conn: Connection, project_id: str) -> ShownHere:
    """Read the shown state of a project in this profile, in one transaction."""
    raw = driver(conn)
    seq = raw.execute("SELECT seq FROM shared_projects WHERE project_id = ?", (project_id,)).fetchone()
    threads = dict(
        raw.execute(
            "SELECT m.id, m.thread_id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ?1"
            " UNION ALL SELECT s.id, s.thread_id FROM summaries s JOIN threads t ON t.id = s.thread_id"
            " WHERE t.project_id = ?1",
            (project_id,),
        ).fetchall()
    )
    unsent = {
        threads.get(row[0], row[0])
        for row in raw.execute(f"SELECT DISTINCT c.entity FROM changes c WHERE {_UNSENT}", (project_id,))  # noqa: S608
    }
    return ShownHere(0 if seq is None else seq[0], _lines(conn, project_id), frozenset(unsent), threads)


def _lines(conn: Connection, project_id: str) -> Shown:
    return {
        (line[0], project_id if line[0] == "project" else line[1]): _digest(line)
        for line in digest.lines(driver(conn), project_id)
    }


def _digest(line: tuple[Any, ...]) -> bytes:
    return blake2b(json.dumps(line, ensure_ascii=True).encode(), digest_size=12).digest()


def registers(conn: Connection, project_id: str) -> list[projection.Register]:
    """Return all registers that the log has changes of."""
    rows = conn.exec_driver_sql(
        "SELECT DISTINCT kind, entity, reg FROM changes WHERE project_id = ? ORDER BY 1, 2, 3", (project_id,)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def steps(found: Sequence[projection.Register]) -> list[Sequence[projection.Register]]:
    return [found[start : start + _REGISTERS_A_STEP] for start in range(0, len(found), _REGISTERS_A_STEP)]


def project_again(
    conn: Connection, *, origin: Origin, project_id: str, registers: Sequence[projection.Register]
) -> None:
    """Update the rows of these registers from the log."""
    effects = Effects(me=member_of(driver(conn), project_id), is_quiet=True)
    projection.project_many(conn, origin, project_id, registers, effects)


def start_over_quietly(conn: Connection, project_id: str) -> None:
    """Start a project over without notifications: what is missing, emptied or different is fetched, and local writing
    is kept."""
    salvage.be_quiet(conn, project_id)
    outbox.start_over(conn, project_id)
