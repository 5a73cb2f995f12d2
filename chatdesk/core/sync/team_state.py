"""The known state of teams, read from the profile in one transaction and looked up from memory.

It is replaced as a whole, so that any thread may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from chatdesk.core.domain.sharing.team import SharedProject, TeamMember, Workspace
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.sync import files as sync_files
from chatdesk.core.storage.sync import team, team_notes

_NOBODY_KNOWN = "Somebody"


@dataclass(frozen=True, slots=True)
class TeamState:
    """The known state of teams. ``members``: of joined workspaces, by id; ``names``: also of workspaces that were left,
    by id; ``files``: ``sync_files`` states of the files that are not here, by SHA-256; ``read_only``: projects in which
    this person may not write."""

    workspaces: tuple[Workspace, ...] = ()
    members: Mapping[str, TeamMember] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, SharedProject] = field(default_factory=dict)
    unread: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()

    @classmethod
    def read(cls, conn: Connection) -> TeamState:
        """Read the state in the caller's transaction."""
        shared = {each.project_id: each for each in team.shared_projects(conn)}
        workspaces = tuple(team.workspaces(conn))
        if not workspaces and not shared:
            return cls()
        return cls(
            workspaces,
            {member.id: member for each in workspaces for member in team.members(conn, each.id)},
            team.member_names(conn),
            shared,
            MappingProxyType(team_notes.unread(conn)),
            sync_files.not_here(conn),
            team.read_only_projects(conn),
        )

    def workspace(self, workspace_id: str) -> Workspace | None:
        return next((each for each in self.workspaces if each.id == workspace_id), None)

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


def _without_clock(workspaces: tuple[Workspace, ...]) -> list[Workspace]:
    return [replace(each, clock_offset_ms=0) for each in workspaces]


def _shares(projects: Mapping[str, SharedProject]) -> dict[str, SharedProject]:
    return {id_: replace(project, seq=0, waiting=0, refused=0) for id_, project in projects.items()}
