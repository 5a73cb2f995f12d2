"""Outlines as numbers: glyphs, rules, colours, and what does not fit."""

from __future__ import annotations

from array import array
from xml.etree.ElementTree import Element

import pytest

from chatdesk.core.rendering.blocks import DRAWING_UNITS
from chatdesk.core.rendering.drawing.math_outline import SIZE_PX, CannotDraw, Contours, Outline, to_units

_TRIANGLE = Contours("MLLZ", ((0.0, 0.0), (500.0, 0.0), (500.0, 1000.0)))


def _outline(shift: float = 0.0) -> Outline:
    return Outline(shift, frozenset(("deleted",)))


def test_a_glyph_is_moved_scaled_and_turned_upside_down() -> None:
    outline = _outline(shift=1.0)
    outline.add_glyph(_TRIANGLE, 2.0, 4.0, px_per_unit=SIZE_PX / 1000, colour="black")
    drawing = outline.finish(SIZE_PX, SIZE_PX, 0.0)
    left, baseline = to_units(3.0), to_units(4.0)
    half, whole = DRAWING_UNITS // 2, DRAWING_UNITS
    assert drawing.operations == "MLLZ"
    assert list(array("i", drawing.points)) == [
        *(left, baseline),
        *(left + half, baseline),
        *(left + half, baseline - whole),
    ]
    assert (drawing.width, drawing.ascent, drawing.descent, drawing.inks) == (whole, whole, 0, ())


def test_only_known_colours_are_kept() -> None:
    outline = _outline()
    for colour in ("deleted", "deleted", "black", "url(#a)"):
        outline.add_glyph(_TRIANGLE, 0.0, 0.0, px_per_unit=0.01, colour=colour)
    assert outline.finish(1.0, 1.0, 1.0).inks == ((0, "deleted"), (8, ""))


def test_what_is_too_much_or_too_far_is_not_drawn() -> None:
    many = Contours("MLLZ" * 100_000, _TRIANGLE.points * 100_000)
    with pytest.raises(CannotDraw):
        _outline().add_glyph(many, 0.0, 0.0, px_per_unit=0.01, colour="black")
    with pytest.raises(OverflowError):
        _outline().add_glyph(_TRIANGLE, 1e9, 0.0, px_per_unit=0.01, colour="black")
    with pytest.raises(CannotDraw):
        _outline().finish(1.0, 1.0, 1.0)
    with pytest.raises(CannotDraw):
        _outline().add(Element("image"))


def test_a_line_becomes_a_box_along_it() -> None:
    outline = _outline()
    outline.add(Element("path", {"d": "M 0 0 L 10 0", "stroke": "black", "stroke-width": "2"}))
    points = array("i", outline.finish(10.0, 1.0, 1.0).points)
    assert (min(points[::2]), max(points[::2])) == (0, to_units(10))
    assert (min(points[1::2]), max(points[1::2])) == (to_units(-1), to_units(1))
