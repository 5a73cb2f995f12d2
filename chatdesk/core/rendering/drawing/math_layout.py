"""Lays out MathML with ziamath, in time that grows with the formula, and hands over the outlines of its glyphs.

ziamath builds all that is below a row twice, first to learn how high the row's brackets must be, and each row inside
does the same, so that the time doubles with every nesting. Here ``_Row`` takes the place of its rows, and is measured
only if a sign of its own takes its height from it.

Import this where ziamath may be loaded: that takes long.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from chatdesk.core.rendering.drawing.math_outline import SIZE_PX, Contours, Outline
from chatdesk.core.rendering.drawing.math_tree import lines_of
from chatdesk.core.rendering.drawing.math_words import WORDS, width_em

with warnings.catch_warnings():
    # ziamath finds its font by a function that Python deprecated for two versions.
    warnings.simplefilter("ignore", DeprecationWarning)
    from ziamath import zmath
from ziafont.fonttypes import BBox
from ziafont.svgpath import Cubic, Lineto, Moveto, Quad
from ziamath import operators
from ziamath.config import config
from ziamath.drawable import Glyph
from ziamath.mathtable import AssembledGlyph
from ziamath.nodes.mnode import Mnode
from ziamath.nodes.mtable import Mtable
from ziamath.nodes.nodetools import infer_opform
from ziamath.tex import tex2mml

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

_MAX_REMEMBERED_GLYPHS = 1_000
_LETTERS = {Moveto: "M", Lineto: "L", Quad: "Q", Cubic: "C"}
# Elements that pass the height of their row on to the signs inside; all others make a row of their own.
_PASSING_ON = frozenset(
    ("msub", "msup", "msubsup", "mmultiscripts", "munder", "mover", "munderover", "mfrac", "mroot", "msqrt", "menclose")
)
_SCRIPTS = frozenset(("msub", "msup", "msubsup"))
_STRETCHING = frozenset(
    name for (name, _), settings in operators.operators.items() if settings.get("stretchy", "false") != "false"
)
_BREAKING = frozenset("+-\u2212±∓=≠<>≤≥≈≡∼≅∝→⇒⇔↔↦,;")
_FAR = 9999.0
_WORDS_ASCENT_EM, _WORDS_DESCENT_EM = 0.88, 0.22
# Elements that build several children with ziamath's own row code; one ``mrow`` inside them goes through ours.
_OTHER_ROWS = ("mpadded", "mphantom")


def mathml_of(tex: str, *, is_inline: bool) -> Element:
    return ElementTree.fromstring(tex2mml(tex, inline=is_inline))  # noqa: S314 - made by the line's own converter


def font() -> Any:
    """Return the font of formulas."""
    return zmath.loadedfonts["default"]


def lay_out(tree: Element) -> Any:
    """Return ziamath's formula for MathML: its nodes with their places, and the MathML as it was understood."""
    for element in [each for name in _OTHER_ROWS for each in tree.iter(name)]:
        content = list(element)
        element[:] = [ElementTree.Element("mrow")]
        element[0].extend(content)
    try:
        return zmath.Math(tree, size=SIZE_PX)
    except Exception:
        font: Any = zmath.loadedfonts["default"]
        font.language("math", "")  # a failure inside a text leaves the font set for words
        raise


def draw(node: Any, outline: Outline, x: float = 0.0, y: float = 0.0) -> None:
    """Add the glyphs and lines below ``node``, whose origin is at (``x``, ``y``), to the outline. Raises
    ``CannotDraw``.

    ziamath writes each glyph as the text of an SVG path, in which the numbers would have to be found again."""
    if type(node) is Glyph:
        if not node.phantom:
            _draw_glyph(node, outline, x, y)
    elif type(node) is _Words:
        if not node.phantom:
            width, size = node.bbox.xmax, node.glyphsize
            outline.add_words(node.words, x, y, width=width, size=size, colour=node.style.mathcolor)
    elif type(node).draw is Mnode.draw:
        for (right, below), child in zip(node.nodexy, node.nodes, strict=False):
            draw(child, outline, x + right, y + below)
        if type(node) is Mtable:
            _draw_lines(node, outline, x, y)
    else:
        svg = ElementTree.Element("svg")
        node.draw(x, y, svg)
        for element in svg.iter():
            if element is not svg:
                outline.add(element)


