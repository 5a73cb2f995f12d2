"""Words in a list, in English and in another language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatdesk.core.texts import Text, use_translation
from chatdesk.ui.widgets.words import listed, with_commas


@pytest.fixture
def japanese() -> Iterator[None]:
    known = {", ": "、", "{others} and {last}": "{others}と{last}", "you": "あなた"}
    use_translation(lambda source, _one, _count: known.get(source, ""))
    yield
    use_translation(None)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["Ana"], "Ana"),
        (["Ana", "Ben"], "Ana and Ben"),
        (["Ana", "Ben", "Cleo"], "Ana, Ben and Cleo"),
    ],
)
def test_the_last_of_several_follows_an_and(names: list[str], words: str) -> None:
    assert listed(names) == words


def test_an_empty_word_gets_no_comma() -> None:
    assert with_commas(["Ana", "", "Ben"]) == "Ana, Ben"


@pytest.mark.usefixtures("japanese")
def test_another_language_has_its_own_signs() -> None:
    assert listed(["Ana", Text("you"), "Ben"]) == "Ana、あなたとBen"
    assert with_commas(["Ana", Text("you")]) == "Ana、あなた"
