"""The rows of the table of projects that are shared with a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chatdesk.core.domain.sharing.team import SharedProject
from chatdesk.core.texts import tr
from chatdesk.ui.features.team.pages.team_table import TableRow
from chatdesk.ui.features.team.pages.team_text import project_words


def project_rows(projects: Sequence[SharedProject], names: Mapping[str, str]) -> list[TableRow]:
    """Return the rows of the table of shared projects: those that are shared now first, by name."""
    return [
        TableRow(
            project.project_id,
            (names.get(project.project_id, tr("A project that is not here yet")), project_words(project)),
            tr("Sharing…") if project.ended is None else tr("Share…") if project.is_let_in else "",
        )
        for project in sorted(
            projects, key=lambda each: (each.ended is not None, names.get(each.project_id, "").casefold())
        )
    ]