def breaks_of(row: Any) -> list[float]:
    """Return the places in a row where a line may end: behind its signs of relations and sums."""
    while type(row) is _Row and len(row.nodes) == 1:
        row = row.nodes[0]
    if type(row) is not _Row:
        return []
    nodes: list[Any] = row.nodes
    places = zip(nodes, row.nodexy[1:], strict=False)
    return [right for node, (right, _) in places if node.mtag == "mo" and node.element.text in _BREAKING]


def _draw_lines(table: Any, outline: Outline, x: float, y: float) -> None:
    """Add the lines between columns and rows, which ziamath leaves out."""
    columns, rows = lines_of(table.element, "columnlines"), lines_of(table.element, "rowlines")
    if not any(columns) and not any(rows):
        return
    cells = [(row, column) for row, each in enumerate(table.element) for column in range(len(each))]
    places = list(zip(cells, table.nodexy, table.nodes, strict=True))
    lefts, rights = _edges((cell[1], right, right + node.bbox.xmax) for cell, (right, _), node in places)
    tops, ends = _edges((cell[0], below - node.bbox.ymax, below - node.bbox.ymin) for cell, (_, below), node in places)
    width = table.units_to_points(table.font.math.consts.fractionRuleThickness)
    left, top = min(lefts.values()), min(tops.values())
    wide, high = max(rights.values()) - left, max(ends.values()) - top
    for at in (at for at, line in enumerate(columns) if line and at + 1 in lefts):
        middle = (rights[at] + lefts[at + 1]) / 2
        outline.add(_rule(x + middle - width / 2, y + top, width, high))
    for at in (at for at, line in enumerate(rows) if line and at + 1 in tops):
        middle = (ends[at] + tops[at + 1]) / 2
        outline.add(_rule(x + left, y + middle - width / 2, wide, width))


def _edges(spans: Iterable[tuple[int, float, float]]) -> tuple[dict[int, float], dict[int, float]]:
    """Return the least beginning and the greatest end of each column or row."""
    firsts: dict[int, float] = {}
    lasts: dict[int, float] = {}
    for at, first, last in spans:
        firsts[at] = min(first, firsts.get(at, first))
        lasts[at] = max(last, lasts.get(at, last))
    return firsts, lasts


def _rule(x: float, y: float, width: float, height: float) -> Element:
    return ElementTree.Element("rect", x=str(x), y=str(y), width=str(width), height=str(height))


def _draw_glyph(node: Any, outline: Outline, x: float, y: float) -> None:
    scale = node.size / node.glyph.font.info.layout.unitsperem
    for glyph, right, up in _parts(node.glyph):
        contours = _contours(glyph)
        if contours.operations:
            outline.add_glyph(
                contours, x + right * scale, y - up * scale, px_per_unit=scale, colour=node.style.mathcolor
            )


def _parts(glyph: Any) -> Iterator[tuple[Any, float, float]]:
    """Yield the glyphs that a large sign is assembled from, or the glyph itself, and how far right and up each is
    moved, in units of the font."""
    if not isinstance(glyph, AssembledGlyph):
        yield glyph, 0.0, 0.0
        return
    for part, offset in zip(glyph.glyphs, glyph.offsets, strict=False):
        yield part, 0.0 if glyph.vert else offset, offset if glyph.vert else 0.0


@lru_cache(maxsize=_MAX_REMEMBERED_GLYPHS)
def _contours(glyph: Any) -> Contours:
    operations: list[str] = []
    points: list[tuple[float, float]] = []
    for each in glyph.operators:
        letter = _LETTERS[type(each)]
        if letter == "M" and operations:
            operations.append("Z")
        operations.append(letter)
        points += [(point.x, point.y) for point in each.points()[0]]
    return Contours("".join(operations) + "Z" if operations else "", points)


