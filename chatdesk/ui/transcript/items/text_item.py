"""Draws paragraphs, headings and list items, in quotes or not: all items that are a flow of words. One of them waits
for the first words of an answer."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QTextOption

from chatdesk.core.clock import Clock
from chatdesk.core.rendering.blocks import DEFINITION, Placement, Span
from chatdesk.core.texts import tr
from chatdesk.ui.local_forms import duration_of
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.transcript.drawing.heights import guess_text_height
from chatdesk.ui.transcript.drawing.item import LINK_ACTION, Button, Item, Outcome, PaintState, link_number
from chatdesk.ui.transcript.drawing.spans import flow_of
from chatdesk.ui.transcript.drawing.text_box import TextBox, direction_of
from chatdesk.ui.transcript.drawing.transcript_style import LIST_INDENT_PX, TranscriptStyle

_SAID_AFTER_MS = 2_000
_CARET_ROOM_PX = 22


class TextItem(Item):
    """A flow of words.

    ``level`` is that of a heading, 0 for text; ``colour`` is a token; ``inset`` is extra space at the left in px.
    """

    kind = "text"
    is_selectable = True

    def __init__(
        self,
        spans: tuple[Span, ...],
        at: Placement | None = None,
        *,
        level: int = 0,
        role: FontRole = "text",
        colour: str = "text",
        inset: float = 0.0,
    ) -> None:
        super().__init__()
        self.spans = spans
        self.at = at or Placement()
        self.level = level
        self.role: FontRole = role
        self._colour = colour
        self._inset = inset
        self._box = TextBox(flow_of(spans))
        if level:
            self.gap = 18.0 if level <= 2 else 14.0

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return guess_text_height(
            self.text,
            width=max(40.0, width - sum(self._insets(style, width))),
            char_width=style.metrics(self.role).averageCharWidth(),
            line_height=style.line_height(self.role),
        )

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self._left, self._right = self._insets(style, width)
        inset = self._left + self._right
        font, line_height = self._type(style)
        self._box.lay_out(
            style,
            max(40.0, width - inset),
            font=font,
            line_height=line_height,
            is_right_to_left=self.at.is_right_to_left,
        )
        self.height = self._box.height
        self.natural_width = inset + self._box.natural_width
        self._width = width
        self.is_right_to_left = self._box.is_right_to_left

    def release(self) -> None:
        super().release()
        self._box.release()

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        shift = self._left
        if self.at.marker and self.at.marker != DEFINITION:
            self._paint_marker(painter, style)
        painter.translate(shift, 0)
        colour = self._text_colour(style)
        clip = state.clip.translated(-shift, 0)
        self._box.draw(painter, style, colour, selected=state.selected, clip=clip)
        ringed = link_number(state.focused_action)
        if ringed is not None:
            self._box.ring_link(painter, style, ringed)
        if state.show_caret:
            end = self._box.end_point()
            height = style.px(15)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.colour("accent"))
            top = end.y() + (style.line_height(self.role) - height) / 2
            painter.drawRoundedRect(QRectF(end.x() + 4, top, style.px(8), height), 2, 2)
        painter.translate(-shift, 0)

    @property
    def text(self) -> str:
        return self._box.flow.text

    def copied(self, start: int, end: int) -> str:
        copied = self._box.flow.copied(start, end)
        if start == 0 and self.at.marker and copied:
            if self.at.marker == DEFINITION:
                return "  " * self.at.list_depth + copied
            marker = {"•": "-", "☐": "- [ ]", "☑": "- [x]"}.get(self.at.marker, self.at.marker)
            return "  " * max(0, self.at.list_depth - 1) + f"{marker} {copied}"
        return copied

    def offset_at(self, point: QPointF) -> int:
        return self._box.offset_at(self._inside(point))

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        shift = self._inside(QPointF(0, 0)).x()
        return [area.translated(-shift, 0) for area in self._box.areas_of(start, end)]

    def links(self) -> tuple[Button, ...]:
        return tuple(
            Button(f"{LINK_ACTION}{number}", link.href, next(iter(self.areas_of(link.start, link.end)), QRectF()))
            for number, link in enumerate(self._box.flow.links)
        )

    def press(self, action: str) -> Outcome | None:
        number = link_number(action)
        links = self._box.flow.links
        return Outcome(link=links[number].href) if number is not None and number < len(links) else None

    def link_at(self, point: QPointF) -> str | None:
        return self._box.span_link_at(self._inside(point))

    def _inside(self, point: QPointF) -> QPointF:
        return point - QPointF(self._left, 0) if self._laid_out is not None else point

    def _insets(self, style: TranscriptStyle, width: float) -> tuple[float, float]:
        reads = direction_of(self._box.flow.text, otherwise=self.at.is_right_to_left)
        left, right = style.insets(self.at, width, is_right_to_left=reads)
        return left + self._inset, right

    def _type(self, style: TranscriptStyle) -> tuple[QFont, float]:
        if not self.level:
            return style.font(self.role), style.line_height(self.role)
        font = style.heading_font(self.level)
        factor = font.pointSizeF() / style.font("strong").pointSizeF()
        return font, round(style.line_height("text") * max(1.0, factor * 0.95))

    def _paint_marker(self, painter: QPainter, style: TranscriptStyle) -> None:
        marker = self.at.marker or ""
        line = style.line_height(self.role)
        gutter = style.px(LIST_INDENT_PX)
        is_rtl = self._box.is_right_to_left
        x = self._width - self._right if is_rtl else self._left - gutter
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if marker == "•":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.colour(self._colour))
            radius = style.px(5) / 2
            middle = x + style.px(8) if not is_rtl else x + gutter - style.px(8)
            painter.drawEllipse(QPointF(middle, line / 2 + 0.5), radius, radius)
        elif marker in "☐☑":
            side = style.px(13)
            outside = x + gutter - 1 - side if is_rtl else x + 1
            self._paint_box(painter, style, QRectF(outside, (line - side) / 2, side, side))
        else:
            painter.setFont(style.font(self.role))
            painter.setPen(style.colour(self._colour))
            wide = style.metrics(self.role).horizontalAdvance(marker)
            room = max(gutter - 5, wide)
            area = QRectF(x + 5 if is_rtl else x + gutter - 5 - room, 0, room, line)
            option = QTextOption(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            # In a right-to-left text the dot stands at the left of its number, and Qt mirrors the alignment.
            direction = Qt.LayoutDirection.RightToLeft if is_rtl else Qt.LayoutDirection.LeftToRight
            option.setTextDirection(direction)
            painter.drawText(area, marker, option)

    def _text_colour(self, style: TranscriptStyle) -> QColor:
        if self.at.is_callout_title:
            return style.callout(self.at.callout)
        is_quoted = (self.at.quote_depth and not self.at.callout) or self.at.is_folded
        return style.colour("muted" if is_quoted and self._colour == "text" else self._colour)

    def _paint_box(self, painter: QPainter, style: TranscriptStyle, area: QRectF) -> None:
        painter.setPen(style.colour("muted"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        if self.at.marker == "☑":
            pixmap = style.icon("check", "accent", 12)
            side = pixmap.deviceIndependentSize().width()
            painter.drawPixmap(QPointF(area.center().x() - side / 2, area.center().y() - side / 2), pixmap)

    _width = _left = _right = 0.0


def plain_item(text: str, *, role: FontRole = "text", colour: str = "text", inset: float = 0.0) -> TextItem:
    """Return an item that shows text as it was written, with nothing in it interpreted."""
    return TextItem((Span(text),), role=role, colour=colour, inset=inset)


class WaitingItem(TextItem):
    """The caret and the waiting time in place of an answer.

    The item is as high as the first line of the answer will be, so that nothing moves when it comes. The words are
    drawn but not read: a screen reader hears once that an answer is coming, and not every second.
    """

    ticks = True

    def __init__(self, who: str, since_ms: int) -> None:
        super().__init__((Span(""),))
        self.who = who
        self.since_ms = since_ms
        self.words = ""
        self.tick(Clock().now_ms())

    def tick(self, now_ms: int) -> bool:
        waited_ms = now_ms - self.since_ms
        words = (
            tr("Waiting for {who}, {duration}", who=self.who, duration=duration_of(waited_ms))
            if waited_ms >= _SAID_AFTER_MS
            else ""
        )
        if words == self.words:
            return False
        self.words = words
        self.revision += 1
        return True

    def tip_at(self, _point: object) -> str:
        return self.words

    def paint(self, painter: QPainter, state: PaintState) -> None:
        super().paint(painter, state)
        style = state.style
        left = style.px(_CARET_ROOM_PX)
        area = QRectF(left, 0, max(0.0, self._width - left), self.height)
        painter.setFont(style.font("note"))
        painter.setPen(style.colour("muted"))
        words = style.metrics("note").elidedText(self.words, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)
