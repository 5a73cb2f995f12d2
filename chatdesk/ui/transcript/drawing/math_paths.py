"""Paints formulas from their outlines.

Paths are made once, and the pictures of formulas seen lately are kept, since a page of mathematics has thousands of
curves.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from math import ceil

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPainterPath, QPixmap, QTransform

from chatdesk.core.rendering.blocks import DRAWING_UNITS, Drawing, DrawnWords
from chatdesk.ui.theme.tokens import SyntaxColours

FORMULA_SIZE = 1.1  # the small letters of the formulas' font are lower than those of the words
_MARGIN_PX = 1
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3}
_MAX_PICTURE_PX = 1_500_000  # larger ones are painted as paths each time


def width_px(drawing: Drawing, em: float) -> float:
    return drawing.width * em / DRAWING_UNITS


def ascent_px(drawing: Drawing, em: float) -> float:
    return drawing.ascent * em / DRAWING_UNITS


def descent_px(drawing: Drawing, em: float) -> float:
    return drawing.descent * em / DRAWING_UNITS


@lru_cache(maxsize=64)
def pieces_of(drawing: Drawing) -> tuple[Drawing, ...]:
    """Return the parts of a formula between the places where a line may end, from the left."""
    edges = (*drawing.breaks, drawing.width)
    shapes: list[list[tuple[str, list[int], str]]] = [[] for _ in edges]
    for ink, part in drawing.inked_parts:
        for operations, points in _contours(part):
            middle = (min(points[::2]) + max(points[::2])) / 2
            shapes[_piece_at(drawing, middle)].append((operations, points, ink))
    words: list[list[DrawnWords]] = [[] for _ in edges]
    for each in drawing.words:
        words[_piece_at(drawing, each.left + each.width / 2)].append(each)
    lefts = (0, *drawing.breaks)
    return tuple(
        replace(
            _joined(drawing, part, left, right - left),
            words=tuple(replace(each, left=each.left - left) for each in placed),
        )
        for part, placed, left, right in zip(shapes, words, lefts, edges, strict=True)
    )


def _piece_at(drawing: Drawing, right: float) -> int:
    """Return the number of the piece that has the place ``right`` from the left."""
    return min(bisect_right(drawing.breaks, right), len(drawing.breaks))


def _contours(drawing: Drawing) -> Iterator[tuple[str, list[int]]]:
    """Yield the operations and points of each closed shape."""
    points, done = array("i", drawing.points).tolist(), 0
    for operations in drawing.operations.split("Z")[:-1]:
        count = 2 * sum(map(_POINTS.__getitem__, operations))
        yield operations + "Z", points[done : done + count]
        done += count


def _joined(drawing: Drawing, shapes: list[tuple[str, list[int], str]], left: int, width: int) -> Drawing:
    """Return shapes of a drawing as one of its own, which begins at ``left``."""
    points, inks, count = array("i"), [(0, "")], 0
    for operations, places, ink in shapes:
        if ink != inks[-1][1]:
            inks.append((count, ink))
        points.extend(each - left if at % 2 == 0 else each for at, each in enumerate(places))
        count += len(operations)
    words = "".join(operations for operations, _, _ in shapes)
    return Drawing(width, drawing.ascent, drawing.descent, words, points.tobytes(), tuple(inks[1:]))


def paint_formula(
    painter: QPainter, drawing: Drawing, baseline: QPointF, *, em: float, colour: QColor, syntax: SyntaxColours
) -> None:
    """Paint a formula with the left end of its baseline at ``baseline``.

    ``syntax`` holds the colours that the formula names.
    """
    ratio = painter.device().devicePixelRatio() if painter.device() is not None else 1.0
    colours = _colours_of(drawing, colour, syntax)
    picture = _picture(drawing, em, colours, ratio)
    if picture is None:
        _fill(painter, drawing, baseline, em, colours)
        return
    # On whole pixels of the screen: a picture between them would be blurred.
    x = round(baseline.x() * ratio) / ratio - _MARGIN_PX
    y = round((baseline.y() - ceil(ascent_px(drawing, em))) * ratio) / ratio - _MARGIN_PX
    painter.drawPixmap(QPointF(x, y), picture)


def fill_formula(
    painter: QPainter, drawing: Drawing, baseline: QPointF, *, em: float, colour: QColor, syntax: SyntaxColours
) -> None:
    """Paint a formula as outlines, for devices that are not made of pixels."""
    _fill(painter, drawing, baseline, em, _colours_of(drawing, colour, syntax))


def _colours_of(drawing: Drawing, colour: QColor, syntax: SyntaxColours) -> tuple[int, ...]:
    return tuple(
        colour.rgba() if not ink else QColor(syntax.of(ink)).rgba() for ink in dict.fromkeys(("", *_inks_of(drawing)))
    )


def _inks_of(drawing: Drawing) -> tuple[str, ...]:
    return tuple(ink for _, ink in drawing.inks) + tuple(each.ink for each in drawing.words)


@lru_cache(maxsize=256)
def _picture(drawing: Drawing, em: float, colours: tuple[int, ...], ratio: float) -> QPixmap | None:
    top = ceil(ascent_px(drawing, em)) + _MARGIN_PX
    width = ceil(width_px(drawing, em)) + 2 * _MARGIN_PX
    height = top + ceil(descent_px(drawing, em)) + _MARGIN_PX
    if width * height * ratio * ratio > _MAX_PICTURE_PX or width < 1 or height < 1:
        return None
    picture = QPixmap(ceil(width * ratio), ceil(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    _fill(painter, drawing, QPointF(_MARGIN_PX, top), em, colours)
    painter.end()
    return picture


def _fill(painter: QPainter, drawing: Drawing, baseline: QPointF, em: float, colours: tuple[int, ...]) -> None:
    """Fill the outlines of a formula; ``colours`` are those of the text and of each ink, in this order."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(baseline)
    scale = em / DRAWING_UNITS
    painter.scale(scale, scale)
    names = list(dict.fromkeys(("", *_inks_of(drawing))))
    for ink, path in paths_of(drawing):
        painter.fillPath(path, QColor.fromRgba(colours[names.index(ink)]))
    painter.restore()


