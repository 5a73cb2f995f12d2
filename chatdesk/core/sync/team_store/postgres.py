"""Connects to a team's PostgreSQL for sync. Used by one thread; ``wake`` and ``abort`` may be called by any."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from chatdesk.core.domain.sharing.sync_wire import (
    MAX_BODY_BYTES,
    PROTOCOL,
    PULL_BYTES,
    DeviceRow,
    Hello,
    MemberRow,
    PresenceRow,
    ProjectHead,
    PulledChange,
    PushResult,
    PushStatus,
    TeamView,
    WireChange,
)
from chatdesk.core.domain.sharing.team import OLDEST_TEAM_SCHEMA, ServerAddress
from chatdesk.core.errors import InvalidId
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.sync.team_view_cleaning import is_project
from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store.administration import naming_blockers
from chatdesk.core.sync.team_store.connection import Connection, open_connection
from chatdesk.core.sync.team_store.failures import translated
from chatdesk.core.sync.team_store.file_chunks import FileChunks
from chatdesk.core.sync.team_store.listening import Listening, Notifications
from chatdesk.core.sync.team_store.log_gaps import LogGaps
from chatdesk.core.sync.team_store.project_shares import ProjectShares
from chatdesk.core.sync.team_store.statements import Statements

_PUSH: Final = b"SELECT * FROM cd.push(%s, %s, %s, %s::jsonb)"
_MOST_ROWS: Final = 10_000
_LATEST_MS: Final = 2**52
_LATEST_US: Final = 2**62
_PULL: Final = """
SELECT id::text, seq, device_id::text, dseq, author::text, kind, op, entity_id::text, reg,
  array_to_string(parents, ','), hlc, body, chain, at, v, number, digest, erased
FROM (
  SELECT *, sum(octet_length(body)) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM (
    SELECT id, seq, device_id, dseq, author, kind, op, entity_id, reg, parents, hlc, body::text AS body, chain, at, v,
      number, digest, erased
    FROM cd.change WHERE project_id = %s AND seq > %s ORDER BY seq LIMIT %s
  ) AS page
) AS page
WHERE coalesce(before, 0) < %s ORDER BY seq
"""
_ERASED: Final = """
SELECT c.id::text FROM cd.change c WHERE c.project_id = %s AND c.id = ANY(%s::uuid[]) AND (
  c.erased_by IN (SELECT e.id FROM cd.change e WHERE e.project_id = %s
    AND (e.op, e.kind, e.reg) IN (('del', 'thread', 'erased'), ('edit', 'project', 'loss')))
  OR (c.id, c.entity_id, c.reg) IN (SELECT unnest(n.parents), n.entity_id, n.reg FROM cd.change n
    WHERE n.project_id = %s AND n.reg LIKE 'lww.%%' AND n.op = 'edit'))
