"""Breaking long lines for the editor loses nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatdesk.ui.widgets.long_lines import MARK, MAX_LINE_CHARACTERS, break_long_lines, join_long_lines

_TEXT = st.text(alphabet=st.characters(exclude_characters=f"\r\u2029\0{MARK}"))


@given(_TEXT, st.integers(1, 9))
def test_a_broken_text_mends_to_itself(text: str, times: int) -> None:
    long = text * times + "x" * (MAX_LINE_CHARACTERS * 2) + text
    assert join_long_lines(break_long_lines(long)) == long


def test_no_line_is_left_long() -> None:
    held = break_long_lines("word " * 3000 + "\n" + "y" * 9000)
    assert max(map(len, held.split("\n"))) <= MAX_LINE_CHARACTERS + len(MARK)


def test_a_character_made_of_several_is_not_split() -> None:
    text = "a" * (MAX_LINE_CHARACTERS - 1) + "e\u0301" + "b" * 10
    assert "\u0301" not in [piece[:1] for piece in break_long_lines(text).split("\n")]


def test_line_ends_and_nul_are_made_plain() -> None:
    assert break_long_lines("a\r\nb\rc\u2029d\0") == "a\nb\nc\nd\ufffd"
