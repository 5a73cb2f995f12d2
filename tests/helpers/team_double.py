"""A team without a server: what a window asks of ``TeamService``, answered from plain values, and what it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatdesk.core.domain.sharing.team import (
    EndReason,
    MemberStatus,
    Presence,
    RefusedChange,
    ServerAddress,
    SharedProject,
    ShareState,
    SyncPhase,
    SyncStatus,
    TeamMember,
    TeamNote,
    TeamRole,
    Workspace,
)
from chatdesk.core.events import EventBus, PresenceChanged, SyncStatusChanged, TeamChanged, UnreadChanged

ME, ANA, BEN = "member-me", "member-ana", "member-ben"
NAMES = {ANA: "Ana Ruiz", BEN: "Ben Ode"}
WORKSPACE = "workspace-1"


class TeamDouble:
    """Change the values, then ``tell_*`` what a service would publish."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self.shared: dict[str, SharedProject] = {}
        self.counts: dict[str, int] = {}
        self.here: list[Presence] = []
        self.state = SyncStatus(WORKSPACE, SyncPhase.SYNCED, synced_at=1)
        self.states: dict[str, str] = {}
        self.told_notes: list[TeamNote] = []
        self.refused_changes: tuple[RefusedChange, ...] = ()
        self.presence_calls: list[tuple[str | None, str | None, bool]] = []
        self.read: list[str] = []
        self.noted: list[str] = []
        self.ended: list[SharedProject] = []
        self.let_in: list[SharedProject] = []
        self.is_closed = False

    def share(self, project_id: str, role: TeamRole = TeamRole.EDITOR) -> None:
        self.shared[project_id] = SharedProject(project_id, WORKSPACE, role, ShareState.SHARED)

    def end(self, project_id: str, reason: EndReason) -> None:
        self.shared[project_id] = replace(self.shared[project_id], state=ShareState.ENDED, ended=reason)
        self.ended.append(self.shared[project_id])

    def tell_status(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self._bus.publish(SyncStatusChanged(self.state))

    def tell_team(self) -> None:
        self._bus.publish(TeamChanged())

    def tell_unread(self, counts: Mapping[str, int]) -> None:
        self.counts = dict(counts)
        self._bus.publish(UnreadChanged(self.counts))

    def tell_presence(self, project_id: str, here: Sequence[Presence]) -> None:
        self.here = list(here)
        self._bus.publish(PresenceChanged(project_id))

    # As the service has it

    async def parked(self) -> tuple[Workspace, ...]:
        return ()

    async def workspaces(self) -> tuple[Workspace, ...]:
        address = ServerAddress("db.example", 5432, "team", "me")
        return (Workspace(WORKSPACE, "The team", address, ME, False, 0),)

    def statuses(self) -> tuple[SyncStatus, ...]:
        return (self.state,)

    async def members(self, _workspace_id: str) -> tuple[TeamMember, ...]:
        roles = dict.fromkeys(self.shared, TeamRole.OWNER)
        return (
            TeamMember(ANA, NAMES[ANA], True, MemberStatus.ACTIVE, roles=roles),
            TeamMember(BEN, NAMES[BEN], False, MemberStatus.ACTIVE, roles=dict.fromkeys(self.shared, TeamRole.EDITOR)),
        )

    async def projects(self) -> tuple[SharedProject, ...]:
        return tuple(self.shared.values())

    def pop_ended(self) -> tuple[SharedProject, ...]:
        ended, self.ended = self.ended, []
        return tuple(ended)

    def pop_let_in(self) -> tuple[SharedProject, ...]:
        let_in, self.let_in = self.let_in, []
        return tuple(let_in)

    def shared_project(self, project_id: str) -> SharedProject | None:
        return self.shared.get(project_id)

    def member_name(self, member_id: str) -> str:
        return NAMES.get(member_id, "Another member")

    def unread(self) -> Mapping[str, int]:
        return self.counts

    async def mark_read(self, thread_id: str) -> None:
        self.read.append(thread_id)
        self.tell_unread({key: count for key, count in self.counts.items() if key != thread_id})

    def presence(self, project_id: str) -> tuple[Presence, ...]:
        return tuple(each for each in self.here if each.project_id == project_id)

    def set_presence(self, project_id: str | None, thread_id: str | None, *, is_typing: bool = False) -> None:
        self.presence_calls.append((project_id, thread_id, is_typing))

    @property
    def decisions(self) -> TeamDouble:
        """It plays that service, too, and those below."""
        return self

    known = records = decisions

    async def notes(self, thread_id: str) -> tuple[TeamNote, ...]:
        return tuple(note for note in self.told_notes if note.thread_id == thread_id)

    async def refused(self) -> tuple[RefusedChange, ...]:
        return self.refused_changes

    async def mark_notes_seen(self, thread_id: str) -> None:
        self.noted.append(thread_id)
        self.told_notes = [note for note in self.told_notes if note.thread_id != thread_id]

    def file_state(self, sha256: str) -> str:
        return self.states.get(sha256, "")

    async def close(self) -> None:
        self.is_closed = True
