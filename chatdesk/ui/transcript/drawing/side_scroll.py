"""Sideways scrolling of wide content, and the bar that shows it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_INSET_PX = 12
_BAR_PX = 4
_REACH_PX = 4  # above and below the bar, where it can be taken as well
ROOM_PX = 10  # room of the bar below the content


class SideScroll:
    """The sideways position of wide content.

    ``content`` is the width of the content; ``x`` is how much of it is hidden at the side where it begins: at the left,
    or at the right if ``is_mirrored``.
    """

    def __init__(self) -> None:
        self.content = 0.0
        self.x = 0.0
        self.is_mirrored = False
        self._room = 0.0

    @property
    def most(self) -> float:
        return max(0.0, self.content - self._room)

    @property
    def shift(self) -> float:
        """The left edge of the content, from the left of its room."""
        return self._room - self.content + self.x if self.is_mirrored else -self.x

    def set_widths(self, content: float, room: float) -> None:
        self.content, self._room = content, room
        self.x = min(self.x, self.most)

    def move(self, delta: float) -> bool:
        """Scroll ``delta`` px to the right, and return whether anything moved."""
        before = self.x
        self.x = max(0.0, min(self.most, before + (-delta if self.is_mirrored else delta)))
        return self.x != before

    def bar(self, area: QRectF) -> QRectF:
        """Return the bar along the bottom of ``area``, empty when there is nothing to scroll."""
        if self.most <= 0:
            return QRectF()
        track = area.width() - 2 * _INSET_PX
        share = self._room / self.content
        passed = 1 - self.x / self.most if self.is_mirrored else self.x / self.most
        return QRectF(area.x() + _INSET_PX + track * (1 - share) * passed, area.bottom() - 7, track * share, _BAR_PX)

    def paint(self, painter: QPainter, style: TranscriptStyle, area: QRectF) -> None:
        bar = self.bar(area)
        if bar.isEmpty():
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.colour("line"))
        painter.drawRoundedRect(bar, 2, 2)

    def grip_at(self, point: QPointF, area: QRectF) -> BarGrip | None:
        """Return the bar as a grip when ``point`` is on it, else None."""
        bar = self.bar(area)
        if bar.isEmpty() or not bar.adjusted(0, -_REACH_PX, 0, _REACH_PX).contains(point):
            return None
        free = area.width() - 2 * _INSET_PX - bar.width()
        return BarGrip(self, point.x(), self.most / max(1.0, free))


class BarGrip:
    """A scroll bar that is being dragged with the mouse."""

    shape = Qt.CursorShape.ArrowCursor

    def __init__(self, scroll: SideScroll, x: float, step: float) -> None:
        self._scroll = scroll
        self._x = x
        self._step = step

    def move(self, point: QPointF) -> bool:
        """Follow the mouse; heights never change."""
        self._scroll.move((point.x() - self._x) * self._step)
        self._x = point.x()
        return False
