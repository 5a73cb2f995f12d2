"""What is known of teams without asking anybody: read from the profile in one go, looked up from memory.

Replaced as a whole, so that any thread may look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from chatdesk.core.domain.sharing.team import SharedProject, TeamMember, Workspace
from chatdesk.core.storage.sync import files as sync_files
from chatdesk.core.storage.sync import team

if TYPE_CHECKING:
    from chatdesk.core.storage.engine.connection import Connection

_NOBODY_KNOWN = "Somebody"


@dataclass(frozen=True, slots=True)
class TeamState:
    """``members``: of joined workspaces, ``names``: of those that were left too, both by id;
    ``files``: ``sync_files`` states of those that are not here, by sum; ``read_only``: projects in which this
    person may not write."""

    workspaces: tuple[Workspace, ...] = ()
    members: Mapping[str, TeamMember] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, SharedProject] = field(default_factory=dict)
    unread: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()

    @classmethod
    def read(cls, conn: Connection) -> TeamState:
        """All of it, in the caller's transaction."""
        shared = {each.project_id: each for each in team.shared_projects(conn)}
        workspaces = tuple(team.workspaces(conn))
        if not workspaces and not shared:
            return cls()
        return cls(
            workspaces,
            {member.id: member for each in workspaces for member in team.members(conn, each.id)},
            team.member_names(conn),
            shared,
            MappingProxyType(team.unread(conn)),
            sync_files.not_here(conn),
            team.read_only_projects(conn),
        )

    def workspace(self, workspace_id: str) -> Workspace | None:
        return next((each for each in self.workspaces if each.id == workspace_id), None)

    def name_of(self, member_id: str) -> str:
        return self.names.get(member_id) or _NOBODY_KNOWN

    def ended_since(self, other: TeamState) -> dict[str, SharedProject]:
        """Projects that were shared then and are so no more, by id."""
        return {
            id_: project
            for id_, project in self.projects.items()
            if project.ended is not None and id_ in other.projects and other.projects[id_].ended is None
        }

    def let_in_since(self, other: TeamState) -> dict[str, SharedProject]:
        """Private copies that wait for *Share…* since then, by id."""
        return {
            id_: project
            for id_, project in self.projects.items()
            if project.is_let_in and id_ in other.projects and not other.projects[id_].is_let_in
        }

    def differs_in_people(self, other: TeamState) -> bool:
        """Whether whoever shows workspaces, members, roles or shares has to look again."""
        return (
            _without_clock(self.workspaces) != _without_clock(other.workspaces)
            or self.members != other.members
            or _shares(self.projects) != _shares(other.projects)
        )


def _without_clock(workspaces: tuple[Workspace, ...]) -> list[Workspace]:
    return [replace(each, clock_offset_ms=0) for each in workspaces]


def _shares(projects: Mapping[str, SharedProject]) -> dict[str, SharedProject]:
    return {id_: replace(project, seq=0, waiting=0, refused=0) for id_, project in projects.items()}
