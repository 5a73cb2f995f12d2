"""The names of projects where several are offered: two that look the same are told apart by their letters, their
workspace, else by age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from chatdesk.core.domain.project import Project
from chatdesk.core.hidden_characters import distinct_name, look_of
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import shown, tr
from chatdesk.ui.local_forms import day_text


def names_told_apart(projects: Sequence[Project], workspaces: Mapping[str, str]) -> dict[str, str]:
    """Return a name for each project, by its id. ``workspaces`` has the workspace of those that are shared: it is
    beside a name that looks like another project's. Where that tells nothing, the older project comes first and the
    others have a number."""
    looks = Counter(look_of(project.name) for project in projects)
    names = {}
    for project in projects:
        is_alike = looks[look_of(project.name)] > 1
        name = distinct_name(project.name) if is_alike else project.name
        names[project.id] = f"{name} ({workspaces[project.id]})" if is_alike and workspaces.get(project.id) else name
    seen: Counter[str] = Counter()
    for project in sorted(projects, key=lambda each: (each.created_at, each.id)):
        look = look_of(names[project.id])
        seen[look] += 1
        if seen[look] > 1:
            names[project.id] = tr(
                "{name} ({number}, made {day})",
                name=names[project.id],
                number=seen[look],
                day=_day(project.created_at),
            )
    return names


def _day(ms: int) -> str:
    return shown(moment_text(ms, partial(day_text, is_short=True)))
