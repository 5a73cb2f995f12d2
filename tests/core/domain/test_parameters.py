from __future__ import annotations

from typing import Any

import pytest

from chatdesk.core.domain.parameters import Parameters, checked_parameters, parameters_from
from chatdesk.core.errors import InvalidInput

FULL = Parameters(0.0, 0.9, 100, "low", ("END", "STOP"))


def test_what_is_stored_reads_as_it_was() -> None:
    assert parameters_from(FULL.as_json()) == FULL
    assert Parameters().as_json() == {}
    assert parameters_from({}) == Parameters()


def test_a_thread_decides_over_its_project_also_with_zero() -> None:
    thread = Parameters(temperature=0.0)
    project = Parameters(temperature=1.0, answer_length=50, stop=("x",))
    assert thread.over(project) == Parameters(temperature=0.0, answer_length=50, stop=("x",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 2.1),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", 1.5),
        ("answer_length", 0),
        ("answer_length", 1.5),
        ("answer_length", True),
        ("reasoning_effort", "enormous"),
        ("stop", "END"),
        ("stop", ("",)),
        ("stop", (1,)),
        ("stop", ("a", "b", "c", "d", "e")),
        ("stop", ("x" * 201,)),
    ],
)
def test_what_no_model_takes_is_refused_and_read_as_not_set(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput):
        checked_parameters(Parameters(**{name: value}))
    assert parameters_from({name: value, "unknown": 1}) == Parameters()


def test_good_values_pass() -> None:
    assert checked_parameters(FULL) == FULL
