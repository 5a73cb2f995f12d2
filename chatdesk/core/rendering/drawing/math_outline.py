"""Collects the outlines of a formula as operations on whole numbers: glyphs of the font, and rules as SVG shapes.

Independent of the layout of formulas.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from chatdesk.core.rendering.blocks import DRAWING_UNITS, Drawing, DrawnWords

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

# The size that formulas are laid out at: some of ziamath's distances are in px and look right at a text's size.
SIZE_PX: Final = 16.0
_FACTOR = DRAWING_UNITS / SIZE_PX
_MAX_OPERATIONS = 40_000
_MOST_EM = 600
_ARITY = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}
_PATH_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class CannotDraw(Exception):
    """The drawing would not match the source."""


class Contours(NamedTuple):
    """The closed contours of a glyph: a letter an operation, and the points in units of the font, up is positive."""

    operations: str
    points: Sequence[tuple[float, float]]


class Outline:
    """The outlines of one formula, moved right by ``shift`` px. ``inks`` are the colours that are kept."""

    def __init__(self, shift: float, inks: frozenset[str]) -> None:
        self._shift = shift
        self._known_inks = inks
        self._operations: list[str] = []
        self._inks: list[tuple[int, str]] = []
        self._points = array("i")
        self._words: list[DrawnWords] = []

    def add_glyph(self, contours: Contours, x: float, y: float, *, px_per_unit: float, colour: str) -> None:
        """Add a glyph with its origin at (``x``, ``y``)."""
        self._set_ink(colour)
        if len(self._operations) + len(contours.operations) > _MAX_OPERATIONS:
            raise CannotDraw
        left, baseline, scale = (x + self._shift) * _FACTOR, y * _FACTOR, px_per_unit * _FACTOR
        self._operations.extend(contours.operations)
        self._points.extend(  # out of range raises OverflowError: not drawn
            [round(each) for right, up in contours.points for each in (left + right * scale, baseline - up * scale)]
        )

    def add_words(self, text: str, x: float, y: float, *, width: float, size: float, colour: str) -> None:
        """Add words that have no outline here, with the left end of their baseline at (``x``, ``y``)."""
        ink = colour if colour in self._known_inks else ""
        left, baseline, across, high = map(to_units, (x + self._shift, y, width, size))
        self._words.append(DrawnWords(text, left, baseline, across, high, ink))

    def add(self, element: Element) -> None:
        """Add a shape of SVG. Raises ``CannotDraw`` unless it is a path, a rectangle or a line."""
        get = element.attrib.get
        self._set_ink(get("fill", ""), get("stroke", ""))
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
            raise CannotDraw

    def finish(self, width: float, ascent: float, descent: float) -> Drawing:
        size = abs(width) + abs(ascent) + abs(descent)
        if not (self._operations or self._words) or not size <= _MOST_EM * SIZE_PX:  # also false for NaN
            raise CannotDraw
        points = self._points.tobytes()
        inks = tuple(self._inks)
        operations, words = "".join(self._operations), tuple(self._words)
        return Drawing(to_units(width), to_units(ascent), to_units(descent), operations, points, inks=inks, words=words)

    def _set_ink(self, *colours: str) -> None:
        ink = next((colour for colour in colours if colour in self._known_inks), "")
        if ink != (self._inks[-1][1] if self._inks else ""):
            self._inks.append((len(self._operations), ink))

    def _add_operation(self, operation: str, *points: float) -> None:
        if len(self._operations) >= _MAX_OPERATIONS:
            raise CannotDraw
        self._operations.append(operation)
        self._points.extend(to_units(each) for each in points)  # out of range raises OverflowError: not drawn

    def _add_rect(self, x: float, y: float, wide: float, high: float) -> None:
        x += self._shift
        self._add_operation("M", x, y)
        self._add_operation("L", x + wide, y)
        self._add_operation("L", x + wide, y + high)
        self._add_operation("L", x, y + high)
        self._add_operation("Z")

    def _add_path(self, source: str) -> None:
        for operation, numbers in _commands(source):
            self._add_operation(
                operation, *(each + self._shift if at % 2 == 0 else each for at, each in enumerate(numbers))
            )

    def _add_stroke(self, source: str, width: float) -> None:
        """Add a straight line as a thin box along it. Raises ``CannotDraw`` for any other path."""
        commands = list(_commands(source))
        if [operation for operation, _ in commands] != ["M", "L"]:
            raise CannotDraw
        (x1, y1), (x2, y2) = commands[0][1], commands[1][1]
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        dx, dy = (y2 - y1) / length * width / 2, (x1 - x2) / length * width / 2
        x1, x2 = x1 + self._shift, x2 + self._shift
        self._add_operation("M", x1 + dx, y1 + dy)
        self._add_operation("L", x2 + dx, y2 + dy)
        self._add_operation("L", x2 - dx, y2 - dy)
        self._add_operation("L", x1 - dx, y1 - dy)
        self._add_operation("Z")


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
            raise CannotDraw
        numbers.append(float(token))
        if len(numbers) == 2 * _ARITY[operation]:
            yield operation, numbers
            numbers = []


def to_units(px: float) -> int:
    return round(px * _FACTOR)
