"""Draws TeX as outlines, with ziamath. Runs in the drawing process, which may be killed: TeX is hostile text.

What cannot be drawn faithfully (an unknown command, a letter that the font lacks) gives None, and the source stays.
A formula is drawn in the colour of the text around it; colours in the source become the nearest of a few that can be
read in every theme.
"""

from __future__ import annotations

import colorsys
import math
import re
import warnings
from array import array
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from chatdesk.core.rendering.blocks import DRAWING_UNITS, Drawing
from chatdesk.core.rendering.drawing.math_source import prepare

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_TEX_CHARS = 2_000
_SIZE = 16.0  # what ziamath draws at: some of its distances are in px and look right at a text's size
_FACTOR = DRAWING_UNITS / _SIZE
_MAX_OPERATIONS = 40_000
_MAX_DEPTH = 12  # the time that ziamath takes doubles with each fraction in a fraction
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
_HEX_COLOUR = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_LEAST_SATURATION = 0.25
# Signs that grow with the formula around them when they carry limits; in running text they stay as high as a line.
_LARGE_SIGNS = frozenset("∑∏∐∫∬∭∮∯∰∲∳⋃⋂⋁⋀⨁⨂⨀⨄⨆⊎⊕⊗")
_ARITY = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}
_PATH_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class _CannotDraw(Exception):
    """The drawing would not show what the source says."""


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
    """Return ziamath, set up once; its import is slow, so call this only when a formula comes."""
    with warnings.catch_warnings():
        # It finds its font by a function that Python deprecated for two versions and then took back.
        warnings.simplefilter("ignore", DeprecationWarning)
        import ziamath
    from ziamath.config import config

    config.svg2 = False  # outlines in place instead of references to symbols
    config.precision = 2
    return ziamath


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
        tags.append((_unit(rows[row]) if 0 <= row < len(rows) else 0, tag))
    if not tags:
        return drawing
    ascent = max(drawing.ascent, *(tag.ascent - below for below, tag in tags))
    descent = max(drawing.descent, *(tag.descent + below for below, tag in tags))
    return replace(drawing, ascent=ascent, descent=descent, tags=tuple(tags))


def _outlines(tex: str, *, is_display: bool) -> tuple[Drawing, list[float]]:
    """Return the drawing and the baselines of the rows of its first table, from the top."""
    from xml.etree import ElementTree

    ziamath = load()
    from ziamath.tex import tex2mml

    tree = ElementTree.fromstring(tex2mml(tex, inline=not is_display))  # noqa: S314 - made by the line's own converter
    formula = ziamath.Math(_with_known_paint(tree, is_display=is_display), size=_SIZE)
    _check_letters(formula.mathml, formula.font)
    svg = ElementTree.Element("svg")
    formula.node.draw(0, 0, svg)
    box = formula.node.bbox
    outline = _Outline(-min(0.0, box.xmin))
    for element in svg.iter():
        if element is not svg:
            outline.add(element)
    return outline.finish(box.xmax - min(0.0, box.xmin), box.ymax, -box.ymin), _row_baselines(formula.node)


def _row_baselines(node: Any, y: float = 0.0) -> list[float]:
    if getattr(node, "mtag", "") == "mtable":
        firsts = accumulate((len(row) for row in node.element), initial=0)  # cells stand row after row
        return [y + node.nodexy[first][1] for first, row in zip(firsts, node.element, strict=False) if len(row)]
    for (_, below), child in zip(getattr(node, "nodexy", ()), getattr(node, "nodes", ()), strict=False):
        if found := _row_baselines(child, y + below):
            return found
    return []


def _with_known_paint(tree: Element, *, is_display: bool) -> Element:
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
        if not is_display and element.tag.endswith("mo") and (element.text or "").strip() in _LARGE_SIGNS:
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


def _check_letters(tree: Element, font: Any) -> None:
    """Raise ``_CannotDraw`` for a letter that the font lacks and for a command that the converter does not know."""
    for element in tree.iter():
        text = element.text or ""
        if text.lstrip().startswith("\\") or any(
            not letter.isspace() and letter.isprintable() and not font.glyphindex(letter) for letter in text
        ):
            raise _CannotDraw


