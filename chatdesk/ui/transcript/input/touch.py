"""Handles touch: a finger drags the text, flicks it, taps the item under it, and rests to open the menu. Further
fingers are ignored."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QTouchEvent

from chatdesk.ui.transcript.layout.gliding import FLICK_MS
from chatdesk.ui.transcript.layout.scrolling import Scrolling

_STILL_PX = 10.0
_SLOWEST_FLICK = 0.1  # px a ms
_REMEMBERED_MS = 100
TOUCH_EVENTS = frozenset(
    {QEvent.Type.TouchBegin, QEvent.Type.TouchUpdate, QEvent.Type.TouchEnd, QEvent.Type.TouchCancel}
)


class Touch(QObject):
    """The touches of a finger; all points are in the viewport."""

    tapped = Signal(QPointF)
    rested = Signal(QPointF)

    def __init__(self, parent: QObject, scrolling: Scrolling) -> None:
        super().__init__(parent)
        self._scrolling = scrolling
        self._finger = 0  # by Qt's number
        self._began = QPointF()
        self._is_down = False
        self._is_dragging = False
        self._y = 0.0
        self._track: list[tuple[int, float]] = []
        self._rest_timer = QTimer(
            self, singleShot=True, interval=QGuiApplication.styleHints().mousePressAndHoldInterval()
        )
        self._rest_timer.timeout.connect(self._on_rest_timer_timeout)

    def handle(self, event: QTouchEvent) -> bool:
        """Handle a touch event, and return False for a touchpad, whose fingers come as wheel events."""
        # With all its kinds it is not free, and most screens are not touched.
        from PySide6.QtGui import QEventPoint, QInputDevice

        device = event.device()
        if device is None or device.type() != QInputDevice.DeviceType.TouchScreen or not event.points():
            return False
        if event.type() == QEvent.Type.TouchBegin:
            first = event.points()[0]
            self._finger = first.id()
            self._press(first.position(), event.timestamp())
        elif event.type() == QEvent.Type.TouchCancel:
            self._forget()
        else:
            for point in event.points():
                if point.id() != self._finger:
                    continue
                if point.state() == QEventPoint.State.Released:
                    self._release(point.position())
                else:
                    self._move(point.position(), event.timestamp())
        return True

    def _press(self, point: QPointF, time_ms: int) -> None:
        self._scrolling.glide.stop()
        self._began, self._y = point, point.y()
        self._is_down, self._is_dragging = True, False
        self._track = [(time_ms, point.y())]
        self._rest_timer.start()

    def _move(self, point: QPointF, time_ms: int) -> None:
        if not self._is_down:
            return
        if not self._is_dragging and (point - self._began).manhattanLength() > _STILL_PX:
            self._is_dragging = True
            self._rest_timer.stop()
        self._track = [each for each in self._track if time_ms - each[0] <= _REMEMBERED_MS]
        self._track.append((time_ms, point.y()))
        if self._is_dragging:
            step = round(self._y - point.y())
            self._y -= step
            if step:
                self._scrolling.by(step)

    def _release(self, point: QPointF) -> None:
        was_dragging, was_down = self._is_dragging, self._is_down
        track = self._track
        self._forget()
        if was_dragging and len(track) > 1:
            passed = max(1, track[-1][0] - track[0][0])
            speed = (track[0][1] - track[-1][1]) / passed
            if abs(speed) > _SLOWEST_FLICK:
                self._scrolling.glide.by(speed * FLICK_MS, slowness_ms=FLICK_MS)
        elif was_down and not was_dragging:
            self.tapped.emit(point)

    def _forget(self) -> None:
        self._rest_timer.stop()
        self._is_down = self._is_dragging = False
        self._track = []

    def _on_rest_timer_timeout(self) -> None:
        point = self._began
        self._forget()
        self.rested.emit(point)
