"""Draws icons: Lucide outlines in any colour, at the screen's own resolution.

QtSvg is imported with the first icon, because its import takes time.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache

from chatdesk.core.paths import resources_dir
from chatdesk.ui.theme.tokens import ICON_PX, ICON_STROKE

_VIEW_BOX_PX = 24.0  # Lucide draws every icon in a square of 24


def icon_pixmap(name: str, colour: QColor | str, size: int, *, device_pixel_ratio: float) -> QPixmap:
    """Return an icon as a pixmap, for widgets that paint themselves."""
    pixmap = QPixmap(QSize(size, size) * device_pixel_ratio)
    pixmap.setDevicePixelRatio(device_pixel_ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_icon(painter, QRectF(0, 0, size, size), name, colour)
    painter.end()
    return pixmap


def paint_icon(painter: QPainter, area: QRectF, name: str, colour: QColor | str) -> None:
    """Draw the icon into ``area``, its lines 1.75 px wide at 16 px."""
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    # Reading and drawing the outlines takes most of the time that a button's paint takes.
    key = f"{name} {QColor(colour).rgba():08x} {area.width():g} {area.height():g} {ratio:g}"
    drawn = QPixmap()
    if not QPixmapCache.find(key, drawn):
        drawn = QPixmap((area.size() * ratio).toSize())
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        _draw(drawn, QRectF(QPointF(0, 0), area.size()), name, colour)
        QPixmapCache.insert(key, drawn)
    painter.drawPixmap(QPointF(round(area.x() * ratio) / ratio, round(area.y() * ratio) / ratio), drawn)


def _draw(pixmap: QPixmap, area: QRectF, name: str, colour: QColor | str) -> None:
    from PySide6.QtSvg import QSvgRenderer

    stroke = ICON_STROKE * _VIEW_BOX_PX / ICON_PX
    source = _svg_source(name).replace("currentColor", QColor(colour).name())
    source = source.replace('stroke-width="2"', f'stroke-width="{stroke:.3f}"')
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(source.encode()).render(painter, area)
    painter.end()


def read_icons() -> None:
    """Read the outlines of all icons, on a thread that may wait for the disk; the window draws from memory then."""
    for path in _folder().glob("*.svg"):
        _svg_source(path.stem)


@lru_cache(maxsize=256)
def _svg_source(name: str) -> str:
    return (_folder() / f"{name}.svg").read_text(encoding="utf-8")


def _folder() -> Path:
    return resources_dir() / "icons"


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
        middle = QRectF(rect).center()  # ``rect.center()`` would be half a pixel off
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
