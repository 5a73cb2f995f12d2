"""What is set of the parameters, in a few words."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.parameters import Parameters
from chatdesk.ui.features.chat.parameter_words import all_words, words_of


@pytest.mark.parametrize(
    ("parameters", "few", "all_of_them"),
    [
        (Parameters(), "", ()),
        (Parameters(temperature=0.2), "Temperature 0.2", ("Temperature 0.2",)),
        (Parameters(top_p=0.25), "Top-p 0.25", ("Top-p 0.25",)),
        (Parameters(answer_length=4000), "Longest answer 4,000", ("Longest answer 4,000",)),
        (Parameters(reasoning_effort="high"), "Reasoning effort High", ("Reasoning effort High",)),
        (Parameters(stop=("END",)), "Stop words", ("Stop words",)),
        (Parameters(temperature=0.0, stop=("END",)), "2 parameters", ("Temperature 0.0", "Stop words")),
    ],
)
def test_the_words_name_each_set_parameter(parameters: Parameters, few: str, all_of_them: tuple[str, ...]) -> None:
    assert (words_of(parameters), all_words(parameters)) == (few, all_of_them)