"""
_VIEW: Final = "SELECT cd.view_since(%s, %s, %s)"


def connect(address: ServerAddress, password: str) -> TeamStore:
    """Connect to the server. Blocks for some seconds at most. Raises ``TeamError``."""
    return TeamStore(open_connection(address, password))


class TeamStore:
    """One connection to a team's database. Its methods block and raise ``TeamError``. After ``TeamUnreachable`` it is
    unusable; ``close`` it."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        # The id of the server's process for this connection.
        self.backend_pid = conn.info.backend_pid
        self._own_channel = ""
        self._listening = Listening(conn)
        # A handle of its own, so that another thread shuts down this very connection, even while it is being closed.
        self._socket = socket.fromfd(conn.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        self._closing = threading.Lock()
        self._statements = Statements(conn, self.abort)
        self.chunks = FileChunks(conn, self._statements)
        self.shares = ProjectShares(self._statements)
        self.gaps = LogGaps(self._statements)

    # -- the first call, and everything but the changes --------------------------------------------------------------

    def hello(self, device: str, *, name: str, version: str) -> Hello:
        try:
            said = self._statements.value("SELECT cd.hello(%s, %s, %s, %s)", device, name, version, PROTOCOL)
        except errors.TeamNotInvited:
            if self._is_anothers():
                raise errors.OtherWorkspace from None
            raise
        return self._read_hello(said)

    def _read_hello(self, said: Any) -> Hello:
        try:
            self._own_channel = str(said["channel"])[:63]
            hello = Hello(
                workspace_id=checked_id(said["workspace_id"]),
                workspace_name=str(said["workspace_name"]),
                schema=int(said["schema"]),
                mode=str(said["mode"]),
                member_id=checked_id(said["member_id"]),
                member_name=str(said["member_name"]),
                is_owner=bool(said["is_owner"]),
                server_time_ms=max(0, min(int(said["server_time_ms"]), _LATEST_MS)),
            )
        except (KeyError, TypeError, ValueError, InvalidId):
            raise errors.NoWorkspaceThere from None  # something else that answers to this name
        if hello.schema < OLDEST_TEAM_SCHEMA:
            raise errors.TeamNotUpgraded
        return hello

    def _is_anothers(self) -> bool:
        """Return whether this login belongs to a workspace in another database of the same server: all roles of the
        workspace here have another prefix."""
        rows = self._statements.rows(
            "SELECT r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'cd'"
        )
        owner = str(rows[0][0]) if rows else ""
        return owner.endswith("_owner") and not self._conn.info.user.startswith(owner.removesuffix("owner"))

    def view(self, device: str, *, since: int = 0) -> tuple[Hello, TeamView]:
        """Return the same as ``hello``, and what changed of people since ``TeamView.version`` was ``since``; 0 returns
        everything. The view is empty if this ChatDesk is too old even to read."""
        said = self._statements.value(_VIEW, device, PROTOCOL, since)
        hello = self._read_hello(said)
        try:
            return hello, TeamView(
                projects=tuple(_head(row) for row in said.get("projects", ())),
                members=tuple(MemberRow(*row) for row in said.get("members", ())),
                devices=tuple(DeviceRow(*row) for row in said.get("devices", ())),
                roles=tuple((project, member, role) for project, member, role in said.get("roles", ())),
                presence=tuple(PresenceRow(*row) for row in said.get("presence", ())),
                is_whole=bool(said["is_whole"]),
                version=max(0, min(int(said["version"]), _LATEST_US)),
            )
        except (KeyError, TypeError, ValueError):
            raise errors.NoWorkspaceThere from None

    def acknowledge(self, device: str, seqs: dict[str, int]) -> None:
        """Report how far this device has pulled, by project; used for cleaning up only."""
        self._statements.rows("SELECT cd.acknowledge(%s, %s::jsonb)", device, json.dumps(seqs))

    def tidy(self, project_id: str, days: int | None) -> list[tuple[str, str]]:
        """Remove rows that nothing needs any more. Returns the changes that are older than ``days``, as (thread,
        change)."""
        rows = self._statements.rows("SELECT o_thread::text, o_change::text FROM cd.tidy(%s, %s)", project_id, days)
        return [(row[0], row[1]) for row in rows]

    # -- changes -----------------------------------------------------------------------------------------------------

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        """Return the chain hash up to one change; None if the server has no such change."""
        rows = self._statements.rows("SELECT chain FROM cd.change WHERE project_id = %s AND seq = %s", project_id, seq)
        return bytes(rows[0][0]) if rows else None

    def push(self, project_id: str, device: str, changes: Sequence[WireChange]) -> list[PushResult]:
        """Push changes in one transaction and return a status for each; a body over the limit is not sent."""
        return self._enter(project_id, device, [(change, _row(change)) for change in changes])

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]:
        rows = self._statements.page(_PULL, project_id, after_seq, limit, PULL_BYTES, most_rows=limit)
        return [
            PulledChange(
                row[0],
                row[1],
                row[2],
                row[3],
                row[4],
                row[5],
                row[6],
                row[7],
                row[8],
                tuple(row[9].split(",")) if row[9] else (),
                row[10],
                row[11],
                row[12],
                row[13],
                row[14],
                row[15],
                row[16],
                row[17] is True,
            )
            for row in rows
        ]

    def erased(self, project_id: str, change_ids: Sequence[str]) -> set[str]:
        """Return those of these emptied changes whose words an erasure in the log took, or that newer values
        replaced."""
        found = self._statements.rows(_ERASED, project_id, list(change_ids), project_id, project_id)
        return {row[0] for row in found}

    def poke(self, project_id: str) -> None:
        """Notify listeners that something was pushed; only a hint."""
        self._statements.rows("SELECT cd.poke(%s)", project_id)
        self._listening.record_poke()

    def _enter(self, project_id: str, device: str, rows: Sequence[tuple[WireChange, str]]) -> list[PushResult]:
        sent = [row for change, row in rows if _size(change) <= MAX_BODY_BYTES]
        with naming_blockers(self._conn):
            taken = iter(self._enter_sent(project_id, device, sent))
        return [
            next(taken) if _size(change) <= MAX_BODY_BYTES else PushResult(change.id, PushStatus.TOO_BIG)
            for change, _row in rows
        ]

    def _enter_sent(self, project_id: str, device: str, rows: list[str]) -> list[PushResult]:
        if not rows:
            return []
        try:
            with self._conn.cursor() as cursor:
                cursor.execute(_PUSH, [project_id, device, PROTOCOL, f"[{','.join(rows)}]"])
                return [PushResult(row[0], PushStatus(row[1]), row[2], row[3]) for row in cursor]
        except psycopg.Error as error:
            # Text that no jsonb can hold (22: \u0000, half a pair of surrogates; 54: thousands of brackets inside each
            # other): found by halving, and refused alone.
            if not (error.sqlstate or "").startswith(("22", "54")):
                raise translated(error) from error
            if len(rows) > 1:
                middle = len(rows) // 2
                return [
                    *self._enter_sent(project_id, device, rows[:middle]),
                    *self._enter_sent(project_id, device, rows[middle:]),
                ]
            refused = _id_of(rows[0])
            if refused is None:
                raise errors.TeamNotTaken from error
            return [PushResult(refused, PushStatus.DENIED)]

    # -- presence ----------------------------------------------------------------------------------------------------

    def set_presence(self, project_id: str, device: str, thread_id: str | None, state: str) -> None:
        """Send this device's presence. ``state``: here, typing or gone."""
        self._statements.rows("SELECT cd.set_presence(%s, %s, %s, %s)", project_id, device, thread_id, state)

    def presence(self) -> list[PresenceRow]:
        """Return the presence of the other members."""
        rows = self._statements.page(
            "SELECT project_id::text, member_id::text, device_id::text, thread_id::text, state FROM cd.presence"
            " WHERE member_id <> (SELECT cd.me()) ORDER BY project_id, member_id, device_id LIMIT %s",
            _MOST_ROWS,
            most_rows=_MOST_ROWS,
        )
        return [PresenceRow(*row) for row in rows]

    # -- listening ---------------------------------------------------------------------------------------------------

    @property
    def is_deaf(self) -> bool:
        """Return whether notifications do not arrive, not even one's own: poolers between here and the server can cause
        this."""
        return self._listening.is_deaf

    def listen(self, channels: Sequence[str]) -> None:
        """Listen on exactly these channels and on this member's own, which reports projects they were admitted to."""
        self._listening.listen([channel for channel in (*channels, self._own_channel) if channel])

    def wait(self, timeout_s: float) -> Notifications:
        """Return the notifications as soon as there are any; empty when woken or after ``timeout_s``."""
        return self._listening.wait(timeout_s)

    def wake(self) -> None:
        """End the current ``wait``, or the next one if there is none. Safe to call from any thread."""
        self._listening.wake()

    def abort(self) -> None:
        """Make the current call and all that follow fail at once. Safe to call from any thread."""
        with self._closing, contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.wake()

    def close(self) -> None:
        with self._closing:
            self._conn.close()
            self._socket.close()
            self._listening.close()