@lru_cache(maxsize=256)
def paths_of(drawing: Drawing) -> tuple[tuple[str, QPainterPath], ...]:
    """Return the outlines of a formula by ink.

    They are made when a line is laid out, ahead of need, so that the first painting is quick.
    """
    return tuple((ink, _path(part)) for ink, part in drawing.inked_parts)


def _path(drawing: Drawing) -> QPainterPath:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    take = iter(array("i", drawing.points).tolist()).__next__
    move, line, curve = path.moveTo, path.lineTo, path.quadTo
    for operation in drawing.operations:
        if operation == "Q":
            curve(take(), take(), take(), take())
        elif operation == "L":
            line(take(), take())
        elif operation == "M":
            move(take(), take())
        elif operation == "C":
            path.cubicTo(take(), take(), take(), take(), take(), take())
        else:
            path.closeSubpath()
    for each in drawing.words:
        path.addPath(_path_of_words(each))
    return path


def _path_of_words(words: DrawnWords) -> QPainterPath:
    """Return the outlines of words in the font of the program, made narrower where they would be too wide."""
    font = QFont(QGuiApplication.font())
    font.setPixelSize(max(1, words.size))
    path = QPainterPath()
    path.addText(0.0, 0.0, font, words.text)
    box = path.boundingRect()
    factor = min(1.0, words.width / max(1.0, box.width()))
    middle = words.left + words.width / 2
    place = QTransform.fromTranslate(middle, words.baseline).scale(factor, 1.0).translate(-box.center().x(), 0.0)
    return place.map(path)
