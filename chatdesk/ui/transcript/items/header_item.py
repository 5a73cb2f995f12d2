"""The header of an answer: the model's name, the member who asked for it, and the time it began."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from chatdesk.core.texts import tr
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.author_item import paint_author

_MAX_NAME = 120
_ASKED_GAP_PX = 10


class HeaderItem(Item):
    """The header of an answer; ``asked_by`` is (id, name) of the other member who asked for it."""

    kind = "header"
    gap = 0.0

    def __init__(self, name: str, aside: str = "", tip: str = "", asked_by: tuple[str, str] | None = None) -> None:
        super().__init__()
        self.name = name[:_MAX_NAME]
        self.asked_by = asked_by
        self.aside = aside
        self._tip = tip
        self._aside_area = QRectF()

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.line_height("muted")

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.line_height("muted")
        self.natural_width = width
        wide = style.metrics("muted").horizontalAdvance(self.aside)
        self._aside_area = QRectF(0 if style.is_mirrored else width - wide, 0, wide, self.height)

    def tip_at(self, point: QPointF) -> str:
        return self._tip if self.aside and self._aside_area.contains(point) else ""

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        font = QFont(style.font("muted"))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(style.colour("muted"))
        area = QRectF(0, 0, self.natural_width, self.height)
        near, far = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if style.is_mirrored:
            near, far = far, near
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | near), self.name)
        if self.asked_by is not None:
            self._paint_asked_by(
                painter, style, *self.asked_by, taken=painter.fontMetrics().horizontalAdvance(self.name)
            )
        if self.aside and state.is_attended:
            painter.setFont(style.font("muted"))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | far), self.aside)

    def _paint_asked_by(self, painter: QPainter, style: TranscriptStyle, key: str, name: str, *, taken: int) -> None:
        start = taken + style.px(_ASKED_GAP_PX)
        room = self.natural_width - start - self._aside_area.width() - style.px(_ASKED_GAP_PX)
        left = self._aside_area.width() + style.px(_ASKED_GAP_PX) if style.is_mirrored else start
        area = QRectF(left, 0, max(0.0, room), self.height)
        words = tr("asked by {name}", name=name[:_MAX_NAME])
        paint_author(painter, style, area, name, key=key, words=words, is_at_right=style.is_mirrored)
