"""Lays out styled text in a column: even lines, tinted inline code, links and formulas.

It uses QTextLayout, because a QTextDocument opens files named in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QRawFont,
    QTextCharFormat,
    QTextLayout,
    QTextLine,
    QTextOption,
)

from chatdesk.core.rendering.blocks import Span
from chatdesk.core.rendering.direction import is_right_to_left as direction
from chatdesk.ui.theme.tokens import FOCUS_RING_PX
from chatdesk.ui.transcript.drawing.math_paths import (
    FORMULA_SIZE,
    ascent_px,
    descent_px,
    paint_formula,
    paths_of,
    width_px,
)
from chatdesk.ui.transcript.drawing.shown_text import ShownFormula, ShownText
from chatdesk.ui.transcript.drawing.spans import Flow
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_WORDS: Final = QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere
_FORMULA_GAP_PX: Final = 1
_ANYWHERE: Final = QTextOption.WrapMode.WrapAnywhere

_NOTHING: Final = ShownText(Flow("", (), frozenset(), False))


class TextBox:
    """The text of one paragraph or cell; call ``lay_out`` before anything else."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.height = 0.0
        self.natural_width = 0.0
        self._layout: QTextLayout | None = None
        self._shown = _NOTHING
        self._grounds: list[QRectF] = []
        self._formulas: list[tuple[ShownFormula, QPointF]] = []
        self._line_height = 0.0
        self._em = 0.0

    def lay_out(
        self,
        style: TranscriptStyle,
        width: float,
        *,
        font: QFont,
        line_height: float,
        alignment: str = "",
        is_right_to_left: bool | None = None,
    ) -> None:
        """Lay the text out in ``width`` px; ``is_right_to_left`` is the direction of text whose letters have none."""
        flow = self.flow
        self._em = FORMULA_SIZE * QRawFont.fromFont(font).pixelSize() if flow.has_drawings else 0.0
        shown = self._shown = ShownText(flow, em=self._em, room=width)
        is_rtl = direction_of(flow.text, otherwise=is_right_to_left)
        layout = self._new_layout(style, shown.text, font, is_rtl=is_rtl)
        metrics = QFontMetricsF(font)
        base = (line_height - metrics.ascent() - metrics.descent()) / 2 + metrics.ascent()
        y = 0.0
        widest = 0.0
        self._formulas = []
        waiting = list(reversed(shown.formulas))
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            natural = line.naturalTextWidth()
            widest = max(widest, natural)
            room = max(0.0, width - natural)
            x = 0.0
            if alignment == "right" or (is_rtl and not alignment):
                x = room
            elif alignment == "center":
                x = room / 2
            ascent, descent = line.ascent(), line.descent()
            # Letters of another font may be taller than the line: make room, else they run into the line above.
            above, below = max(base, ascent), max(descent, line_height - base)
            here = []
            while waiting and waiting[-1].position < line.textStart() + line.textLength():
                here.append(waiting.pop())
            if here:
                above = max(above, *(ceil(ascent_px(each.drawing, self._em)) for each in here))
                below = max(below, *(ceil(descent_px(each.drawing, self._em)) for each in here))
            line.setPosition(QPointF(x, y + above - ascent))
            for each, left in zip(here, _lefts(line, here, self._em), strict=True):
                paths_of(each.drawing)
                self._formulas.append((each, QPointF(left + _FORMULA_GAP_PX, y + above)))
            y += max(line_height, above + below)
        layout.endLayout()
        self.height = y or line_height
        self.natural_width = min(widest, width)
        self.is_right_to_left = is_rtl
        self._line_height = line_height
        self._layout = layout
        self._grounds = self._find_grounds() if flow.pads else []

    def _new_layout(self, style: TranscriptStyle, text: str, font: QFont, *, is_rtl: bool) -> QTextLayout:
        """Return a layout that has its text and formats, and no lines yet."""
        layout = QTextLayout(text, font)
        layout.setCacheEnabled(True)
        option = QTextOption()
        option.setWrapMode(_ANYWHERE if self.flow.must_wrap_anywhere else _WORDS)
        ways = (Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft)
        option.setTextDirection(ways[is_rtl])
        if "\t" in text:
            option.setTabStopDistance(4 * style.metrics("code").horizontalAdvance(" "))
        layout.setTextOption(option)
        if self.flow.ranges:
            layout.setFormats(self._formats(style, font))
        return layout

    is_right_to_left = False

    def release(self) -> None:
        self._layout = None
        self._grounds, self._formulas = [], []

    def draw(
        self,
        painter: QPainter,
        style: TranscriptStyle,
        colour: QColor,
        *,
        selected: tuple[int, int] | None = None,
        clip: QRectF | None = None,
    ) -> None:
        layout = self._layout
        if layout is None:
            return
        if self._grounds:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(style.line_pen)
            painter.setBrush(style.colour("code"))
            radius = style.tokens.radius.inline_code
            for ground in self._grounds:
                painter.drawRoundedRect(ground, radius, radius)
        painter.setPen(QPen(colour))
        selections = []
        if selected is not None and selected[1] > selected[0]:
            start, end = self._shown.cover(*selected)
            chosen = QTextLayout.FormatRange()
            chosen.start, chosen.length, chosen.format = start, end - start, style.selection
            selections.append(chosen)
        layout.draw(painter, QPointF(0, 0), selections, clip if clip is not None else QRectF())
        for formula, baseline in self._formulas:
            paint_formula(painter, formula.drawing, baseline, em=self._em, colour=colour, syntax=style.tokens.syntax)

    def offset_at(self, point: QPointF) -> int:
        """Return the offset of the gap between letters nearest to ``point``."""
        layout = self._layout
        if layout is None or layout.lineCount() == 0:
            return 0
        line = layout.lineForTextPosition(0)
        low, high = 0, layout.lineCount() - 1
        while low < high:
            middle = (low + high + 1) // 2
            if layout.lineAt(middle).y() <= point.y():
                low = middle
            else:
                high = middle - 1
        line = layout.lineAt(low)
        return self._shown.to_flow(int(line.xToCursor(point.x())))

    def span_link_at(self, point: QPointF) -> str | None:
        if self._layout is None or not 0 <= point.y() <= self.height:
            return None
        for link in self.flow.links:
            if any(area.contains(point) for area in self.areas_of(link.start, link.end)):
                return link.href
        return None

    def ring_link(self, painter: QPainter, style: TranscriptStyle, number: int) -> None:
        """Paint a focus ring around the link with this number."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(style.colour("accent"), FOCUS_RING_PX))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = style.tokens.radius.inline_code
        for link in self.flow.links[number : number + 1]:
            for area in self.areas_of(link.start, link.end):
                painter.drawRoundedRect(area.adjusted(-2, -1, 2, 1), radius, radius)

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        """Return the rectangles that the characters from ``start`` to ``end`` cover, one for each line."""
        layout = self._layout
        if layout is None or end <= start:
            return []
        areas = []
        start, end = self._shown.cover(start, end)
        index = layout.lineForTextPosition(start).lineNumber()
        while 0 <= index < layout.lineCount():
            line = layout.lineAt(index)
            first, last = line.textStart(), line.textStart() + line.textLength()
            if first >= end:
                break
            a, b = x_of(line, max(start, first)), x_of(line, min(end, last))
            areas.append(QRectF(min(a, b), line.y(), abs(b - a), line.height()))
            index += 1
        return areas

    def end_point(self) -> QPointF:
        """Return the point where the next letter would go: after the last one, at the top of its line."""
        layout = self._layout
        if layout is None or layout.lineCount() == 0:
            return QPointF(0, 0)
        line = layout.lineAt(layout.lineCount() - 1)
        return QPointF(x_of(line, line.textStart() + line.textLength()), self.height - self._line_height)

    def _formats(self, style: TranscriptStyle, font: QFont) -> list[QTextLayout.FormatRange]:
        shown = self._shown
        drawn = {formula.start for formula in shown.formulas}
        made = [_run(each.position, each.position + 1, _room_for(each, font, self._em)) for each in shown.formulas]
        for each in self.flow.ranges:
            if each.start not in drawn:
                made.append(_run(shown.to_layout(each.start), shown.to_layout(each.end), _format(style, each.span)))
        return made

    def _find_grounds(self) -> list[QRectF]:
        grounds = []
        line_height = self._line_height
        drawn = {formula.start for formula, _ in self._formulas}
        for each in self.flow.ranges:
            has_ground = each.span.is_code or each.span.is_math or each.span.is_key
            if has_ground and each.start not in drawn:
                for area in self.areas_of(each.start, each.end):
                    top = round(area.center().y() - line_height / 2)
                    grounds.append(QRectF(area.x() + 1.5, top + 1.5, area.width() - 3, line_height - 3))
        return grounds


def x_of(line: object, offset: int) -> float:
    """Return the left edge of the letter at ``offset``, from the left of the line's layout."""
    # PySide returns (x, the offset it settled on).
    found = line.cursorToX(offset)  # type: ignore[attr-defined]
    return float(found[0] if isinstance(found, tuple) else found)


