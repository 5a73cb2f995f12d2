"""Laying out formulas: how high brackets and roots become, and how the work grows with the nesting."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any
from xml.etree import ElementTree

import pytest

from chatdesk.core.rendering.blocks import Drawing
from chatdesk.core.rendering.drawing.math_drawing import draw_formula, load


def _drawn(tex: str, *, is_display: bool = True) -> Drawing:
    drawing = draw_formula(tex, is_display=is_display)
    assert drawing is not None, tex
    return drawing


def _height(tex: str) -> int:
    drawing = _drawn(tex)
    return drawing.ascent + drawing.descent


def _nodes_built(tex: str) -> int:
    load()
    count = 0

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_name == "fromelement"

    sys.setprofile(watch)
    try:
        _drawn(tex)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("start", "end"), [(r"\frac{1}{", "}"), (r"\sqrt{1+", "}"), (r"x^{", "}"), (r"\int_0^1 \frac{1}{", "}")]
)
def test_the_work_grows_with_the_nesting_and_does_not_double(start: str, end: str) -> None:
    few, many = (_nodes_built(start * depth + "x" + end * depth) for depth in (2, 5))
    assert many <= 3 * few


@pytest.mark.parametrize("sign", [r"\sum_{i=1}^n i", r"\bigcup_i A_i", r"\int_0^1 x", r"\prod_k k", r"\int x"])
def test_brackets_and_roots_are_as_high_as_the_large_sign_in_them(sign: str) -> None:
    inside = _height(sign)
    assert inside <= _height(rf"\left({sign}\right)") < 1.6 * inside
    assert inside <= _height(rf"\sqrt{{{sign}}}") < 1.6 * inside


def test_brackets_are_as_high_as_the_brackets_in_them() -> None:
    inside = _height(r"\left(\frac{a}{b}\right)^2")
    assert inside <= _height(r"\left[\left(\frac{a}{b}\right)^2\right]") < 1.3 * inside


@pytest.mark.parametrize(("left", "right"), [(r"\lVert", r"\rVert"), (r"\lfloor", r"\rfloor"), ("||", "||")])
def test_scripts_do_not_stretch_the_bracket_that_they_stand_at(left: str, right: str) -> None:
    bare, scripted = _drawn(f"{left} x {right}"), _drawn(f"{left} x {right}_1^2")
    assert scripted.ascent - bare.ascent < bare.ascent / 2


def test_large_signs_put_together_from_parts_have_the_colour_of_the_source() -> None:
    tall = r"\begin{pmatrix}" + r"1\\" * 9 + r"1\end{pmatrix}"
    plain, red = _drawn(tall), _drawn(rf"\textcolor{{red}}{{{tall}}}")
    assert red.inks == ((0, "deleted"),)
    assert (red.operations, red.points) == (plain.operations, plain.points)


def test_a_phantom_takes_its_place_and_is_not_drawn() -> None:
    drawn, hidden = _drawn(r"a+b"), _drawn(r"a\phantom{+}b")
    assert len(hidden.operations) < len(drawn.operations)
    assert hidden.width > _drawn("ab").width


def test_a_formula_that_cannot_be_drawn_leaves_no_trace_in_the_next() -> None:
    before = _drawn(r"f''_i(x')")
    with pytest.raises(IndexError):
        load().lay_out(ElementTree.fromstring("<math><mtext></mtext></math>"))
    assert _drawn(r"f''_i(x')") == before
