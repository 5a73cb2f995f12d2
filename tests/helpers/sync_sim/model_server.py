"""What the team's Postgres does, in plain Python: the functions of ``migrations/team`` as a model.

``test_model_contract`` plays the same scripts against this and against the real thing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from chatdesk.core.domain.sharing.sync_wire import (
    MAX_AHEAD_MS,
    PROTOCOL,
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
    body_digest,
)
from chatdesk.core.domain.sharing.team import TEAM_SCHEMA
from chatdesk.core.paths import team_migrations_dir
from chatdesk.core.storage.engine.change_log import ERASED
from chatdesk.core.storage.sync import erasing
from chatdesk.core.sync.errors import TeamDeviceUnknown, TeamError, TeamUnreachable
from chatdesk.core.sync.team_store.listening import Notifications

# Changes that one erasure names at most.
MOST_ERASED = 1000
# More than what clients send: the database counts its own form of a body.
SERVER_MAX_BODY = 1_500_000
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REG = re.compile(r"[a-z0-9_.-]{1,120}")
# By operation, kind and register: the least role for what is one's own, and for what is another's.
RULES: dict[tuple[str, str, str], tuple[str, str]] = {
    (op, kind, reg): (own, others)
    for op, kind, reg, own, others in re.findall(
        r"\('(\w+)', '(\w+)', '([\w.*]+)', '(\w+)', '(\w+)'",
        (team_migrations_dir() / "sql" / "0002" / "12_rules.sql").read_text(encoding="utf-8"),
    )
}
RANKS = {"viewer": 0, "editor": 1, "admin": 2, "owner": 3}


class NotAMember(TeamError):
    code = "model_not_a_member"


class NotYourDevice(TeamDeviceUnknown):
    code = "model_device"


class ProjectEnded(TeamError):
    code = "model_project_ended"


class TooOld(TeamError):
    code = "model_too_old"


@dataclass
class Project:
    id: str
    roles: dict[str, str]
    rows: list[PulledChange] = field(default_factory=list)
    is_deleted: bool = False
    created_by: str = ""
    # What was erased before it came: who asked, and whether they might ask for everybody's.
    erased_ahead: dict[str, list[tuple[str, bool, str]]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)  # changes by device
    erased_by: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Entity:
    project_id: str
    kind: str
    created_by: str
    thread_id: str | None


@dataclass(frozen=True)
class Flaws:
    """Planted bugs of a server; see ``planted_bugs``."""

    has_gaps: bool = False
    forgets_ids: bool = False
    trusts_clocks: bool = False
    accepts_taken_places: bool = False
    lets_everybody_write: bool = False
    shows_everybody: bool = False
    takes_others_words: bool = False


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
        self.entities: dict[str, Entity] = {}
        self.changes: dict[str, tuple[str, int]] = {}  # project, place in its rows
        self.places: set[tuple[str, int]] = set()
        self.made: dict[str, str] = {}  # whose each change is that ever was; no restore takes it away

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
            key: replace(
                project,
                roles=dict(project.roles),
                rows=list(project.rows),
                erased_ahead={each: list(found) for each, found in project.erased_ahead.items()},
                counts=Counter(project.counts),
                erased_by=dict(project.erased_by),
            )
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
            self.projects[project_id] = Project(project_id, {member_id: "owner"}, created_by=member_id)
        project = self.projects[project_id]
        if project.roles.get(member_id) == "owner" and project.is_deleted:
            # Shared again: with its old log, and nobody but its owner.
            project.roles = {member_id: "owner"}
            project.is_deleted = False

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
        return self._hello(member, proto)

    def _hello(self, member: MemberRow, proto: int) -> Hello:
        mode = "rw" if proto >= self.min_write else "read_only"
        return Hello(
            self.workspace_id, "Team", TEAM_SCHEMA, mode, member.id, member.name, member.is_owner, self.now_ms()
        )

    def _need_known(self, member_id: str, device: str) -> None:
        self.me(member_id)
        known = self.devices.get(device)
        if known is None or known.member_id != member_id:
            raise NotYourDevice

    def view(self, member_id: str, device: str, proto: int) -> tuple[Hello, TeamView]:
        self._need_known(member_id, device)
        mine = [project for project in self.projects.values() if member_id in project.roles]
        return self._hello(self.me(member_id), proto), TeamView(
            projects=tuple(
                ProjectHead(
                    project.id,
                    "viewer" if project.is_deleted else project.roles[member_id],
                    f"ch_{project.id}",
                    0 if project.is_deleted else project.head,
                    project.is_deleted,
                    project.created_by == member_id,
                )
                for project in mine
            ),
            members=tuple(self.members.values()),
            devices=tuple(self.devices.values()),
            roles=tuple((project.id, member, role) for project in mine for member, role in project.roles.items()),
        )

    def push(
        self, member_id: str, project_id: str, device: str, changes: Sequence[WireChange], proto: int
    ) -> list[PushResult]:
        self._need_device(member_id, device, proto)
        project = self._project(member_id, project_id)
        return [self._enter(project, member_id, device, change) for change in changes]

    def pull(self, member_id: str, project_id: str, after_seq: int, limit: int) -> list[PulledChange]:
        rows = self._visible(member_id, project_id)
        found = rows[after_seq : after_seq + limit]
        if self.flaws.has_gaps and len(found) > 1 and found[-1].seq == len(rows) and len(rows) % 3 == 0:
            return [*found[:-2], found[-1]]  # one that was numbered earlier is committed later
        return found

    def chain_at(self, member_id: str, project_id: str, seq: int) -> bytes | None:
        rows = self._visible(member_id, project_id)
        return rows[seq - 1].chain if 0 < seq <= len(rows) else None

    def erased(self, member_id: str, project_id: str, change_ids: Sequence[str]) -> set[str]:
        rows = self._visible(member_id, project_id)
        asked = {
            each
            for row in rows
            if (row.op, row.kind, row.reg) == ("del", "thread", "erased")
            for each in json.loads(row.body or "{}").get("changes", ())
        }
        replaced = {each for row in rows if row.op == "edit" and row.reg.startswith("lww.") for each in row.parents}
        return {each for each in change_ids if each in asked or each in replaced}

    def _visible(self, member_id: str, project_id: str) -> list[PulledChange]:
        """A policy hides rows; it does not complain."""
        self.me(member_id)
        project = self.projects.get(project_id)
        if project is None or (not self.flaws.shows_everybody and not self._may_see(project, member_id)):
            return []
        return project.rows

    def _may_see(self, project: Project, member_id: str) -> bool:
        return member_id in project.roles and not project.is_deleted

    def tidy(self, member_id: str, project_id: str, days: int | None) -> list[tuple[str, str]]:
        """Without what it removes by itself, which nobody notices."""
        project = self._project(member_id, project_id)
        before = self.now_ms() - (days or 0) * 86_400_000
        return [
            (json.loads(row.body or "{}")["thread_id"], row.id)
            for row in project.rows
            if days and (row.kind, row.op, row.is_erased) == ("message", "new", False) and row.at < before
        ]

    # One change

    def _project(self, member_id: str, project_id: str) -> Project:
        self.me(member_id)
        project = self.projects.get(project_id)
        if project is None or member_id not in project.roles:
            raise NotAMember
        if project.is_deleted:
            raise ProjectEnded
        return project

    def _need_device(self, member_id: str, device: str, proto: int) -> None:
        if proto < self.min_write:
            raise TooOld
        self._need_known(member_id, device)

    def _enter(  # noqa: C901 - the questions of ``cd.enter``, in their order
        self, project: Project, member_id: str, own_device: str, change: WireChange
    ) -> PushResult:
        device = change.device or own_device
        if not _is_well_formed(change) or (change.dseq == 0 and change.device != change.id):
            return PushResult(change.id, PushStatus.DENIED)
        digest = change.erased or body_digest(_canonical(change.body))
        rank = RANKS[project.roles[member_id]]
        known = self._known(project, change, digest, author=member_id)
        if known is not None:
            may_write = rank >= RANKS["editor"]
            return self._taken_back(project, change, known) if may_write else known
        if (device, change.dseq) in self.places and not self.flaws.accepts_taken_places:
            if device == own_device:
                return PushResult(change.id, PushStatus.FORKED)
            device, change = change.id, replace(change, dseq=0)
        elif device not in (own_device, change.id):
            known_device = self.devices.get(device)
            if known_device is not None and known_device.member_id != member_id:
                return PushResult(change.id, PushStatus.DENIED)
        if len((change.body or "").encode()) > SERVER_MAX_BODY:
            return PushResult(change.id, PushStatus.TOO_BIG)
        if rank < RANKS["editor"] and not self.flaws.lets_everybody_write:
            return PushResult(change.id, PushStatus.DENIED)
        objection = self._objection(project, rank, change, member_id)
        erasure = self._erasure_of(project, member_id, change)
        if objection is None and change.erased is not None and erasure is None:
            objection = PushStatus.ORPHAN
        if objection is not None:
            return PushResult(change.id, objection)
        self.made[change.id] = member_id
        taken = self._append(project, change, digest, device=device, author=member_id)
        if device not in (own_device, change.id):
            self.devices.setdefault(device, DeviceRow(device, member_id, "-", "", self.now_ms(), is_removed=True))
        if change.reg == ERASED:
            self._erase(project, change, member_id, may_all=rank >= RANKS["admin"])
        elif erasure is not None:
            self._empty(project, change.id, erasure)
        return taken

    def _known(self, project: Project, change: WireChange, digest: bytes, *, author: str) -> PushResult | None:
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
        if not self.flaws.takes_others_words:
            is_deletion = (row.op, row.reg) == ("del", "content")
            is_same = is_same and row.author == author and (row.digest == digest or is_deletion)
        if not is_same:
            return PushResult(change.id, PushStatus.ID_TAKEN)
        return PushResult(change.id, PushStatus.DUP, row.seq, row.hlc)

    def _taken_back(self, project: Project, change: WireChange, known: PushResult) -> PushResult:
        """What was emptied without an erasure is filled again by its author."""
        if known.seq is None or change.erased is not None or change.reg.startswith("lww."):
            return known
        row = project.rows[known.seq - 1]
        if not row.is_erased or change.id in project.erased_by:
            return known
        project.rows[known.seq - 1] = replace(row, body=_canonical(change.body), is_erased=False)
        return replace(known, status=PushStatus.OK)

    def _objection(self, project: Project, rank: int, change: WireChange, member_id: str) -> PushStatus | None:
        if change.op == "new":
            return self._objection_to_new(project, rank, change)
        if change.reg == ERASED:
            return self._objection_to_erasure(project, rank, change, member_id)
        return self._objection_to_edit(project, rank, change, member_id)

    def _objection_to_new(self, project: Project, rank: int, change: WireChange) -> PushStatus | None:
        if change.kind == "project":
            if change.entity != project.id or rank < RANKS["admin"]:
                return PushStatus.DENIED
        elif change.kind in ("message", "summary"):
            body = json.loads(change.body or "{}")
            thread, parent = body.get("thread_id"), body.get("parent_id") if change.kind == "message" else None
            if not _is_id(thread) or not (parent is None or _is_id(parent)):
                return PushStatus.DENIED
            wanted = [(thread, "thread", None)] + ([] if parent is None else [(parent, "message", thread)])
            for each, kind, home in wanted:
                above = self._thing(project, each)
                if above is None and not change.is_gone:
                    return PushStatus.ORPHAN
                if above is not None and (above.kind, above.thread_id) != (kind, home):
                    return PushStatus.ORPHAN
        if change.entity in self.entities and not self.flaws.forgets_ids:
            return PushStatus.ID_TAKEN
        return None

    def _thing(self, project: Project, entity: str) -> Entity | None:
        found = self.entities.get(entity)
        return found if found is not None and found.project_id == project.id else None

    def _objection_to_edit(self, project: Project, rank: int, change: WireChange, member_id: str) -> PushStatus | None:
        thing = self.entities.get(change.entity)
        if thing is None or thing.project_id != project.id:
            return PushStatus.ORPHAN
        own, others = rule_of(change) or ("owner", "owner")
        is_allowed = thing.kind == change.kind and rank >= RANKS[own if thing.created_by == member_id else others]
        return None if is_allowed else PushStatus.DENIED

    def _objection_to_erasure(
        self, project: Project, rank: int, change: WireChange, member_id: str
    ) -> PushStatus | None:
        thing = self._thing(project, change.entity)
        if thing is None and not change.is_gone:
            return PushStatus.ORPHAN
        ids = _named(change.body)
        if (thing is not None and thing.kind != "thread") or not ids:
            return PushStatus.DENIED
        for each in ids:
            place = self.changes.get(each)
            if place is None or place[0] != project.id:
                continue
            row = project.rows[place[1]]
            if not _is_erasable(row, row.author, member_id, may_all=rank >= RANKS["admin"] or row.is_erased):
                return PushStatus.DENIED
        return None

    def _erasure_of(self, project: Project, member_id: str, change: WireChange) -> str | None:
        """The erasure that named a change before it came, and takes its words."""
        for by, may_all, erasure in project.erased_ahead.get(change.id, ()):
            if _is_erasable(change, member_id, by, may_all=may_all):
                return erasure
        return None

    def _erase(self, project: Project, change: WireChange, by: str, *, may_all: bool) -> None:
        for each in _named(change.body):
            place = self.changes.get(each)
            if place is None or place[0] != project.id:
                project.erased_ahead.setdefault(each, []).append((by, may_all, change.id))
                continue
            row = project.rows[place[1]]
            if each not in project.erased_by and _is_erasable(row, row.author, by, may_all=may_all):
                self._empty(project, each, change.id)

    def _empty(self, project: Project, change_id: str, erasure: str) -> None:
        place = self.changes[change_id][1]
        row = project.rows[place]
        body = row.body if row.is_erased else _canonical(erasing.stub(row.kind, row.op, row.body))
        project.rows[place] = replace(row, body=body, is_erased=True)
        project.erased_by[change_id] = erasure

    def _append(
        self,
        project: Project,
        change: WireChange,
        digest: bytes,
        *,
        device: str,
        author: str,
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
            body=_canonical(change.body),
            chain=b"",
            at=now,
            v=change.v,
            number=project.counts[device] + 1,
            digest=digest,
        )
        row = replace(row, chain=row.chain_after(previous))
        project.counts[device] += 1
        self.changes[change.id] = (project.id, project.head)
        self.places.add((device, change.dseq))
        if change.op == "new":
            thread = json.loads(change.body or "{}").get("thread_id") if change.kind != "thread" else None
            self.entities.setdefault(change.entity, Entity(project.id, change.kind, author, thread))
        project.rows.append(row)
        return PushResult(change.id, PushStatus.OK, row.seq, hlc)


def _is_erasable(row: WireChange | PulledChange, author: str, by: str, *, may_all: bool) -> bool:
    if row.kind == "project" or (row.op != "new" and row.reg in ("content", ERASED)):
        return False
    is_models = (row.kind, row.op) == ("summary", "new") and json.loads(row.body or "{}").get("author") == "model"
    return may_all or author == by or is_models


def _canonical(body: str | None) -> str | None:
    """In one form, as the database keeps it."""
    return None if body is None else json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False)


def _named(body: str | None) -> list[str]:
    """The changes that an erasure names; none where it is none."""
    ids = json.loads(body or "{}").get("changes")
    return ids if isinstance(ids, list) and len(ids) <= MOST_ERASED and all(_is_id(each) for each in ids) else []


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_well_formed(change: WireChange) -> bool:
    return (
        _is_id(change.id)
        and _is_id(change.entity)
        and change.dseq >= 0
        and change.hlc >= 0
        and rule_of(change) is not None
        and _REG.fullmatch(change.reg) is not None
        and all(_is_id(parent) for parent in change.parents)
        and (change.body is None or change.body.startswith("{"))
        and not ((change.op, change.reg) == ("edit", "content") and change.body is not None)
    )


def rule_of(change: WireChange) -> tuple[str, str] | None:
    return RULES.get((change.op, change.kind, "lww.*" if change.reg.startswith("lww.") else change.reg))


class _NoFiles:
    """The place for attached files of a server that keeps none. ``check``: raises where the connection is broken."""

    def __init__(self, check: Callable[[], object]) -> None:
        self._check = check

    def have(self, project_id: str, sha256: str) -> set[int]:
        return set()

    def put(self, project_id: str, sha256: str, index: int, total: int, data: bytes) -> None:
        self._check()

    def get(self, project_id: str, sha256: str, index: int) -> tuple[int, bytes] | None:
        return None

    def discard_broken(self, project_id: str, sha256: str) -> bool:
        return False


class ModelTeam:
    """A member's connection to it. ``proto``: what this member's ChatDesk speaks."""

    def __init__(self, server: ModelServer, member_id: str, *, proto: int = PROTOCOL) -> None:
        self.server = server
        self.member_id = member_id
        self.proto = proto
        self.channels: tuple[str, ...] = ()
        self.pokes: list[str] = []
        self.is_open = True

    def hello(self, device: str, *, name: str, version: str) -> Hello:
        return self._open().hello(self.member_id, device, name, version, self.proto)

    def view(self, device: str, *, since: int = 0) -> tuple[Hello, TeamView]:
        return self._open().view(self.member_id, device, self.proto)

    is_deaf = False

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        return self._open().chain_at(self.member_id, project_id, seq)

    def push(self, project_id: str, device: str, changes: Sequence[WireChange]) -> list[PushResult]:
        return self._open().push(self.member_id, project_id, device, changes, self.proto)

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]:
        return self._open().pull(self.member_id, project_id, after_seq, limit)

    def erased(self, project_id: str, change_ids: Sequence[str]) -> set[str]:
        return self._open().erased(self.member_id, project_id, change_ids)

    def poke(self, project_id: str) -> None:
        self._open()
        self.pokes.append(project_id)

    def acknowledge(self, device: str, seqs: dict[str, int]) -> None:
        self._open()

    def tidy(self, project_id: str, days: int | None) -> list[tuple[str, str]]:
        return self._open().tidy(self.member_id, project_id, days)

    @property
    def chunks(self) -> _NoFiles:
        return _NoFiles(self._open)

    def set_presence(self, project_id: str, device: str, thread_id: str | None, state: str) -> None:
        self._open()

    def presence(self) -> list[PresenceRow]:
        return []

    def listen(self, channels: Sequence[str]) -> None:
        self._open()
        self.channels = tuple(channels)

    def wait(self, timeout_s: float) -> Notifications:
        return Notifications()

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