class _Row(Mnode, tag="mrow"):
    """A row of a formula, or several below each other where it has line breaks, built with everything below it."""

    def __init__(self, element: Element, parent: Any, **kwargs: Any) -> None:
        super().__init__(element, parent, **kwargs)
        self._advance = 0.0
        lines: list[list[Element]] = [[]]
        for at, child in enumerate(element):
            sign = (child.text or "").strip()
            if child.tag == "mi" and sign in operators.names:
                child.tag = "mo"
            if child.tag == "mo":
                infer_opform(at, child, self)
            if child.tag == "mspace" and child.get("linebreak") == "newline":
                lines.append([])
            elif child.tag != "mo" or sign:
                lines[-1].append(child)
        if len(lines) == 1:
            self._set_side_by_side(lines[0], kwargs)
        else:
            self._set_below_each_other(lines)

    def xadvance(self) -> float:
        return self._advance

    def firstglyph(self) -> Any:
        nodes: list[Any] = self.nodes
        first = next((each for each in nodes if each.mtag != "mspace" or each.width > 0), None)
        return None if first is None else first.firstglyph()

    def _set_side_by_side(self, line: list[Element], inherited: dict[str, Any]) -> None:
        given = {**inherited, **dict(zip(("rowymin", "rowymax"), self._measured(line, inherited), strict=True))}
        lefts, rights = [], [0.0]
        for child in line:
            node = Mnode.fromelement(child, parent=self, **given)
            self.nodes.append(node)
            self.nodexy.append((self._advance, 0))
            lefts.append(self._advance + node.bbox.xmin)
            rights.append(self._advance + node.bbox.xmax)
            self._advance += node.xadvance()
        self.bbox = BBox(min(lefts, default=0.0), max(rights), *_heights_of(self.nodes))

    def _set_below_each_other(self, lines: list[list[Element]]) -> None:
        for line in lines:
            element = ElementTree.Element("mrow")
            element.extend(line)
            self.nodes.append(_Row(element, self))
        boxes = [each.bbox for each in self.nodes]
        leading = 2 * self.units_to_points(self.font.math.consts.mathLeading)
        is_whole_formula = self.parent.parent.mtag == "math"
        # Rows inside a formula are centred on its line; the first of the whole formula is on it.
        up = 0.0 if is_whole_formula else sum(each.ymax - each.ymin + leading for each in boxes[1:]) / 2
        below = 0.0
        for at, box in enumerate(boxes):
            below += box.ymax - boxes[at - 1].ymin + leading if at else 0.0
            self.nodexy.append((0, below - up))
        self.bbox = BBox(
            min(each.xmin for each in boxes),
            max(each.xmax for each in boxes),
            boxes[-1].ymin - below + up,
            boxes[0].ymax + up,
        )
        self._advance = max(each.xadvance() for each in self.nodes)

    def _measured(self, line: list[Element], inherited: dict[str, Any]) -> tuple[float, float]:
        """Return the lowest and the highest place of a line, if any sign needs to know. Signs that stretch are left out
        with their scripts, which are where the sign ends."""
        if not any(map(_has_stretching_sign, line)):
            return 0.0, 0.0  # no sign stretches, so no minimum height applies
        given = {**inherited, "nostretch": True}
        for name in ("rowymin", "rowymax"):  # those of the surrounding row
            given.pop(name, None)
        return _heights_of(
            Mnode.fromelement(deepcopy(each), parent=self, **given)
            for each in line
            if not _has_stretching_sign(each[0] if each.tag in _SCRIPTS and len(each) else each)
        )


class _Words(Mnode, tag=WORDS):
    """Words that the font of formulas lacks, as wide as they may be in another one."""

    def __init__(self, element: Element, parent: Any, **kwargs: Any) -> None:
        super().__init__(element, parent, **kwargs)
        self.words = element.text or ""
        self.phantom = bool(kwargs.get("phantom"))
        size = self.glyphsize
        self.bbox = BBox(0.0, width_em(self.words) * size, -_WORDS_DESCENT_EM * size, _WORDS_ASCENT_EM * size)


def _heights_of(nodes: Iterable[Any]) -> tuple[float, float]:
    """Return the lowest and the highest place of nodes side by side; ziamath's values without nodes."""
    lows, highs = [_FAR], [-_FAR]
    for node in nodes:
        lows.append(node.bbox.ymin)
        highs.append(node.bbox.ymax)
    return min(lows), max(highs)


def _has_stretching_sign(element: Element) -> bool:
    """Return whether a sign gets its height from the row that the element is in. The sign's own attributes outrank the
    table of operators."""
    if element.tag in _PASSING_ON:
        return any(map(_has_stretching_sign, element))
    return element.get("stretchy", "true" if (element.text or "").strip() in _STRETCHING else "false") != "false"


config.svg2 = False  # outlines in place instead of references to symbols
config.precision = 2
