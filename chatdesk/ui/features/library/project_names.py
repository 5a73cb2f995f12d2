"""The names of projects where several are offered: two of one name are told apart by their workspace, else by age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from chatdesk.core.domain.project import Project
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import shown, tr
from chatdesk.ui.local_forms import day_text


def names_told_apart(projects: Sequence[Project], workspaces: Mapping[str, str]) -> dict[str, str]:
    """Return a name for each project, by its id. ``workspaces`` has the workspace of those that are shared: it is
    beside a name that another project has, too. Where that tells nothing, the older project comes first and the others
    have a number."""
    count = Counter(project.name.casefold() for project in projects)
    names = {
        project.id: f"{project.name} ({workspaces[project.id]})"
        if count[project.name.casefold()] > 1 and workspaces.get(project.id)
        else project.name
        for project in projects
    }
    seen: Counter[str] = Counter()
    for project in sorted(projects, key=lambda each: (each.created_at, each.id)):
        folded = names[project.id].casefold()
        seen[folded] += 1
        if seen[folded] > 1:
            names[project.id] = tr(
                "{name} ({number}, made {day})",
                name=names[project.id],
                number=seen[folded],
                day=_day(project.created_at),
            )
    return names


def _day(ms: int) -> str:
    return shown(moment_text(ms, partial(day_text, is_short=True)))
