"""Pictures in the text of an answer: taken out of it, whatever the pieces in which the text comes."""

from __future__ import annotations

import itertools
import random

import pytest

from chatdesk.core.providers.base import PictureDelta, PictureFault, TextDelta
from chatdesk.core.providers.picture_splitter import PictureSplitter
from chatdesk.core.rendering.picture_data import MAX_PICTURE_LETTERS

LETTERS = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
URL = f"data:image/png;base64,{LETTERS}=="
PICTURE = f"![A blue bird]({URL})"


def split(text: str, *, seed: int | None = None) -> tuple[str, list[PictureDelta]]:
    """Return the text, with ``<N>`` for picture N, and the last event of each picture."""
    splitter = PictureSplitter()
    dice = random.Random(seed)
    pieces = [text]
    if seed is not None:
        cuts = sorted({0, len(text), *(dice.randrange(len(text) + 1) for _ in range(dice.randrange(1, 40)))})
        pieces = [text[a:b] for a, b in itertools.pairwise(cuts)]
    events = [event for piece in pieces for event in splitter.feed(piece)] + list(splitter.finish())
    shown = "".join(
        event.text if isinstance(event, TextDelta) else "" if event.url or event.fault else f"<{event.item[5:]}>"
        for event in events
    )
    pictures = [each for each in events if isinstance(each, PictureDelta)]
    return shown, list({each.item: each for each in pictures}.values())


def test_the_pieces_in_which_a_text_comes_make_no_difference() -> None:
    for seed in [None, *range(60)]:
        text = f'Look! ![no picture](https://a.b/c.png) `![` {PICTURE} and\n![]({URL})![x](<{URL}> "Title")!\n![half'
        shown, pictures = split(text, seed=seed)
        assert shown == "Look! ![no picture](https://a.b/c.png) `![` <1> and\n<2><3>!\n![half"
        assert [each.words for each in pictures] == ["A blue bird", "", "x"]
        assert {each.url for each in pictures} == {URL}
        assert pictures[0].written == PICTURE


@pytest.mark.parametrize(
    "text",
    [
        f"```md\n{PICTURE}\n```\n",
        f"~~~~\n```\n{PICTURE}\n~~~\n{PICTURE}\n",
        f"In `{PICTURE}` it is code",
        f"List:\n\n    {PICTURE}\n",
        "Write `![words](data:image/png;base64,…)` or ![words](data:image/png;base64,<data>)",
        "![a](data:text/html;base64,PGI+aGk8L2I+PGI+aGk8L2I+)",
        "!" * 500,
        "![" * 300,
    ],
)
def test_code_and_other_texts_stay_as_they_are(text: str) -> None:
    for seed in [None, *range(8)]:
        assert split(text, seed=seed) == (text, [])


@pytest.mark.parametrize("seed", [None, *range(8)])
def test_code_that_has_ended_does_not_matter(seed: int | None) -> None:
    assert split(f"```\ncode\n```\n{PICTURE} `x` {PICTURE}", seed=seed)[0] == "```\ncode\n```\n<1> `x` <2>"


def test_a_picture_is_announced_before_its_letters_and_text_before_it_is_given_at_once() -> None:
    splitter = PictureSplitter()
    events = list(splitter.feed("Before " + PICTURE[:60]))
    assert events == [TextDelta("Before "), PictureDelta("text-1", words="A blue bird")]
    assert list(splitter.feed(PICTURE[60:])) == [
        PictureDelta("text-1", URL, words="A blue bird", around=("![A blue bird](", ")"))
    ]


@pytest.mark.parametrize("seed", [None, *range(8)])
def test_what_is_not_closed_is_damaged_and_the_text_goes_on(seed: int | None) -> None:
    shown, (picture,) = split(f"![a]({URL[:-2]} and on it goes", seed=seed)
    assert (shown, picture.fault) == ("<1> and on it goes", PictureFault.DAMAGED)


def test_letters_beyond_the_limit_are_dropped_and_the_text_goes_on() -> None:
    splitter = PictureSplitter()
    pieces = ["![a](data:image/png;base64,", *(["A" * 2**20] * (MAX_PICTURE_LETTERS // 2**20 + 3)), ") after"]
    events = [event for piece in pieces for event in splitter.feed(piece)]
    assert events[1:] == [PictureDelta("text-1", words="a", fault=PictureFault.TOO_LARGE), TextDelta(" after")]
