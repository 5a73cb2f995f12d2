"""What the team's Postgres does, in plain Python: the functions of ``migrations/team`` as a model.

``test_model_contract`` plays the same scripts against this and against the real thing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from chatdesk.core.domain.chain import next_chain
from chatdesk.core.domain.sync_wire import (
    MAX_AHEAD_MS,
    MAX_BODY_BYTES,
    DeviceRow,
    Hello,
    MemberRow,
    PresenceRow,
    ProjectHead,
    PulledChange,
    PushResult,
    PushStatus,
    RelayedChange,
    TeamView,
    WireChange,
)
from chatdesk.core.sync.errors import TeamError, TeamUnreachable
from chatdesk.core.sync.ports import Heard

KINDS = ("project", "thread", "message", "summary")
OPS = ("new", "edit", "del")
RANKS = {"viewer": 0, "editor": 1, "admin": 2, "owner": 3}


class NotAMember(TeamError):
    code = "model_not_a_member"


class NotYourDevice(TeamError):
    code = "model_device"


@dataclass
class Project:
    id: str
    roles: dict[str, str]
    rows: list[PulledChange] = field(default_factory=list)
    is_deleted: bool = False

    @property
    def head(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Flaws:
    """Planted bugs of a server; see ``planted_bugs``."""

    has_gaps: bool = False
    forgets_ids: bool = False
    trusts_clocks: bool = False
    accepts_taken_places: bool = False
    lets_everybody_write: bool = False


class ModelServer:
    """``now_ms``: its clock. Everything in it is replaced, never changed in place, but the containers."""

    def __init__(self, workspace_id: str, now_ms: Callable[[], int], *, flaws: Flaws | None = None) -> None:
        self.workspace_id = workspace_id
        self.now_ms = now_ms
        self.flaws = flaws or Flaws()
        self.min_write = 1
        self.members: dict[str, MemberRow] = {}
        self.devices: dict[str, DeviceRow] = {}
        self.projects: dict[str, Project] = {}
        self.entities: dict[str, tuple[str, str, str]] = {}  # project, kind, author
        self.changes: dict[str, tuple[str, int]] = {}  # project, place in its rows
        self.places: set[tuple[str, int]] = set()

    def snapshot(self) -> ModelServer:
        """A backup."""
        copy = ModelServer(self.workspace_id, self.now_ms, flaws=self.flaws)
        copy.become(self)
        return copy

    def become(self, other: ModelServer) -> None:
        """Restored from ``other``."""
        self.min_write = other.min_write
        self.members = dict(other.members)
        self.devices = dict(other.devices)
        self.projects = {
            key: replace(project, roles=dict(project.roles), rows=list(project.rows))
            for key, project in other.projects.items()
        }
        self.entities = dict(other.entities)
        self.changes = dict(other.changes)
        self.places = set(other.places)

    # Administration

    def add_member(self, member_id: str, name: str, *, is_owner: bool = False) -> None:
        self.members[member_id] = MemberRow(member_id, name, is_owner, "active", 1)

    def remove_member(self, member_id: str) -> None:
        self.members[member_id] = replace(self.members[member_id], status="removed")
        for project in self.projects.values():
            project.roles.pop(member_id, None)

    def create_project(self, member_id: str, project_id: str) -> None:
        self.me(member_id)
        if project_id not in self.projects:
            self.projects[project_id] = Project(project_id, {member_id: "owner"})

    def set_role(self, project_id: str, member_id: str, role: str | None) -> None:
        roles = self.projects[project_id].roles
        if role is None:
            roles.pop(member_id, None)
        else:
            roles[member_id] = role

    def end_project(self, project_id: str) -> None:
        self.projects[project_id].is_deleted = True

    # What clients call

    def me(self, member_id: str) -> MemberRow:
        member = self.members.get(member_id)
        if member is None or member.status != "active":
            raise NotAMember
        return member

    def hello(self, member_id: str, device: str, name: str, version: str, proto: int) -> Hello:
        member = self.me(member_id)
        known = self.devices.get(device)
        if known is not None and known.member_id != member_id:
            raise NotYourDevice
        self.devices[device] = DeviceRow(device, member_id, name, version, self.now_ms())
        mode = "rw" if proto >= self.min_write else "read_only"
        return Hello(self.workspace_id, "Team", 1, mode, member_id, member.name, member.is_owner, self.now_ms())

    def view(self, member_id: str) -> TeamView:
        self.me(member_id)
        mine = [project for project in self.projects.values() if member_id in project.roles]
        return TeamView(
            projects=tuple(
                ProjectHead(project.id, project.roles[member_id], f"ch_{project.id}", project.head, project.is_deleted)
                for project in mine
            ),
            members=tuple(self.members.values()),
            devices=tuple(self.devices.values()),
            roles=tuple((project.id, member, role) for project in mine for member, role in project.roles.items()),
        )

    def push(
        self, member_id: str, project_id: str, device: str, changes: Sequence[WireChange], proto: int
    ) -> list[PushResult]:
        project = self._project(member_id, project_id)
        if project.is_deleted:
            raise TeamError
        known = self.devices.get(device)
        if known is None or known.member_id != member_id:
            raise NotYourDevice
        if proto < self.min_write:
            raise TeamError
        return [self._take(project, member_id, device, change) for change in changes]

    def relay(self, member_id: str, project_id: str, device: str, changes: Sequence[RelayedChange]) -> list[PushResult]:
        project = self._project(member_id, project_id)
        if project.is_deleted:
            raise TeamError
        return [self._take_relayed(project, member_id, device, each) for each in changes]

    def pull(self, member_id: str, project_id: str, after_seq: int, limit: int) -> list[PulledChange]:
        rows = self._project(member_id, project_id).rows
        found = [row for row in rows[after_seq : after_seq + limit + 1] if row.seq > after_seq][:limit]
        if self.flaws.has_gaps and len(found) > 1 and found[-1].seq == project_head(rows) and found[-1].seq % 3 == 0:
            return found[:-2] + found[-1:]  # a row that was numbered earlier is not there yet
        return found

    def chain_at(self, member_id: str, project_id: str, seq: int) -> bytes | None:
        rows = self._project(member_id, project_id).rows
        return rows[seq - 1].chain if 0 < seq <= len(rows) else None

    # One change

    def _project(self, member_id: str, project_id: str) -> Project:
        self.me(member_id)
        project = self.projects.get(project_id)
        if project is None or member_id not in project.roles:
            raise NotAMember
        return project

    def _take(self, project: Project, member_id: str, device: str, change: WireChange) -> PushResult:
        known = self._known(project, change)
        if known is not None:
            return known
        status = self._objection(project, member_id, change)
        if (device, change.dseq) in self.places and not self.flaws.accepts_taken_places:
            status = PushStatus.FORKED
        if status is not None:
            return PushResult(change.id, status)
        return self._append(project, change, device=device, author=member_id)

    def _take_relayed(self, project: Project, member_id: str, device: str, relayed: RelayedChange) -> PushResult:
        change = relayed.change
        known = self._known(project, change)
        if known is not None:
            return known
        if RANKS[project.roles[member_id]] < RANKS["editor"]:
            return PushResult(change.id, PushStatus.DENIED)
        if relayed.author not in self.members:
            return PushResult(change.id, PushStatus.DENIED)
        if len((change.body or "").encode()) > MAX_BODY_BYTES:
            return PushResult(change.id, PushStatus.TOO_BIG)
        missing = self._missing(project, change)
        if missing is not None:
            return PushResult(change.id, missing)
        if (relayed.device, change.dseq) in self.places:
            return PushResult(change.id, PushStatus.FORKED)
        return self._append(project, change, device=relayed.device, author=relayed.author, relayed_by=member_id)

    def _known(self, project: Project, change: WireChange) -> PushResult | None:
        found = self.changes.get(change.id)
        if found is None or self.flaws.forgets_ids:
            return None
        row = self.projects[found[0]].rows[found[1]]
        is_same = found[0] == project.id and (row.kind, row.op, row.entity, row.reg) == (
            change.kind,
            change.op,
            change.entity,
            change.reg,
        )
        if not is_same:
            return PushResult(change.id, PushStatus.ID_TAKEN)
        return PushResult(change.id, PushStatus.DUP, row.seq, row.hlc)

    def _objection(self, project: Project, member_id: str, change: WireChange) -> PushStatus | None:
        role = project.roles[member_id]
        if len((change.body or "").encode()) > MAX_BODY_BYTES:
            return PushStatus.TOO_BIG
        if change.kind not in KINDS or change.op not in OPS:
            return PushStatus.DENIED
        if RANKS[role] < RANKS["editor"] and not self.flaws.lets_everybody_write:
            return PushStatus.DENIED
        missing = self._missing(project, change)
        if missing is not None:
            return missing
        manages = RANKS[role] >= RANKS["admin"]
        if change.kind == "project":
            return None if manages else PushStatus.DENIED
        if change.op == "new":
            return None
        if change.kind == "message" and change.op == "edit" and change.reg == "content" and change.body is not None:
            return PushStatus.DENIED
        is_shared_register = change.kind == "thread" and change.op == "edit" and change.reg.startswith("lww.")
        is_own = self.entities[change.entity][2] == member_id
        return None if manages or is_own or is_shared_register else PushStatus.DENIED

    def _missing(self, project: Project, change: WireChange) -> PushStatus | None:
        known = self.entities.get(change.entity)
        if known is not None and known[:2] != (project.id, change.kind):
            return PushStatus.ID_TAKEN if change.op == "new" else PushStatus.ORPHAN
        if change.op != "new":
            return None if known is not None else PushStatus.ORPHAN
        if known is not None:
            return PushStatus.ID_TAKEN
        body = json.loads(change.body or "{}")
        for name, kind in (("thread_id", "thread"), ("parent_id", "message")):
            wanted = body.get(name) if change.kind in ("message", "summary") else None
            if wanted is not None and self.entities.get(wanted, ("", "", ""))[:2] != (project.id, kind):
                return PushStatus.ORPHAN
        return None

    def _append(
        self,
        project: Project,
        change: WireChange,
        *,
        device: str,
        author: str,
        relayed_by: str | None = None,
    ) -> PushResult:
        now = self.now_ms()
        hlc = change.hlc if self.flaws.trusts_clocks else min(change.hlc, (now + MAX_AHEAD_MS) << 16)
        previous = project.rows[-1].chain if project.rows else None
        row = PulledChange(
            id=change.id,
            seq=project.head + 1,
            device=device,
            dseq=change.dseq,
            author=author,
            kind=change.kind,
            op=change.op,
            entity=change.entity,
            reg=change.reg,
            parents=change.parents,
            hlc=hlc,
            body=change.body,
            chain=next_chain(previous, change.id),
            at=now,
            v=change.v,
            relayed_by=relayed_by,
        )
        self.changes[change.id] = (project.id, project.head)
        self.places.add((device, change.dseq))
        self.entities.setdefault(change.entity, (project.id, change.kind, author))
        project.rows.append(row)
        return PushResult(change.id, PushStatus.OK, row.seq, hlc)


def project_head(rows: Sequence[PulledChange]) -> int:
    return rows[-1].seq if rows else 0


class ModelTeam:
    """A member's connection to it. ``proto``: what this member's ChatDesk speaks."""

    def __init__(self, server: ModelServer, member_id: str, *, proto: int = 1) -> None:
        self.server = server
        self.member_id = member_id
        self.proto = proto
        self.channels: tuple[str, ...] = ()
        self.pokes: list[str] = []
        self.is_open = True

    def hello(self, device: str, *, name: str, version: str) -> Hello:
        return self._open().hello(self.member_id, device, name, version, self.proto)

    def view(self) -> TeamView:
        return self._open().view(self.member_id)

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        return self._open().chain_at(self.member_id, project_id, seq)

    def push(self, project_id: str, device: str, changes: Sequence[WireChange]) -> list[PushResult]:
        return self._open().push(self.member_id, project_id, device, changes, self.proto)

    def relay(self, project_id: str, device: str, changes: Sequence[RelayedChange]) -> list[PushResult]:
        return self._open().relay(self.member_id, project_id, device, changes)

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]:
        return self._open().pull(self.member_id, project_id, after_seq, limit)

    def poke(self, project_id: str) -> None:
        self._open()
        self.pokes.append(project_id)

    def acknowledge(self, device: str, seqs: dict[str, int]) -> None:
        self._open()

    def have_chunks(self, project_id: str, sha256: str) -> set[int]:
        return set()

    def put_chunk(self, project_id: str, sha256: str, index: int, total: int, data: bytes) -> None:
        self._open()

    def get_chunk(self, project_id: str, sha256: str, index: int) -> tuple[int, bytes] | None:
        return None

    def set_presence(self, project_id: str, device: str, thread_id: str | None, state: str) -> None:
        self._open()

    def presence(self) -> list[PresenceRow]:
        return []

    def listen(self, channels: Sequence[str]) -> None:
        self._open()
        self.channels = tuple(channels)

    def wait(self, timeout_s: float) -> Heard:
        return Heard()

    def wake(self) -> None:
        pass

    def abort(self) -> None:
        self.is_open = False

    def close(self) -> None:
        self.is_open = False

    def _open(self) -> ModelServer:
        if not self.is_open:
            raise TeamUnreachable
        return self.server
