"""The model's name above an answer, and when it began."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from chatdesk.ui.transcript.item import Item, PaintState
from chatdesk.ui.transcript.looks import Looks

_MAX_NAME = 120


class HeaderItem(Item):
    kind = "header"
    gap = 0.0

    def __init__(self, name: str, aside: str = "", tip: str = "") -> None:
        super().__init__()
        self.name = name[:_MAX_NAME]
        self.aside = aside
        self._tip = tip
        self._aside_x = 0.0

    def guess(self, looks: Looks, width: float) -> float:
        return looks.line_height("muted")

    def layout(self, looks: Looks, width: float) -> None:
        self.height = looks.line_height("muted")
        self.natural_width = width
        self._aside_x = width - looks.metrics("muted").horizontalAdvance(self.aside)

    def tip_at(self, point: QPointF) -> str:
        return self._tip if self.aside and point.x() >= self._aside_x else ""

    def paint(self, painter: QPainter, state: PaintState) -> None:
        looks = state.looks
        font = QFont(looks.font("muted"))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(looks.colour("muted"))
        area = QRectF(0, 0, self.natural_width, self.height)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), self.name)
        if self.aside and state.is_attended:
            painter.setFont(looks.font("muted"))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), self.aside)