def _run(start: int, end: int, format_: QTextCharFormat) -> QTextLayout.FormatRange:
    run = QTextLayout.FormatRange()
    run.start, run.length, run.format = start, end - start, format_
    return run


def _lefts(line: QTextLine, formulas: Sequence[ShownFormula], em: float) -> Iterator[float]:
    """Yield the left edges of formulas in a line. Pieces of one run from left to right; where such a run begins or ends
    in a line from right to left, Qt tells the other end of it."""
    for place, each in enumerate(formulas):
        before, after = formulas[place - 1 : place], formulas[place + 1 : place + 2]
        if before and before[0].start == each.start:
            yield x_of(line, each.position)
        elif after and after[0].start == each.start:
            yield x_of(line, each.position + 1) - _advance_px(each, em)
        else:
            yield min(x_of(line, each.position), x_of(line, each.position + 1))


def _advance_px(formula: ShownFormula, em: float) -> float:
    return width_px(formula.drawing, em) + 2 * _FORMULA_GAP_PX


def _room_for(formula: ShownFormula, font: QFont, em: float) -> QTextCharFormat:
    """Return the format that makes the sign in a formula's place invisible and as wide as the formula."""
    made = QTextCharFormat()
    made.setForeground(QColor(0, 0, 0, 0))
    made.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
    made.setFontLetterSpacing(_advance_px(formula, em) - QFontMetricsF(font).horizontalAdvance(formula.sign))
    return made


def _format(style: TranscriptStyle, span: Span) -> QTextCharFormat:
    return style.span_format(
        is_bold=span.is_bold,
        is_italic=span.is_italic,
        is_struck=span.is_struck,
        is_code=span.is_code or span.is_math or span.is_key,
        is_link=span.href is not None or span.note is not None,
        is_raised=span.script == "sup" or (span.note is not None and span.note.startswith("fn-")),
        is_lowered=span.script == "sub",
    )


def direction_of(text: str, *, otherwise: bool | None) -> bool:
    """Return whether ``text`` reads from right to left, or ``otherwise`` when its letters have no direction."""
    found = direction(text)
    return bool(otherwise if found is None else found)
