"""The line above the first message that came while the reader was elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.looks import Looks

_HEIGHT_PX = 26
_LABEL = "New"


class UnreadItem(Item):
    """A line with the word "New" at its end."""

    kind = "unread"
    gap = 0.0

    def guess(self, looks: Looks, width: float) -> float:
        return looks.px(_HEIGHT_PX)

    def layout(self, looks: Looks, width: float) -> None:
        self.height = looks.px(_HEIGHT_PX)
        self.natural_width = width

    def paint(self, painter: QPainter, state: PaintState) -> None:
        looks = state.looks
        middle = round(looks.px(_HEIGHT_PX) * 0.4)
        wide = looks.metrics("muted").horizontalAdvance(_LABEL) + looks.px(10)
        painter.setPen(looks.colour("accent"))
        start = wide if looks.is_mirrored else 0.0
        painter.drawLine(QPointF(start, middle), QPointF(start + self.natural_width - wide, middle))
        painter.setFont(looks.font("muted"))
        side = Qt.AlignmentFlag.AlignLeft if looks.is_mirrored else Qt.AlignmentFlag.AlignRight
        area = QRectF(0.0 if looks.is_mirrored else self.natural_width - wide, 0, wide, 2 * middle)
        painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), _LABEL)
