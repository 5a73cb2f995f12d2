"""Draws a displayed formula in the middle of the column, or its TeX source on a tinted card while there is no drawing.

Copying gives the source.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from chatdesk.core.rendering.blocks import DRAWING_UNITS, MathBlock, Span
from chatdesk.core.texts import tr
from chatdesk.ui.transcript.drawing.card import paint_card
from chatdesk.ui.transcript.drawing.heights import guess_text_height
from chatdesk.ui.transcript.drawing.item import Button, Grip, Item, Outcome, PaintState
from chatdesk.ui.transcript.drawing.math_paths import (
    FORMULA_SIZE,
    ascent_px,
    descent_px,
    paint_formula,
    paths_of,
    width_px,
)
from chatdesk.ui.transcript.drawing.side_scroll import ROOM_PX, SideScroll
from chatdesk.ui.transcript.drawing.spans import flow_of
from chatdesk.ui.transcript.drawing.text_box import TextBox
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_PAD_X = 14
_PAD_Y = 9
_DRAWN_PAD_Y = 6
_PENDING_PX = 44  # about as high as a formula of one line
_PLACE_PX = 120
_PLACE_HEIGHT_PX = 8
_MOVE = "move-aside"
_STEP_SHARE = 0.8
_TAG_GAP_PX = 20
_SIZE = FORMULA_SIZE * 1.08  # displayed formulas are a little larger than the words


class MathItem(Item):
    """A displayed formula, scrolled sideways when it is too wide."""

    kind = "math"
    is_selectable = True

    def __init__(self, block: MathBlock) -> None:
        super().__init__()
        self.block = block
        self.at = block.at
        self._box = TextBox(flow_of((Span(block.text.strip("\n")),)))
        self._left = 0.0
        self._right = 0.0
        self._em = 0.0
        self._tag_room = 0.0  # the width of the widest equation number at the right, with the gap before it
        self.scroll: SideScroll = SideScroll()

    def guess(self, style: TranscriptStyle, width: float) -> float:
        if self.block.is_pending:
            return style.px(_PENDING_PX)
        if self.block.drawing is not None:
            return self._drawn_height(style)
        return 2 * _PAD_Y + guess_text_height(
            self.block.text,
            width=width - 2 * _PAD_X,
            char_width=style.metrics("code").averageCharWidth(),
            line_height=style.line_height("code"),
        )

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self._left, right = style.insets(self.at, width)
        self.natural_width = width
        self._right = width - right
        drawing = self.block.drawing
        if self.block.is_pending:
            self.height = style.px(_PENDING_PX)
            return
        if drawing is not None:
            paths_of(drawing)
            self._em = style.em("text") * _SIZE
            self._tag_room = max((width_px(tag, self._em) + _TAG_GAP_PX for _, tag in drawing.tags), default=0.0)
            self.scroll.set_widths(width_px(drawing, self._em) + self._tag_room, self._right - self._left)
            self.height = self._drawn_height(style) + (ROOM_PX if self.scroll.most else 0)
            return
        self._box.lay_out(
            style,
            max(40.0, self._right - self._left - 2 * _PAD_X),
            font=style.font("code"),
            line_height=style.line_height("code"),
            alignment="center",
        )
        self.height = self._box.height + 2 * _PAD_Y

    def release(self) -> None:
        super().release()
        self._box.release()

    def paint(self, painter: QPainter, state: PaintState) -> None:
        if self.block.drawing is not None:
            self._paint_drawing(painter, state)
            return
        style = state.style
        if self.block.is_pending:
            self._paint_place(painter, style)
            return
        area = QRectF(self._left, 0, self._right - self._left, self.height)
        paint_card(painter, style, area, ground="code")
        painter.translate(self._left + _PAD_X, _PAD_Y)
        self._box.draw(painter, style, style.colour("text"), selected=state.selected)
        painter.translate(-self._left - _PAD_X, -_PAD_Y)

    @property
    def text(self) -> str:
        return self._box.flow.text

    def copied(self, start: int, end: int) -> str:
        return self._box.flow.copied(start, end)

    def offset_at(self, point: QPointF) -> int:
        if self.block.drawing is not None:
            area = self._formula_area()
            return 0 if point.x() < area.center().x() else len(self.text)
        return self._box.offset_at(point - QPointF(self._left + _PAD_X, _PAD_Y))

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        if self.block.drawing is not None:
            seen = QRectF(self._left, 0, self._right - self._left, self.height)
            return [self._formula_area().intersected(seen)] if end > start else []
        return [area.translated(self._left + _PAD_X, _PAD_Y) for area in self._box.areas_of(start, end)]

    def grip_at(self, point: QPointF) -> Grip | None:
        room = QRectF(self._left, 0, self._right - self._left, self.height)
        return self.scroll.grip_at(point, room) if self.block.drawing is not None else None

    def buttons(self) -> tuple[Button, ...]:
        """Return a stop for the keyboard if the formula is too wide, so that Left and Right can move it.

        Under the mouse it is a text that can be selected.
        """
        if self.block.drawing is None or self.scroll.most <= 0:
            return ()
        area = QRectF(self._left, 0, self._right - self._left, self.height)
        return (Button(_MOVE, tr("Wide formula: Left and Right move it"), area, for_keys=True),)

    def press(self, action: str) -> Outcome | None:
        """Scroll a step to the right, and from the end back to the beginning."""
        if action != _MOVE:
            return None
        if not self.scroll.move(_STEP_SHARE * (self._right - self._left)):
            self.scroll.move(-self.scroll.most)
        return Outcome()

    def _paint_place(self, painter: QPainter, style: TranscriptStyle) -> None:
        """Paint a quiet line in the middle, where the formula will be."""
        wide, high = style.px(_PLACE_PX), style.px(_PLACE_HEIGHT_PX)
        middle = (self._left + self._right) / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.colour("line"))
        painter.drawRoundedRect(QRectF(middle - wide / 2, (self.height - high) / 2, wide, high), high / 2, high / 2)

    def _drawn_height(self, style: TranscriptStyle) -> float:
        drawing = self.block.drawing
        assert drawing is not None
        em = style.em("text") * _SIZE
        return round(ascent_px(drawing, em) + descent_px(drawing, em)) + 2 * _DRAWN_PAD_Y

    def _formula_area(self) -> QRectF:
        room = self._right - self._left
        wide = self.scroll.content - self._tag_room
        # In the middle of the column, but clear of the numbers at its right edge.
        x = self._left + max(0.0, min((room - wide) / 2, room - wide - self._tag_room)) - self.scroll.x
        below = ROOM_PX if self.scroll.most else 0
        return QRectF(x, _DRAWN_PAD_Y, wide, self.height - 2 * _DRAWN_PAD_Y - below)

    def _paint_drawing(self, painter: QPainter, state: PaintState) -> None:
        style, drawing = state.style, self.block.drawing
        assert drawing is not None
        area = self._formula_area()
        painter.save()
        room = QRectF(self._left, 0, self._right - self._left, self.height)
        painter.setClipRect(room, Qt.ClipOperation.IntersectClip)
        if state.selected is not None:
            painter.fillRect(area, style.selection.background())
        baseline = QPointF(area.x(), area.y() + ascent_px(drawing, self._em))
        text, syntax = style.colour("text"), style.tokens.syntax
        paint_formula(painter, drawing, baseline, em=self._em, colour=text, syntax=syntax)
        edge = max(room.right(), area.right() + self._tag_room)
        for below, tag in drawing.tags:
            place = QPointF(edge - width_px(tag, self._em), baseline.y() + below * self._em / DRAWING_UNITS)
            paint_formula(painter, tag, place, em=self._em, colour=text, syntax=syntax)
        painter.restore()
        self.scroll.paint(painter, style, room)
        if state.focused_action == _MOVE:
            painter.setPen(QPen(style.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(room.adjusted(1, 1, -1, -1), style.tokens.radius.row, style.tokens.radius.row)
