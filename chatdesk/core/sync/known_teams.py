"""Keeps the state of teams in memory, so that a look-up during painting costs one dictionary access, and reads their
other stored data.

Coroutines and events belong to the event loop's thread. ``state`` is replaced as a whole, so that any thread may read
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from chatdesk.core.domain.sharing.team import SharedProject, ShareState, SyncRound, TeamDevice, TeamMember, Workspace
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus, TeamChanged, UnreadChanged
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import files, own_places, rounds, team, team_notes
from chatdesk.core.texts import Text

_NOBODY_KNOWN = "Somebody"


@dataclass(frozen=True, slots=True)
class TeamState:
    """The known state of teams. ``members``: of joined workspaces, by id; ``names``: also of workspaces that were left,
    by id; ``files``: the states of the files that are not here, by SHA-256; ``read_only``: projects in which
    this person may not write. ``places``: folders of this person's own computers; ``carried``: the workspaces of the
    projects in them, by project: nothing of these is shown as shared."""

    workspaces: tuple[Workspace, ...] = ()
    members: Mapping[str, TeamMember] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, SharedProject] = field(default_factory=dict)
    unread: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()
    places: tuple[Workspace, ...] = ()
    carried: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, conn: Connection) -> TeamState:
        """Read the state in the caller's transaction."""
        shared = {each.project_id: each for each in team.shared_projects(conn)}
        workspaces, places = tuple(team.workspaces(conn)), tuple(team.places(conn))
        if not workspaces and not shared and not places:
            return cls()
        return cls(
            workspaces,
            {member.id: member for each in workspaces for member in team.members(conn, each.id)},
            team.member_names(conn),
            shared,
            MappingProxyType(team_notes.unread(conn)),
            files.not_here(conn),
            team.read_only_projects(conn),
            places,
            own_places.carried(conn),
        )

    def workspace(self, workspace_id: str) -> Workspace | None:
        return next((each for each in self.workspaces if each.id == workspace_id), None)

    @property
    def synced(self) -> tuple[Workspace, ...]:
        """The workspaces that are synced: those of teams, and the folders of own computers that are not paused."""
        return (*self.workspaces, *(each for each in self.places if not each.is_paused))

    def workspace_of(self, project_id: str) -> str | None:
        """Return the workspace that a project is synced with, if any."""
        project = self.projects.get(project_id)
        return self.carried.get(project_id) if project is None else project.workspace_id

    def name_of(self, member_id: str) -> str:
        return self.names.get(member_id) or _NOBODY_KNOWN

    def ended_since(self, other: TeamState) -> dict[str, SharedProject]:
        """Return the projects that were shared in the ``other`` state and are no longer, by id."""
        return {
            id_: project
            for id_, project in self.projects.items()
            if project.ended is not None and id_ in other.projects and other.projects[id_].ended is None
        }

    def let_in_since(self, other: TeamState) -> dict[str, SharedProject]:
        """Return the private copies that wait for *Share…* and did not in the ``other`` state, by id."""
        return {
            id_: project
            for id_, project in self.projects.items()
            if project.is_let_in and id_ in other.projects and not other.projects[id_].is_let_in
        }

    def differs_in_people(self, other: TeamState) -> bool:
        """Return whether workspaces, members, roles or shares differ."""
        return (
            _without_clock(self.workspaces) != _without_clock(other.workspaces)
            or self.members != other.members
            or _shares(self.projects) != _shares(other.projects)
        )


