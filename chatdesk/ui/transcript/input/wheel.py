"""The wheel and the touchpad: direction and distance, and whether to smooth a step or to follow a movement."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication

from chatdesk.ui.transcript.input.pointer import Pointer
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout

_LINE_PX = 33.0
_NOTCH = 120


class Wheel:
    """Wheel events turned into scrolling, or into sideways movement of the item under the mouse."""

    def __init__(self, viewport_layout: ViewportLayout, scrolling: Scrolling, pointer: Pointer) -> None:
        self._viewport_layout = viewport_layout
        self._scrolling = scrolling
        self._pointer = pointer
        self._rest = 0.0

    def turn(self, event: QWheelEvent) -> None:
        angle, pixels = event.angleDelta(), event.pixelDelta()
        # Under X11 pixels are what a driver says they are; angles are right everywhere.
        is_followed = not pixels.isNull() and QGuiApplication.platformName() != "xcb"
        moved = QPointF(pixels) if is_followed else QPointF(angle) * (_notch_px() / _NOTCH)
        is_followed = is_followed or angle.y() % _NOTCH != 0 or angle.x() % _NOTCH != 0
        has_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if abs(moved.x()) > abs(moved.y()) or has_shift:
            self._move_item(event.position(), -(moved.x() or moved.y()))
        elif is_followed:
            self._follow(-moved.y())
        else:
            self._scrolling.glide.by(-moved.y())

    def _follow(self, distance: float) -> None:
        self._scrolling.glide.stop()
        self._rest += distance
        whole = round(self._rest)
        self._rest -= whole
        if whole:
            self._scrolling.by(whole)

    def _move_item(self, point: QPointF, distance: float) -> None:
        hit = self._pointer.hit(point)
        if hit is not None and hit.item.scroll is not None and hit.item.scroll.move(distance):
            self._viewport_layout.repaint()


def _notch_px() -> float:
    return QApplication.wheelScrollLines() * _LINE_PX
