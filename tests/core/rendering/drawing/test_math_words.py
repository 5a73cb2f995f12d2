"""Words in formulas in scripts that the font of formulas lacks: where they stand, how wide they are, in what colour."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chatdesk.core.rendering.blocks import DRAWING_UNITS, Drawing
from chatdesk.core.rendering.drawing import math_drawing
from chatdesk.core.rendering.drawing.math_drawing import draw_formula
from chatdesk.core.rendering.drawing.picture_fonts import MissingLetters
from chatdesk.core.rendering.wire import decode_drawing, encode_drawing

SCRIPTS = {"Chinese": "速度", "Japanese": "はい", "Korean": "속도", "Arabic": "سرعة", "Hebrew": "שלום", "Hindi": "गति"}
# The place of "*" is that of the word.
PLACES = [
    "*",
    r"\text{*}",
    r"\text{if * } x > 0",
    r"\mathrm{*} = \textbf{*}",
    r"\operatorname{*} x",
    r"v = \frac{*}{\text{*}}",
    r"\sqrt{*} + \sqrt[3]{*}",
    "x_{*}^{*}",
    "*_{1}^{2}",
    r"\underbrace{x}_{\text{*}} + \overset{\text{*}}{=}",
    r"x \xrightarrow{\text{*}} y",
    r"\hat{*} + \bar{*} + \vec{*} + \underline{\text{*}}",
    r"f(x) = \begin{cases} 1, & \text{* } x > 0 \\ 0, & \text{*} \end{cases}",
    r"\begin{aligned} a &= \text{*} \\ * &= b \end{aligned}",
    r"\boxed{\text{*}} + \left( * \right) + \cancel{*}",
    r"\ce{H2O ->[\text{*}] A}",
    r"f（x，y） = \text{*}。",
]


@pytest.fixture(autouse=True)
def _fonts_of_every_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(math_drawing, "font_options", lambda _rasteriser, _text: {})


def drawn(tex: str, *, is_display: bool = True) -> Drawing:
    drawing = draw_formula(tex, is_display=is_display)
    assert drawing is not None, tex
    return drawing


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("place", PLACES)
def test_words_of_every_script_stand_in_every_place(place: str, script: str) -> None:
    for is_display in (True, False):
        drawing = drawn(place.replace("*", SCRIPTS[script]), is_display=is_display)
        shown = "".join(each.text for each in drawing.words)
        wanted = place.count("*") * SCRIPTS[script]
        assert sorted(letter for letter in shown if letter not in "（，）。") == sorted(wanted)
        for each in drawing.words:
            assert each.left >= 0
            assert each.left + each.width <= drawing.width + 1  # rounded
            assert -drawing.ascent <= each.baseline <= drawing.descent
            assert 0 < each.size <= DRAWING_UNITS
        assert decode_drawing(encode_drawing(drawing)) == drawing


def test_words_side_by_side_do_not_overlap() -> None:
    words = sorted(drawn(r"\text{速度} = \frac{s}{t} = \text{路程} + \text{时间}").words, key=lambda each: each.left)
    assert len(words) == 3
    assert all(first.left + first.width <= second.left for first, second in pairwise(words))


def test_wide_letters_are_as_wide_as_they_are_high_and_scripts_are_smaller() -> None:
    word, low = drawn(r"\text{面积}_{\text{圆}}").words
    assert (word.width, word.size) == (2 * DRAWING_UNITS, DRAWING_UNITS)
    assert low.width == low.size < word.size
    assert low.baseline > word.baseline


def test_words_with_blanks_between_them_are_one_text() -> None:
    (word,) = drawn(r"\text{سرعة البرق}").words
    assert word.text.replace("\u00a0", " ") == "سرعة البرق"
    assert [each.text for each in drawn("面积大").words] == ["面积大"]


def test_words_have_the_colour_that_the_source_names() -> None:
    drawing = drawn(r"x + \color{red}{\text{红}} + \text{黑}")
    assert next((each.text, each.ink) for each in drawing.words) == ("红", "deleted")
    assert {ink for ink, part in drawing.inked_parts if part.words} == {each.ink for each in drawing.words}


def test_words_that_are_not_to_be_seen_only_take_room() -> None:
    assert drawn(r"\phantom{速}x").words == ()
    assert drawn(r"\phantom{速}x").width > drawn("x").width


def test_the_number_of_an_equation_may_be_words() -> None:
    drawing = drawn(r"x \tag{公式}")
    assert drawing.words == ()
    (word,) = drawing.with_tags_beside.words
    assert word.text == "公式"
    assert word.left > drawing.width


@pytest.mark.parametrize("tex", [r"\text{😀}", r"\text{a 😀 速}", "\\text{\x01速}", r"\unknown{速}"])
def test_what_has_no_outline_or_is_unknown_stays_source(tex: str) -> None:
    assert draw_formula(tex, is_display=True) is None


def test_words_that_no_font_of_this_computer_has_stay_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_rasteriser: object, text: str) -> None:
        assert text == "速"
        raise MissingLetters

    monkeypatch.setattr(math_drawing, "font_options", missing)
    assert draw_formula(r"\text{速}", is_display=True) is None
    assert draw_formula(r"\text{v}", is_display=True) is not None


def test_without_a_rasteriser_to_ask_for_fonts_words_stay_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(math_drawing.svg_drawing, "load", lambda: None)
    assert draw_formula(r"\text{速}", is_display=True) is None