def _head(row: Sequence[Any]) -> ProjectHead:
    """Return a project of the view. Raises ``ValueError`` for nonsense, which would else be missing in the view, as if
    this member had been removed from the project."""
    head = ProjectHead(*row)
    if not is_project(head):
        raise ValueError(head)
    return head


def _row(change: WireChange) -> str:
    """Return a change as JSON, with its body unchanged."""
    more: dict[str, object] = {} if change.device is None else {"device": change.device}
    if change.erased is not None:
        more["erased"] = change.erased.hex()
    if change.is_gone:
        more["is_gone"] = True
    head = {
        "id": change.id,
        "dseq": change.dseq,
        "kind": change.kind,
        "op": change.op,
        "entity": change.entity,
        "reg": change.reg,
        "parents": change.parents,
        "hlc": change.hlc,
        "v": change.v,
        **more,
    }
    text = json.dumps(head)
    return text if change.body is None else f'{text[:-1]},"body":{change.body}}}'


def _id_of(row: str) -> str | None:
    end = row.find('"', 8)
    return row[8:end] if row.startswith('{"id": "') and end > 0 else None


def _size(change: WireChange) -> int:
    body = change.body
    if body is None:
        return 0
    return len(body) if body.isascii() else len(body.encode("utf-8", errors="replace"))
