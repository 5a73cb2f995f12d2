"""Two projects of one name are told apart."""

from __future__ import annotations

from chatdesk.core.domain.project import Project
from chatdesk.ui.application.project_names import names_told_apart


def _project(project_id: str, name: str) -> Project:
    return Project(project_id, name, "", "", None, None, 0, None)


def test_projects_of_one_name_say_where_they_are() -> None:
    projects = [_project("a", "Personal"), _project("b", "personal"), _project("c", "Research")]
    assert names_told_apart(projects, {"b": "Team", "c": "Team"}) == {
        "a": "Personal",
        "b": "personal (Team)",
        "c": "Research",
    }
