"""Draws TeX as outlines, with ziamath. Runs in the drawing process, which may be killed: TeX is hostile text.

What cannot be drawn faithfully (an unknown command, a letter that the font lacks) gives None, and the source stays.
A formula is drawn in the colour of the text around it; colours in the source become the nearest of a few that can be
read in every theme.
"""

from __future__ import annotations

import colorsys
import re
from dataclasses import replace
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from chatdesk.core.rendering.blocks import Drawing
from chatdesk.core.rendering.drawing import svg_drawing
from chatdesk.core.rendering.drawing.math_outline import CannotDraw, Outline, to_units
from chatdesk.core.rendering.drawing.math_source import prepare
from chatdesk.core.rendering.drawing.math_tree import correct_mathml
from chatdesk.core.rendering.drawing.math_words import WORDS, separate_words
from chatdesk.core.rendering.drawing.picture_fonts import font_options

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

MAX_TEX_CHARS = 2_000
_MAX_DEPTH = 12  # the time doubles with each pair of growing brackets in another
_PAINT = ("mathbackground", "color", "background", "style", "href", "class", "id")
# Names of colours and the kinds of code whose colours come nearest: those can be read in every theme.
_INKS = {
    "red": "deleted", "maroon": "deleted", "crimson": "deleted", "firebrick": "deleted", "darkred": "deleted",
    "tomato": "deleted", "orange": "type", "darkorange": "type", "brown": "type", "yellow": "type", "gold": "type",
    "green": "inserted", "lime": "inserted", "olive": "inserted", "forestgreen": "inserted", "darkgreen": "inserted",
    "seagreen": "inserted", "limegreen": "inserted", "teal": "number", "cyan": "number", "blue": "number",
    "navy": "number", "royalblue": "number", "steelblue": "number", "dodgerblue": "number", "darkblue": "number",
    "skyblue": "number", "purple": "keyword", "violet": "keyword", "magenta": "keyword", "fuchsia": "keyword",
    "pink": "keyword", "indigo": "keyword", "orchid": "keyword", "darkviolet": "keyword", "gray": "comment",
    "grey": "comment", "lightgray": "comment", "lightgrey": "comment", "darkgray": "comment", "darkgrey": "comment",
    "silver": "comment",
}  # fmt: skip
_HUES = (
    (0.05, "deleted"),
    (0.17, "type"),
    (0.45, "inserted"),
    (0.70, "number"),
    (0.93, "keyword"),
    (1.01, "deleted"),
)
_INK_NAMES = frozenset(_INKS.values())
_HEX_COLOUR = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_LEAST_SATURATION = 0.25
# Signs of one size in running text and of another in a formula of its own. ziamath would stretch them as brackets are,
# and would not count them where brackets and roots around them are sized.
_LARGE_SIGNS = frozenset("∑∏∐∫∬∭∮∯∰∲∳⋃⋂⋁⋀⨁⨂⨀⨄⨆⊎⊕⊗")


def draw_formula(tex: str, *, is_display: bool) -> Drawing | None:
    """Return the outlines of ``tex``; None when it cannot be drawn."""
    if not tex.strip() or len(tex) > MAX_TEX_CHARS or _depth(tex) > _MAX_DEPTH:
        return None
    try:
        return _draw(tex, is_display)
    except Exception:  # noqa: BLE001 - a third-party parser over hostile text: whatever it raises, the source stays
        return None


@cache
def load() -> Any:
    """Return the module that lays formulas out; its import is slow, so call this only when a formula comes."""
    from chatdesk.core.rendering.drawing import math_layout  # loaded only by the process that does this work

    return math_layout


def _depth(tex: str) -> int:
    """Return the depth of nested braces."""
    steps = accumulate(1 if sign == "{" else -1 for sign in tex if sign in "{}")
    return max(steps, default=0)


