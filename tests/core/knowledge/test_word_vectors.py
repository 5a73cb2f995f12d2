"""Tests vectors of texts: what means the same is near, and what is not known is nowhere."""

from __future__ import annotations

import numpy as np
import pytest

from chatdesk.core.knowledge.word_vectors import VECTORS, Vectors, WordVectors, quantised, signs_of
from chatdesk.core.paths import encodings_dir

_QUESTION = 1139  # the number of “▁question” in the vocabulary


@pytest.fixture(scope="module")
def words() -> WordVectors:
    return WordVectors(encodings_dir())


def _nearness(rows: Vectors) -> list[float]:
    """Return the cosine of the first row with each of the others."""
    found = rows.astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return [float(each) for each in found[1:] @ found[0]]


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        (
            "How do I reset my password?",
            "Changing a forgotten passphrase of your account",
            "Baking bread with rye flour",
        ),
        ("The engine does not start", "Car motor fails at ignition", "Tax forms for small companies"),
        ("remove a file", "delete documents from the disk", "the weather in the mountains"),
    ],
)
def test_the_same_meaning_in_other_words_is_nearer(words: WordVectors, text: str, near: str, far: str) -> None:
    nearness = _nearness(words.embed([text, near, far]))
    assert nearness[0] > nearness[1] + 0.1


def test_blanks_lines_and_neighbours_change_nothing(words: WordVectors) -> None:
    rows = words.embed(["one two\n three", " one  two three ", "something else"])
    assert (rows[0] == rows[1]).all()
    assert (rows[:1] == words.embed(["one two three"])).all()


@pytest.mark.parametrize("text", ["", " \n\t", "\ud800", "\0", "᚛ᚑᚌ", "x" * 100_000, "a\u0301" * 500])
def test_any_text_has_a_row(words: WordVectors, text: str) -> None:
    assert words.embed([text]).shape == (1, 256)


def test_an_unknown_script_has_no_direction(words: WordVectors) -> None:
    assert not words.embed(["᚛ᚑᚌᚐᚋ᚜"]).any()


def test_the_vectors_are_those_of_the_vocabulary(words: WordVectors) -> None:
    """The direction of one word is that of its token in the file, so the ranks and the rows belong together."""
    row = _QUESTION * 512  # two bytes for each of 256 numbers
    data = (encodings_dir() / VECTORS).read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    stored = np.frombuffer(data[end + row : end + row + 512], np.float16).astype(np.float32)
    assert _nearness(np.concatenate([words.embed(["question"]), quantised(stored[None])])) > [0.99]


def test_signs_tell_what_is_above_zero() -> None:
    assert signs_of(np.array([[1, -1, 0, 5, 0, 0, 0, -7]], np.int8)).tolist() == [[0b10010000, *[0] * 7]]
