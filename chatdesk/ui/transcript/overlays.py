"""What is drawn over the items: the places that were found, the caret."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.ui.transcript.caret import Caret
from chatdesk.ui.transcript.layout import ThreadLayout
from chatdesk.ui.transcript.looks import Looks

_CARET_PX = 2.0


def paint_caret(painter: QPainter, looks: Looks, layout: ThreadLayout, caret: Caret, *, left: float) -> None:
    place = caret.place
    placed = next((each for each in layout.placed if place is not None and each.item is place.item), None)
    if place is None or placed is None:
        return
    area = caret.area_of(place).translated(QPointF(left + placed.entry.x_of(placed.item), placed.y))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillRect(QRectF(area.left() - 1, area.top(), _CARET_PX, area.height()), looks.colour("accent"))
