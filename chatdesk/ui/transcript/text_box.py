"""A run of styled text laid out in a column: QTextLayout with even lines, tinted inline code and links.

No QTextDocument: that one opens files named in the text.
"""

from __future__ import annotations

from typing import Final
from unicodedata import bidirectional

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTextCharFormat, QTextLayout, QTextOption

from chatdesk.core.rendering.blocks import Span
from chatdesk.ui.transcript.looks import Looks
from chatdesk.ui.transcript.spans import Flow

_WORDS: Final = QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere
_ANYWHERE: Final = QTextOption.WrapMode.WrapAnywhere


class TextBox:
    """Text of one paragraph or cell. Lay it out before anything else."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.height = 0.0
        self.natural_width = 0.0
        self._layout: QTextLayout | None = None
        self._grounds: list[QRectF] = []
        self._line_height = 0.0

    def lay_out(
        self,
        looks: Looks,
        width: float,
        *,
        font: QFont,
        line_height: float,
        alignment: str = "",
    ) -> None:
        flow = self.flow
        layout = QTextLayout(flow.text, font)
        layout.setCacheEnabled(True)
        option = QTextOption()
        option.setWrapMode(_ANYWHERE if flow.must_wrap_anywhere else _WORDS)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setTabStopDistance(4 * looks.metrics("code").horizontalAdvance(" "))
        layout.setTextOption(option)
        if flow.ranges:
            layout.setFormats([_format_range(looks, each.start, each.end, each.span) for each in flow.ranges])
        is_rtl = flow.text.isascii() is False and _is_right_to_left(flow.text)
        metrics = QFontMetricsF(font)
        base = (line_height - metrics.ascent() - metrics.descent()) / 2 + metrics.ascent()
        y = 0.0
        widest = 0.0
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
            above = max(base, ascent)
            line.setPosition(QPointF(x, y + above - ascent))
            y += max(line_height, above + max(descent, line_height - base))
        layout.endLayout()
        self.height = y or line_height
        self.natural_width = min(widest, width)
        self.is_right_to_left = is_rtl
        self._line_height = line_height
        self._layout = layout
        self._grounds = self._find_grounds(line_height) if flow.pads else []

    is_right_to_left = False

    def release(self) -> None:
        self._layout = None
        self._grounds = []

    def draw(
        self,
        painter: QPainter,
        looks: Looks,
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
            painter.setPen(looks.line_pen)
            painter.setBrush(looks.colour("code"))
            radius = looks.tokens.radius.inline_code
            for ground in self._grounds:
                painter.drawRoundedRect(ground, radius, radius)
        painter.setPen(QPen(colour))
        selections = []
        if selected is not None and selected[1] > selected[0]:
            chosen = QTextLayout.FormatRange()
            chosen.start = selected[0]
            chosen.length = selected[1] - selected[0]
            chosen.format = looks.selection
            selections.append(chosen)
        layout.draw(painter, QPointF(0, 0), selections, clip if clip is not None else QRectF())

    def offset_at(self, point: QPointF) -> int:
        """The offset of the gap between letters nearest to ``point``."""
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
        return int(line.xToCursor(point.x()))

    def span_link_at(self, point: QPointF) -> str | None:
        if not any(each.span.href for each in self.flow.ranges) or not 0 <= point.y() <= self.height:
            return None
        layout = self._layout
        if layout is None:
            return None
        for each in self.flow.ranges:
            if each.span.href and any(area.contains(point) for area in self.areas_of(each.start, each.end)):
                return each.span.href
        return None

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        """The rectangles that the characters from ``start`` to ``end`` cover, one a line."""
        layout = self._layout
        if layout is None or end <= start:
            return []
        areas = []
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
        """Where the next letter would go: right of the last one, at the top of its line."""
        layout = self._layout
        if layout is None or layout.lineCount() == 0:
            return QPointF(0, 0)
        line = layout.lineAt(layout.lineCount() - 1)
        return QPointF(x_of(line, line.textStart() + line.textLength()), self.height - self._line_height)

    def _find_grounds(self, line_height: float) -> list[QRectF]:
        grounds = []
        for each in self.flow.ranges:
            if each.span.is_code or each.span.is_math:
                for area in self.areas_of(each.start, each.end):
                    top = round(area.center().y() - line_height / 2)
                    grounds.append(QRectF(area.x() + 1.5, top + 1.5, area.width() - 3, line_height - 3))
        return grounds


def x_of(line: object, offset: int) -> float:
    """Where the letter at ``offset`` begins, from the left of the line's layout."""
    # PySide returns (x, the offset it settled on).
    found = line.cursorToX(offset)  # type: ignore[attr-defined]
    return float(found[0] if isinstance(found, tuple) else found)


def _format_range(looks: Looks, start: int, end: int, span: Span) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start = start
    made.length = end - start
    made.format = _format(looks, span)
    return made


def _format(looks: Looks, span: Span) -> QTextCharFormat:

    return looks.span_format(
        is_bold=span.is_bold,
        is_italic=span.is_italic,
        is_struck=span.is_struck,
        is_code=span.is_code or span.is_math,
        is_link=span.href is not None,
    )


def _is_right_to_left(text: str) -> bool:
    """Direction by the first strong character."""

    for character in text:
        direction = bidirectional(character)
        if direction == "L":
            return False
        if direction in ("R", "AL"):
            return True
    return False