def _draw(tex: str, is_display: bool) -> Drawing:
    prepared = prepare(tex)
    if prepared.tags and not is_display:
        beside = "".join(rf"\qquad\text{{{words}}}" for _, words in prepared.tags)
        return _outlines(prepared.tex + beside, is_display=False)[0]
    drawing, rows = _outlines(prepared.tex, is_display=is_display)
    tags = []
    for row, words in prepared.tags:
        tag, _ = _outlines(rf"\text{{{words}}}", is_display=False)
        tags.append((to_units(rows[row]) if 0 <= row < len(rows) else 0, tag))
    if not tags:
        return drawing
    ascent = max(drawing.ascent, *(tag.ascent - below for below, tag in tags))
    descent = max(drawing.descent, *(tag.descent + below for below, tag in tags))
    return replace(drawing, ascent=ascent, descent=descent, tags=tuple(tags))


def _outlines(tex: str, *, is_display: bool) -> tuple[Drawing, list[float]]:
    """Return the drawing and the baselines of the rows of its first table, from the top."""
    layout = load()
    tree = _with_known_paint(layout.mathml_of(tex, is_inline=not is_display))
    if words := separate_words(tree, layout.font()):
        _check_words(words)
    formula = layout.lay_out(tree)
    _check_letters(formula.mathml, formula.font)
    box = formula.node.bbox
    left = min(0.0, box.xmin)
    outline = Outline(-left, _INK_NAMES)
    layout.draw(formula.node, outline)
    drawing = outline.finish(box.xmax - left, box.ymax, -box.ymin)
    if not is_display:
        drawing = replace(drawing, breaks=tuple(to_units(each - left) for each in layout.breaks_of(formula.node)))
    return drawing, _row_baselines(formula.node)


def _row_baselines(node: Any, y: float = 0.0) -> list[float]:
    if getattr(node, "mtag", "") == "mtable":
        firsts = accumulate((len(row) for row in node.element), initial=0)  # cells are row after row
        return [y + node.nodexy[first][1] for first, row in zip(firsts, node.element, strict=False) if len(row)]
    for (_, below), child in zip(getattr(node, "nodexy", ()), getattr(node, "nodes", ()), strict=False):
        if found := _row_baselines(child, y + below):
            return found
    return []


def _with_known_paint(tree: Element) -> Element:
    correct_mathml(tree)
    for element in tree.iter():
        for name in _PAINT:
            element.attrib.pop(name, None)
        colour = element.attrib.pop("mathcolor", None)
        if colour is not None and (ink := _ink(colour)):
            element.set("mathcolor", ink)
        if element.tag.endswith("mstyle"):
            element.set("scriptminsize", "0")  # ziamath takes styles out with a pattern that misses bare ones
        if element.tag.endswith("mtable") and element.get("displaystyle") and all(len(row) == 1 for row in element):
            for row in element:  # of a "gather"
                row[0].set("columnalign", "center")
        if element.tag.endswith(("mo", "mi")) and (element.text or "").strip() in _LARGE_SIGNS:
            element.set("stretchy", "false")
    return tree


def _ink(colour: str) -> str:
    """Return the kind of code with the nearest colour; empty for black, white and the unknown."""
    named = _INKS.get(colour.strip().lower())
    if named is not None:
        return named
    match = _HEX_COLOUR.fullmatch(colour.strip())
    if match is None:
        return ""
    digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    return next(ink for end, ink in _HUES if hue < end) if saturation >= _LEAST_SATURATION else ""


def _check_words(words: str) -> None:
    """Raise ``CannotDraw`` or ``MissingLetters`` if no font of this computer has the words."""
    rasteriser = svg_drawing.load()
    if rasteriser is None:
        raise CannotDraw
    font_options(rasteriser, words)


def _check_letters(tree: Element, font: Any) -> None:
    """Raise ``CannotDraw`` for a letter that the font lacks and for a command that the converter does not know."""
    for element in tree.iter():
        text = element.text or "" if element.tag != WORDS else ""
        if text.lstrip().startswith("\\") or any(
            not letter.isspace() and letter.isprintable() and not font.glyphindex(letter) for letter in text
        ):
            raise CannotDraw
