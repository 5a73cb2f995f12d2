"""What is found in the source of a message is what is found in the message as it is shown."""

from __future__ import annotations

from random import Random

import pytest

from chatdesk.core.domain.text_match import count_in_source, find_in_shown, needle_of


@pytest.mark.parametrize(
    ("source", "shown", "typed"),
    [
        ("A **bold** word", "A bold word", "a bold WORD"),
        ("Call `run()` now", "Call \u00a0run()\u00a0 now", "call run() now"),
        ("See [the page](https://a.example) there", "See the page there", "the page there"),
        ("Größe der ÄPFEL", "Größe der ÄPFEL", "größe der äpfel"),
        ("ПРИВЕТ мир", "ПРИВЕТ мир", "привет МИР"),
        ("two  spaces\nand a line", "two spaces and a line", "spaces and a"),
        ("İstanbul and on", "İstanbul and on", "and on"),
        ("| a | b |", "a\tb", "a b"),
        ("Donau\u00addampf\u200bschiff", "Donaudampfschiff", "dampfschiff"),
        ("מחיר \u200e(5 USD)\u200e", "מחיר \u200e(5 USD)\u200e", "(5 usd)"),
    ],
)
def test_source_and_picture_agree(source: str, shown: str, typed: str) -> None:
    needle = needle_of(typed)
    assert count_in_source(source, needle) == 1
    found = find_in_shown(shown, needle)
    assert len(found) == 1
    start, end = found[0]
    assert needle_of(shown[start:end]) == needle


def test_every_place_is_found_without_overlaps() -> None:
    assert find_in_shown("aaaa", "aa") == [(0, 2), (2, 4)]
    assert find_in_shown("one two one", "one") == [(0, 3), (8, 11)]


def test_marks_alone_and_nothing_are_never_found() -> None:
    for typed in ("", "  ", "**", "`"):
        needle = needle_of(typed)
        assert needle == ""
        assert count_in_source("a ** b", needle) == 0
        assert find_in_shown("a ** b", needle) == []


def _found_by_letter(text: str, needle: str) -> list[tuple[int, int]]:
    """The places of ``needle`` in the letters of ``text`` that count."""
    letters, offsets = [""], [-1]
    for offset, letter in enumerate(text.lower()):
        if needle_of(f"x{letter}x") == "xx" or (letter.isspace() and letters[-1] == " "):
            continue
        letters.append(" " if letter.isspace() else letter)
        offsets.append(offset)
    reduced, found, place = "".join(letters), [], 0
    while (place := reduced.find(needle, place)) >= 0:
        found.append((offsets[place + 1], offsets[place + len(needle)] + 1))
        place += len(needle)
    return found


def test_places_are_those_of_the_letters_that_count() -> None:
    for seed in range(200):
        random = Random(seed)
        text = "".join(random.choices("abA  \n*`\u200b\u00ad.(", k=60))
        for typed in ("a", "ab", "a b", "b  a", "a.b", "(", "aa"):
            assert find_in_shown(text, needle_of(typed)) == _found_by_letter(text, needle_of(typed))


@pytest.mark.parametrize("unit", ["a", "a ", " ", "*", "a*", " *", "a* "])
def test_the_work_grows_with_the_text(unit: str) -> None:
    assert find_in_shown(unit * 200_000, "a a b") == []
