"""Display mathematics as its TeX source, on a tinted ground, centred when it is short."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.rendering.blocks import MathBlock, Span
from chatdesk.ui.transcript.card import paint_card
from chatdesk.ui.transcript.heights import guess_text_height
from chatdesk.ui.transcript.item import Item, PaintState
from chatdesk.ui.transcript.looks import Looks
from chatdesk.ui.transcript.spans import flow_of
from chatdesk.ui.transcript.text_box import TextBox

_PAD_X = 14
_PAD_Y = 9


class MathItem(Item):
    kind = "math"
    is_selectable = True

    def __init__(self, block: MathBlock) -> None:
        super().__init__()
        self.block = block
        self._box = TextBox(flow_of((Span(block.text.strip("\n")),)))

    def guess(self, looks: Looks, width: float) -> float:
        return 2 * _PAD_Y + guess_text_height(
            self.block.text,
            width=width - 2 * _PAD_X,
            char_width=looks.metrics("code").averageCharWidth(),
            line_height=looks.line_height("code"),
        )

    def layout(self, looks: Looks, width: float) -> None:
        self._box.lay_out(
            looks,
            width - 2 * _PAD_X,
            font=looks.font("code"),
            line_height=looks.line_height("code"),
            alignment="center",
        )
        self.height = self._box.height + 2 * _PAD_Y
        self.natural_width = width

    def release(self) -> None:
        super().release()
        self._box.release()

    def paint(self, painter: QPainter, state: PaintState) -> None:
        looks = state.looks
        paint_card(painter, looks, QRectF(0, 0, self.natural_width, self.height), ground="code")
        painter.translate(_PAD_X, _PAD_Y)
        self._box.draw(painter, looks, looks.colour("text"), selected=state.selected)
        painter.translate(-_PAD_X, -_PAD_Y)

    @property
    def text(self) -> str:
        return self._box.flow.text

    def copied(self, start: int, end: int) -> str:
        return self._box.flow.copied(start, end)

    def offset_at(self, point: QPointF) -> int:
        return self._box.offset_at(point - QPointF(_PAD_X, _PAD_Y))

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        return [area.translated(_PAD_X, _PAD_Y) for area in self._box.areas_of(start, end)]
