"""The registers of threads and projects: one table that late shares, branches and readers of bodies agree on."""

from __future__ import annotations

import pytest

from chatdesk.core.storage.engine.change_log import COLOUR, NAME, TITLE
from chatdesk.core.storage.engine.steering import PARAMETERS, STEERING, SUMMARIES, changed_registers
from chatdesk.core.storage.engine.tables import projects, threads
from chatdesk.core.storage.sync.projection import values


@pytest.mark.parametrize("reg", STEERING)
def test_a_register_has_columns_and_a_reader(reg: str) -> None:
    columns = STEERING[reg].keys()
    assert set(columns) <= set(threads.c.keys()) & set(projects.c.keys())
    for readers in (values.THREAD, values.PROJECT):
        assert readers[reg](STEERING[reg]) == STEERING[reg]


def test_late_shares_and_branches_know_every_register_that_a_creation_does_not_hold() -> None:
    assert values.THREAD.keys() - STEERING.keys() == {TITLE}, "which the creation of a thread holds"
    assert values.PROJECT.keys() - STEERING.keys() == {NAME, COLOUR}, "which the creation of a project holds"


def test_only_what_differs_from_the_usual_is_said() -> None:
    usual = {column: value for columns in STEERING.values() for column, value in columns.items()}
    assert list(changed_registers(usual)) == []
    changed = usual | {"parameters": '{"seed": 7}', "is_without_summaries": 1, "title": "not of a register"}
    assert dict(changed_registers(changed)) == {
        PARAMETERS: {"parameters": '{"seed": 7}'},
        SUMMARIES: {"is_without_summaries": 1},
    }
