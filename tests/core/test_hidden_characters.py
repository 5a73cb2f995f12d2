"""Names that other people and programs choose cannot pass for others; running text shows what deceives alone."""

from __future__ import annotations

import pytest

from chatdesk.core import hidden_characters
from chatdesk.core.hidden_characters import distinct_name, look_of, readable_prose, told_apart
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.plain_text import plain_blocks
from chatdesk.core.search.snippet import plain
from tests.helpers.block_outline import outline_blocks


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("good", "good"),
        ("good\u200b", "good⟦U+200B⟧"),
        ("g\u043e\u043ed", "g⟦U+043E⟧⟦U+043E⟧d"),
        ("go\u202eod", "go⟦U+202E⟧od"),
        ("\uff47ood", "⟦U+FF47⟧ood"),
        ("g\u03bf_good", "g⟦U+03BF⟧_good"),
        ("good\nbad", "good bad"),
        ("хорошо", "хорошо"),
        ("größe", "größe"),
        ("USBケーブル", "USBケーブル"),
        ("файл.txt", "файл.txt"),
    ],
)
def test_names_that_look_alike_are_shown_apart(name: str, shown: str) -> None:
    assert distinct_name(name) == shown


@pytest.mark.parametrize(
    "other",
    ["Good", "GOOD", "g\u043eod", "go\u200bod", "g\u03bfod", "\uff47ood", " go od", "g\u00f6od", "goo\u0501", "g00d"],
)
@pytest.mark.parametrize("is_first", [False, True])
def test_of_names_that_look_the_same_no_two_are_shown_alike(other: str, is_first: bool) -> None:
    names = {"a": other, "b": "Good"} if is_first else {"b": "Good", "a": other}
    shown = told_apart(names | {"c": "good (2)", "d": "Good", "e": "хорошо"})
    assert len({look_of(each) for each in shown.values()}) == 5
    assert shown["e"] == "хорошо"
    assert shown["b"] == ("Good (2)" if is_first and "⟦" not in shown["a"] else "Good")


PLACES = {
    "paragraph": "{}",
    "heading": "# {}",
    "item": "- {}",
    "quote": "> {}",
    "bold": "**{}**",
    "link": "[{}](http://a.b)",
    "header": "| {} | b |\n|---|---|",
    "cell": "| a | b |\n|---|---|\n| {} | c |",
    "long cell": "| a |\n|---|\n| {} " + "x" * 5000 + " |",
    "note": "n[^1]\n\n[^1]: {}",
    "fold": "<details><summary>{}</summary>\n\nx\n\n</details>",
}
ADVICE = {
    "soft hyphen": "Donau\xaddampf",
    "zero-width space": "long\u200bword",
    "non-joiner": "Auf\u200clage",
    "joiner": "a\u200db",
    "word joiner": "10\u2060km",
    "byte order mark": "\ufeffstart",
    "grapheme joiner": "a\u034fb",
    "invisible times": "2\u2062x",
    "variation selector": "a\ufe0fb",
    "doubled": "a\u200b\u200bb",
    "direction mark": "(a)\u200e\u200f!\u061c",
}
DECEIT = {
    "override": "a\u202eb",
    "isolate": "a\u2066b",
    "tag": "a\U000e0041b",
    "variation of ideographs": "a\U000e0101b",
    "filler": "a\u3164b",
    "control": "a\x07b",
    "message": "a\u200b\u200c\u200b\u200cb",
    "marks": "שלום\u200f\u200e\u200f\u200e",
}
SCRIPTS = {
    "Hebrew": "מחיר \u200e(5 USD)\u200e, שלום\u200f!",
    "Persian": "می\u200cخواهم C++\u200f را",
    "Arabic": "سعر \u061c5\u061c دولار",
    "Khmer": "ភាសា\u200bខ្មែរ",
    "emoji": "👩\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3",
    "Hindi": "क्\u200dष",
    "Chinese": "葛\U000e0100",
}


def _shown(place: str, words: str) -> str:
    return str(outline_blocks(parse_markdown(PLACES[place].replace("{}", words))))


@pytest.mark.parametrize("name", ADVICE)
def test_advice_to_the_layout_is_not_spelt_out_in_running_text(name: str) -> None:
    for place in PLACES:
        words = "".join(sign for sign in ADVICE[name] if sign.isprintable() and not 0xFE00 <= ord(sign) < 0xFE10)
        words = words.replace("\u034f", "")
        assert _shown(place, ADVICE[name]) == _shown(place, words)
        assert plain(ADVICE[name]) == words
        assert str(plain_blocks(ADVICE[name])) == str(plain_blocks(words))


@pytest.mark.parametrize("name", DECEIT)
def test_deceptive_characters_are_spelt_out_in_every_position(name: str) -> None:
    for place in PLACES:
        assert "⟦U+" in _shown(place, DECEIT[name])
        assert "⟦U+" in plain(DECEIT[name])


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_script_needs_stays(name: str) -> None:
    for place in PLACES:
        assert readable_prose(SCRIPTS[name]) == SCRIPTS[name]
        assert "⟦" not in _shown(place, SCRIPTS[name])


def test_marks_of_direction_follow_the_letters_of_the_whole_paragraph() -> None:
    mixed = str(parse_markdown("שלום **C++**\u200f!"))
    assert "\\u200f" in mixed
    assert "\\u200f" not in str(parse_markdown("5 \u200f-\u200f **3**"))


@pytest.mark.parametrize("text", ["`a\u200bb`", "```\na\u200bb\n```", "$a\u200bb$", "`a\xadb`"])
def test_code_and_formulas_tell_every_hidden_character(text: str) -> None:
    assert "⟦U+" in str(parse_markdown(text))


def test_line_separators_end_lines_and_the_colours_of_a_terminal_are_left_out() -> None:
    assert readable_prose("a\u2028b\u2029c") == "a\nb\nc"
    assert readable_prose("\x1b[1;31mred\x1b[0m, \x1b]0;t") == "red, ⟦U+001B⟧]0;t"
    assert str(parse_markdown("`\x1b[1mERROR\x1b[0m`")) == str(parse_markdown("`ERROR`"))


def test_lone_surrogates_become_replacement_signs() -> None:
    assert readable_prose("a\ud800b\n") == "a\ufffdb\n"
    assert readable_prose("a\tb\n") == "a\tb\n"


def test_thousands_of_names_that_look_the_same_are_told_apart_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    letters = "abcdefghijkl"
    names = {
        str(number): "".join(each.upper() if number >> place & 1 else each for place, each in enumerate(letters))
        for number in range(2**11)
    }
    looks = []
    look_of = hidden_characters.look_of
    monkeypatch.setattr(hidden_characters, "look_of", lambda name: looks.append(name) or look_of(name))
    assert len(set(map(look_of, hidden_characters.told_apart(names).values()))) == len(names)
    assert len(looks) < 8 * len(names)
