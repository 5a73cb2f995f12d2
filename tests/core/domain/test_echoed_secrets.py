"""Keys that come back: in capitals, split, cut into pieces, over several events."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatdesk.core.domain.echoed_secrets import EchoedSecrets, EchoFilter

KEY = "sk-proj-Ab3dEf9hIj2kLm4nOp6qRs8t"
LETTERS = re.sub(r"[^0-9a-z]", "", KEY.lower())
PART = 10


def _longest_echo(text: str) -> int:
    seen = re.sub(r"[^0-9a-z]", "", text.replace("[hidden]", "§").lower())
    sizes = range(len(LETTERS), 0, -1)
    parts = (LETTERS[at : at + size] for size in sizes for at in range(len(LETTERS) - size + 1))
    return next((len(part) for part in parts if part in seen), 0)


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        KEY.upper(),
        KEY.replace("-", " - "),
        " ".join(KEY),
        "\n".join(KEY[at : at + 5] for at in range(0, len(KEY), 5)),
        KEY[8:],
        f"…{KEY[5:20]}…",
    ],
)
def test_a_key_is_hidden_however_it_is_written(echo: str) -> None:
    found = EchoedSecrets([KEY]).hide(f"Bad key: {echo}, sorry.")
    assert found.startswith("Bad key: ")
    assert found.endswith("sorry.")
    assert "[hidden]" in found
    assert _longest_echo(found) < PART


def test_words_are_not_taken_for_keys() -> None:
    text = "LM Studio at https://example.org needs no key; application/json, 0123456789."
    secrets = ["lm-studio", "none", "application/json", "https://example.org"]
    assert EchoedSecrets(secrets, in_answers=True).hide(text) == text
    assert EchoedSecrets(["lm-studio"]).hide("lm studio") == "[hidden]"


@given(
    before=st.text(alphabet="ab sk-", max_size=12),
    after=st.text(alphabet="ab sk-3d", max_size=12),
    between=st.sampled_from(["", " ", "-", "\n"]),
    is_upper=st.booleans(),
    cuts=st.lists(st.integers(0, 80), max_size=12),
)
@example(before="", after="", between="", is_upper=False, cuts=list(range(1, 40)))
def test_a_key_over_several_events_is_hidden(
    before: str, after: str, between: str, is_upper: bool, cuts: list[int]
) -> None:
    echo = between.join(KEY.upper() if is_upper else KEY)
    text = before + echo + after
    filtered, shown = EchoFilter(EchoedSecrets([KEY], in_answers=True)), ""
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, end in itertools.pairwise(places):
        shown += filtered.feed(text[start:end])
    shown += filtered.finish()
    assert _longest_echo(shown) < PART
    assert "[hidden]" in shown


@given(pieces=st.lists(st.text(max_size=20), max_size=10))
def test_all_else_comes_through_as_it_is(pieces: list[str]) -> None:
    filtered = EchoFilter(EchoedSecrets([KEY], in_answers=True))
    assert "".join([*map(filtered.feed, pieces), filtered.finish()]) == "".join(pieces)


def test_what_may_become_a_key_is_held_for_a_short_while_only() -> None:
    filtered = EchoFilter(EchoedSecrets([KEY], in_answers=True))
    assert filtered.feed("A task: ") == "A task: "
    assert filtered.feed("sk-pr") == ""
    assert filtered.feed("int it") == "sk-print it"
    assert filtered.feed("sk-proj" + "." * 3000) != ""
