"""Has Qt draw the outlines of ``icons`` where it draws an icon itself: in menus, rows and buttons of its own. The first
paint does without: with Qt's class of icons PySide builds 160 names, 2 ms."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap

from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.tokens import ICON_PX


def icon(name: str, colour: QColor | str, size: int = ICON_PX) -> QIcon:
    """Return the icon ``name`` (a file of resources/icons without its ending) in ``colour``, ``size`` logical px
    wide."""
    return QIcon(_LucideEngine(name, QColor(colour), size))


class _LucideEngine(QIconEngine):
    """Draws on demand, so that one icon is sharp on every screen and costs nothing until it is seen."""

    def __init__(self, name: str, colour: QColor, size: int) -> None:
        super().__init__()
        self._name = name
        self._colour = colour
        self._size = size

    def clone(self) -> QIconEngine:
        return _LucideEngine(self._name, self._colour, self._size)

    def actualSize(self, size: QSize, _mode: QIcon.Mode, _state: QIcon.State) -> QSize:
        side = min(size.width(), size.height())
        return QSize(side, side)

    def availableSizes(
        self, _mode: QIcon.Mode = QIcon.Mode.Normal, _state: QIcon.State = QIcon.State.Off
    ) -> list[QSize]:
        return [QSize(self._size, self._size)]

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        side = min(rect.width(), rect.height())
        middle = QRectF(rect).center()  # that of ``rect`` itself is half a pixel off
        if mode is QIcon.Mode.Disabled:
            painter.setOpacity(0.4)
        paint_icon(painter, QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side), self._name, self._colour)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap
