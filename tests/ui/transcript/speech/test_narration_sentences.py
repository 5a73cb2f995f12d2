"""Cutting growing text into what can be said."""

from __future__ import annotations

import pytest

from chatdesk.ui.transcript.speech.narration import split_sentences


def test_a_sentence_is_said_once_its_end_is_certain() -> None:
    assert split_sentences("The answer is 3.", is_complete=False) == ([], 0)  # it may go on with 14
    said, place = split_sentences("The answer is 3.14. Next", is_complete=False)
    assert said == ["The answer is 3.14."]
    assert "The answer is 3.14. Next"[place:] == " Next"
    assert split_sentences("The answer is 3.14. Next", place, is_complete=True) == (["Next"], 24)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("See e.g. Dr. Smith, i.e. J. Smith. Done.", ["See e.g. Dr. Smith, i.e. J. Smith.", "Done."]),
        ("天気がいい。散歩しよう！行く？", ["天気がいい。", "散歩しよう！", "行く？"]),
        ("A line\nand another", ["A line", "and another"]),
        ("1. First point. 2. Second", ["1. First point.", "2. Second"]),
        ("--- ... ***", []),
        ("", []),
        ("مرحبا بالعالم. كيف حالك؟", ["مرحبا بالعالم.", "كيف حالك؟"]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text, is_complete=True)[0] == sentences


def test_growing_text_is_said_whole_and_once_however_it_is_cut() -> None:
    text = "First, a word. Then e.g. another one! And 3.5 more? " * 20 + "The rest"
    whole = split_sentences(text, is_complete=True)[0]
    for step in (1, 2, 3, 7, 50):
        said, place = [], 0
        for end in range(0, len(text), step):
            fresh, place = split_sentences(text[:end], place, is_complete=False)
            said += fresh
        fresh, place = split_sentences(text, place, is_complete=True)
        assert said + fresh == whole
        assert place == len(text)


def test_text_without_an_end_is_cut_at_a_space_and_hostile_text_is_not_slow() -> None:
    said, place = split_sentences("word " * 200, is_complete=False)
    assert said
    assert max(map(len, said)) <= 400
    assert 0 < place < 1000
    for text in ("a" * 200_000, ". " * 100_000, "e.g. " * 50_000, "(" * 100_000, "\n" * 100_000):
        said = split_sentences(text, is_complete=True)[0]
        assert all(len(sentence) <= 400 for sentence in said)
