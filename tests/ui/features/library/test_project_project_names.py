"""Two projects of one name are told apart."""

from __future__ import annotations

from dataclasses import replace

from chatdesk.core.domain.thread import Project
from chatdesk.ui.features.library.project import names_told_apart


def _project(project_id: str, name: str) -> Project:
    return Project(project_id, name, "", "", None, None, 0, None)


def test_projects_of_one_name_say_where_they_are() -> None:
    projects = [_project("a", "Personal"), _project("b", "personal"), _project("c", "Research")]
    assert names_told_apart(projects, {"b": "Team", "c": "Team"}) == {
        "a": "Personal",
        "b": "personal (Team)",
        "c": "Research",
    }


def test_where_that_tells_nothing_the_younger_one_has_a_number_and_a_day() -> None:
    day = 24 * 3600 * 1000
    old, young = _project("b", "Personal"), replace(_project("a", "Personal"), created_at=40 * day)
    assert names_told_apart([young, old], {}) == {"a": "Personal (2, made 10 Feb 1970)", "b": "Personal"}
    both = names_told_apart([young, old], {"a": "Team", "b": "Team"})
    assert both == {"a": "Personal (Team) (2, made 10 Feb 1970)", "b": "Personal (Team)"}


def test_projects_whose_names_look_alike_are_spelt_out() -> None:
    own, other = _project("a", "Plan"), _project("b", "Pl\u0430n")
    assert names_told_apart([own, other], {"b": "Team"}) == {"a": "Plan", "b": "Pl⟦U+0430⟧n (Team)"}
    assert names_told_apart([_project("c", "ΔT")], {}) == {"c": "ΔT"}
