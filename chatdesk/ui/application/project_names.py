"""What projects are called where several are offered: two of one name are told apart by where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from chatdesk.core.domain.project import Project


def names_told_apart(projects: Sequence[Project], workspaces: Mapping[str, str]) -> dict[str, str]:
    """A name for each project, by its id. ``workspaces`` has the workspace of those that are shared: it stands beside a
    name that another project has, too."""
    count = Counter(project.name.casefold() for project in projects)
    return {
        project.id: f"{project.name} ({workspaces[project.id]})"
        if count[project.name.casefold()] > 1 and workspaces.get(project.id)
        else project.name
        for project in projects
    }
