"""The line above the first message that came while the reader was elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.core.texts import Text, shown
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_HEIGHT_PX = 26
_LABEL = Text("New", "messages")


class UnreadItem(Item):
    """A line with the word "New" at its end."""

    kind = "unread"
    gap = 0.0

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.px(_HEIGHT_PX)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.px(_HEIGHT_PX)
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        middle = round(style.px(_HEIGHT_PX) * 0.4)
        wide = style.metrics("muted").horizontalAdvance(shown(_LABEL)) + style.px(10)
        painter.setPen(style.colour("accent"))
        start = wide if style.is_mirrored else 0.0
        painter.drawLine(QPointF(start, middle), QPointF(start + self.natural_width - wide, middle))
        painter.setFont(style.font("muted"))
        side = Qt.AlignmentFlag.AlignLeft if style.is_mirrored else Qt.AlignmentFlag.AlignRight
        area = QRectF(0.0 if style.is_mirrored else self.natural_width - wide, 0, wide, 2 * middle)
        painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), shown(_LABEL))
