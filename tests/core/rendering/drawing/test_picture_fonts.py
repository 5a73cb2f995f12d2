"""Fonts of pictures: our own, and those of the system for letters that ours lack."""

from __future__ import annotations

from typing import Any

import pytest

from chatdesk.core.rendering.drawing.picture_fonts import MissingLetters, font_options, foreign_letters, width_of

resvg_py = pytest.importorskip("resvg_py")


@pytest.mark.parametrize("text", ["", "Größe", "Привет", "Ελλάδα", "Việt", "→ ⇒ ≤ ✓", "a\u0301\u200d\ufe0f\u00a0\n"])
def test_our_own_font_is_enough_for_most(text: str) -> None:
    assert foreign_letters(text) == set()
    assert font_options(resvg_py, text)["skip_system_fonts"]


@pytest.mark.parametrize("text", ["العربية", "שלום", "中文", "日本語", "한국어", "😀", "हिन्दी", "ไทย"])
def test_other_scripts_are_drawn_by_the_system_or_not_at_all(text: str) -> None:
    assert foreign_letters(f"a {text}")
    try:
        assert not font_options(resvg_py, text)["skip_system_fonts"]
    except MissingLetters:
        with pytest.raises(MissingLetters):  # each time
            font_options(resvg_py, text)


def test_what_no_font_has_is_told() -> None:
    with pytest.raises(MissingLetters):
        font_options(resvg_py, "a\u0379")


def test_too_many_letters_are_not_tried() -> None:
    class Unasked:
        def svg_to_bytes(self, **_: Any) -> bytes:
            raise AssertionError

    with pytest.raises(MissingLetters):
        font_options(Unasked(), "".join(map(chr, range(0xAC00, 0xAC00 + 1_100))))


def test_widths_are_those_of_the_font() -> None:
    assert width_of("WWWW", 16, is_bold=False) > 3 * width_of("iiii", 16, is_bold=False)
    assert width_of("Label", 16, is_bold=True) > width_of("Label", 16, is_bold=False)
    assert width_of("a\nabc", 16, is_bold=False) == width_of("abc", 16, is_bold=False)
    assert width_of("中文", 16, is_bold=False) == 32
    assert width_of("a\u0301\u200d", 16, is_bold=False) >= width_of("a", 16, is_bold=False)
    assert width_of("😀ش", 10, is_bold=False) > 20
