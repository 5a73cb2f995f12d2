"""How far something wide is moved sideways, and the bar that shows it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.ui.transcript.looks import Looks

_INSET_PX = 12
_BAR_PX = 4
ROOM_PX = 10  # what the bar needs below the content


class SideScroll:
    """``content`` is how wide the thing is; ``x`` how much of it is hidden at the left."""

    def __init__(self) -> None:
        self.content = 0.0
        self.x = 0.0
        self._room = 0.0

    @property
    def most(self) -> float:
        return max(0.0, self.content - self._room)

    def set_widths(self, content: float, room: float) -> None:
        self.content, self._room = content, room
        self.x = min(self.x, self.most)

    def move(self, delta: float) -> bool:
        """Whether anything moved."""
        before = self.x
        self.x = max(0.0, min(self.most, before + delta))
        return self.x != before

    def paint(self, painter: QPainter, looks: Looks, area: QRectF) -> None:
        """A bar along the bottom of ``area`` when there is something to move."""
        if self.most <= 0:
            return
        track = area.width() - 2 * _INSET_PX
        share = self._room / self.content
        x = area.x() + _INSET_PX + track * (1 - share) * (self.x / self.most)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(looks.colour("line"))
        painter.drawRoundedRect(QRectF(x, area.bottom() - 7, track * share, _BAR_PX), 2, 2)