class _Outline:
    """Collects SVG shapes as operations on whole numbers."""

    def __init__(self, shift: float) -> None:
        self._shift = shift
        self._operations: list[str] = []
        self._inks: list[tuple[int, str]] = []
        self._points = array("h")

    def add(self, element: Element) -> None:
        get = element.attrib.get
        self._take_ink(get("fill", ""), get("stroke", ""))
        stroke = float(get("stroke-width", 0)) if get("stroke") else 0.0
        if element.tag == "path":
            if stroke:
                self._add_stroke(get("d", ""), stroke)
            else:
                self._add_path(get("d", ""))
        elif element.tag == "rect" and not get("rx"):
            x, y, wide, high = (float(get(name, 0)) for name in ("x", "y", "width", "height"))
            if stroke:
                half = stroke / 2
                self._add_rect(x - half, y - half, wide + stroke, high + stroke)
                self._add_rect(x + half + (wide - stroke), y + half, stroke - wide, high - stroke)  # a hole: backwards
            else:
                self._add_rect(x, y, wide, high)
        elif element.tag != "g" or element.get("transform"):
            raise _CannotDraw

    def finish(self, width: float, ascent: float, descent: float) -> Drawing:
        if not self._operations or not math.isfinite(width + ascent + descent):
            raise _CannotDraw
        points = self._points.tobytes()
        inks = tuple(self._inks)
        return Drawing(_unit(width), _unit(ascent), _unit(descent), "".join(self._operations), points, inks)

    def _take_ink(self, *colours: str) -> None:
        ink = next((colour for colour in colours if colour in _INKS.values()), "")
        if ink != (self._inks[-1][1] if self._inks else ""):
            self._inks.append((len(self._operations), ink))

    def _put(self, operation: str, *points: float) -> None:
        if len(self._operations) >= _MAX_OPERATIONS:
            raise _CannotDraw
        self._operations.append(operation)
        self._points.extend(_unit(each) for each in points)  # out of range raises OverflowError: not drawn

    def _add_rect(self, x: float, y: float, wide: float, high: float) -> None:
        x += self._shift
        self._put("M", x, y)
        self._put("L", x + wide, y)
        self._put("L", x + wide, y + high)
        self._put("L", x, y + high)
        self._put("Z")

    def _add_path(self, source: str) -> None:
        for operation, numbers in _commands(source):
            self._put(operation, *(each + self._shift if at % 2 == 0 else each for at, each in enumerate(numbers)))

    def _add_stroke(self, source: str, width: float) -> None:
        """Add a straight line as a thin box along it. Raises ``_CannotDraw`` for any other path."""
        commands = list(_commands(source))
        if [operation for operation, _ in commands] != ["M", "L"]:
            raise _CannotDraw
        (x1, y1), (x2, y2) = commands[0][1], commands[1][1]
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        dx, dy = (y2 - y1) / length * width / 2, (x1 - x2) / length * width / 2
        x1, x2 = x1 + self._shift, x2 + self._shift
        self._put("M", x1 + dx, y1 + dy)
        self._put("L", x2 + dx, y2 + dy)
        self._put("L", x2 - dx, y2 - dy)
        self._put("L", x1 - dx, y1 - dy)
        self._put("Z")


def _commands(source: str) -> Iterator[tuple[str, list[float]]]:
    """Yield the commands of an SVG path that has absolute ones only."""
    operation = ""
    numbers: list[float] = []
    for token in _PATH_TOKEN.findall(source):
        if token in _ARITY:
            operation = token
            if token == "Z":  # noqa: S105 - closes a contour
                yield "Z", []
            continue
        if not operation or token.isalpha():
            raise _CannotDraw
        numbers.append(float(token))
        if len(numbers) == 2 * _ARITY[operation]:
            yield operation, numbers
            numbers = []


def _unit(value: float) -> int:
    return round(value * _FACTOR)