class KnownTeams:
    """The known state of teams, kept in memory; ``TeamService.known`` exposes it. Reading it again publishes what
    differs."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus
        self.state = TeamState()
        self._ended: dict[str, SharedProject] = {}
        self._ending: set[str] = set()  # projects whose share this person is ending
        self._let_in: dict[str, SharedProject] = {}
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the state again, and publish what differs."""
        async with self._refreshing:  # in turn, or an older state could replace a newer one
            before, self.state = self.state, await self._database.read(TeamState.read)
            self._database.log_watch.read_only = self.state.read_only
            ended = self.state.ended_since(before)
            self._ended |= {key: each for key, each in ended.items() if key not in self._ending}
            self._let_in |= self.state.let_in_since(before)
        if self.state.differs_in_people(before):
            self._bus.publish(TeamChanged())
        if self.state.unread != before.unread:
            self._bus.publish(UnreadChanged(self.state.unread))

    def workspace(self, workspace_id: str) -> Workspace:
        """Return a joined workspace. Raises ``NotPossible``."""
        workspace = self.state.workspace(workspace_id)
        if workspace is None:
            raise NotPossible(
                Text("This profile is not in that workspace."), next_step=Text("Join it in Settings, Team sync.")
            )
        return workspace

    def shared_project(self, project_id: str) -> SharedProject | None:
        """Return the share of a project; None for a private one. Counters are as of the last round. Cheap."""
        return self.state.projects.get(project_id)

    def member_name(self, member_id: str) -> str:
        """Return the name to show for an author's id, or a general word for an unknown one. Cheap."""
        return self.state.name_of(member_id)

    def unread(self) -> Mapping[str, int]:
        """Return how many messages of others are unread, by thread; threads without any are left out. Cheap."""
        return self.state.unread

    def file_state(self, sha256: str) -> str:
        """Return why an attached file is not here: "fetching", "missing", or "" if it is here or not shared. Cheap."""
        state = self.state.files.get(sha256)
        return {files.TO_FETCH: "fetching", files.MISSING: "missing"}.get(state or "", "")

    # Changes that are shown to the person once

    def pop_ended(self) -> tuple[SharedProject, ...]:
        """Return the projects that stopped being shared since the start, each only once, for a notice."""
        ended, self._ended = self._ended, {}
        return tuple(ended.values())

    def pop_let_in(self) -> tuple[SharedProject, ...]:
        """Return the private copies that are open to this person again and wait for *Share…*, each only once."""
        let_in, self._let_in = self._let_in, {}
        now = self.state.projects
        return tuple(each for key, each in let_in.items() if key in now and now[key].is_let_in)

    @asynccontextmanager
    async def ending(self, project_id: str) -> AsyncIterator[None]:
        """Report the end of a share once, after this block: the server may report it before it is written here, and
        not that it was this person's wish."""
        self._ending.add(project_id)
        try:
            yield
        finally:
            await self.refresh()
            self._ending.discard(project_id)
            if (now := self.state.projects.get(project_id)) and now.state is ShareState.ENDED:
                self._ended[project_id] = now


class TeamRecords:
    """Reads the stored data about teams, without asking a server; ``TeamService.records`` exposes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def workspaces(self) -> tuple[Workspace, ...]:
        """Return the joined workspaces, the oldest first."""
        return tuple(await self._database.read(team.workspaces))

    async def parked(self) -> tuple[Workspace, ...]:
        """Return the workspaces of a restored profile that are not connected to before they are joined again."""
        return tuple(await self._database.read(team.parked))

    async def members(self, workspace_id: str) -> tuple[TeamMember, ...]:
        """Return the members as of the last round, including removed ones, because they wrote messages."""
        return tuple(await self._database.read(lambda conn: team.members(conn, workspace_id)))

    async def devices(self, workspace_id: str) -> tuple[TeamDevice, ...]:
        """Return the devices as of the last round."""
        return tuple(await self._database.read(lambda conn: team.devices(conn, workspace_id)))

    async def projects(self, workspace_id: str | None = None) -> tuple[SharedProject, ...]:
        """Return the projects that are or were shared with a workspace, or with any team."""
        return tuple(await self._database.read(lambda conn: team.shared_projects(conn, workspace_id)))

    async def rounds(self, workspace_id: str, limit: int = 100) -> tuple[SyncRound, ...]:
        """Return the log of rounds, the newest first."""
        return tuple(await self._database.read(lambda conn: rounds.newest(conn, workspace_id, limit=limit)))


def _without_clock(workspaces: tuple[Workspace, ...]) -> list[Workspace]:
    return [replace(each, clock_offset_ms=0) for each in workspaces]


def _shares(projects: Mapping[str, SharedProject]) -> dict[str, SharedProject]:
    return {id_: replace(project, seq=0, waiting=0, refused=0) for id_, project in projects.items()}
