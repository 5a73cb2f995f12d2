"""Handles fingers on a touch screen: they scroll the area below them with inertia, tap, rest for a menu, and swipe the
sidebar in and out.

Qt turns unhandled touches into mouse events, so that a drag would select rows and carry them away. Only the windows are
watched, because they get few events. The transcript has its own touch input, and buttons and sliders outside of scroll
areas keep Qt's. Mouse events are never examined.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QTouchEvent, QWindow
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSlider, QScroller, QWidget

_TOUCHES: Final = frozenset(
    (QEvent.Type.TouchBegin, QEvent.Type.TouchUpdate, QEvent.Type.TouchEnd, QEvent.Type.TouchCancel)
)
_STILL_PX: Final = 10
_SWIPE_PX: Final = 60
_ACROSS: Final = 1.5  # times as far across as up or down


class TouchInput(QObject):
    """Turns touches into scrolling, clicks, menus and swipes. ``swiped`` is emitted with true for a swipe from the
    beginning of lines to their end, which opens the sidebar, and with false for one back, which closes it.
    ``may_swipe`` returns whether one may begin at a place of a window."""

    touched = Signal()
    swiped = Signal(bool)

    def __init__(self, may_swipe: Callable[[QWidget, QPointF], bool], is_still: Callable[[], bool]) -> None:
        super().__init__()
        self._may_swipe, self._is_still = may_swipe, is_still
        self._finger: _Finger | None = None
        self._number = 0  # the id of the first finger; others are ignored
        self._is_ours = False
        self._rest = QTimer(self, singleShot=True, interval=QGuiApplication.styleHints().mousePressAndHoldInterval())
        self._rest.timeout.connect(self._on_rest_timeout)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._watch)
        self._watch(application.focusWindow())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TOUCHES and isinstance(watched, QWindow):
            return self._handle(watched, event)  # type: ignore[arg-type]
        return super().eventFilter(watched, event)

    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.removeEventFilter(self)  # at most once each
            window.installEventFilter(self)

    def _handle(self, window: QWindow, event: QTouchEvent) -> bool:
        """Return whether the finger is ours: Qt makes no mouse of it then."""
        # With all its kinds it is not free, and most screens are not touched.
        from PySide6.QtGui import QEventPoint, QInputDevice

        device = event.device()
        if device is None or device.type() != QInputDevice.DeviceType.TouchScreen or not event.points():
            return False
        if event.type() == QEvent.Type.TouchBegin:
            self.touched.emit()
            first = event.points()[0]
            self._number, self._is_ours = first.id(), False
            self._finger = self._finger_at(window, first.position(), event)
            if self._finger is not None:
                self._is_ours = True
                self._rest.start()
        if not self._is_ours:
            return False
        finger = self._finger
        point = next((each for each in event.points() if each.id() == self._number), None)
        if finger is not None and point is not None and event.type() != QEvent.Type.TouchBegin:
            if event.type() == QEvent.Type.TouchCancel or point.state() == QEventPoint.State.Released:
                self._finger = None
                self._rest.stop()
                self._end(finger, point.position(), event)
            else:
                self._move(finger, point.position(), event.timestamp())
        event.accept()
        return True

    def _finger_at(self, window: QWindow, place: QPointF, event: QTouchEvent) -> _Finger | None:
        """Return the finger that came down, where it scrolls or may swipe."""
        top = QWidget.find(window.winId())
        if top is None:
            return None
        on = top.childAt(place.toPoint()) or top
        if isinstance(on, QAbstractSlider):
            return None
        area = _area_of(on)
        may_swipe = self._may_swipe(top, place)
        has_own_way = area is not None and bool(area.viewport().property("readsTouches"))
        if not may_swipe and (area is None or has_own_way):
            return None
        finger = _Finger(top, on, place, event.timestamp(), may_swipe=may_swipe)
        finger.area = None if has_own_way else area
        finger.stopped = finger.area is not None and _stop(finger.area)
        return finger

    def _move(self, finger: _Finger, place: QPointF, time_ms: int) -> None:
        way = place - finger.began
        if not finger.is_moving and way.manhattanLength() > _STILL_PX:
            finger.is_moving = True
            self._rest.stop()
            if finger.may_swipe and abs(way.x()) > _ACROSS * abs(way.y()):
                finger.is_swiping = True
            elif finger.area is not None:
                finger.scroll("InputPress", finger.began, finger.began_ms)
        if finger.is_moving and not finger.is_swiping and finger.area is not None:
            finger.scroll("InputMove", place, time_ms)

    def _end(self, finger: _Finger, place: QPointF, event: QTouchEvent) -> None:
        is_cancelled = event.type() == QEvent.Type.TouchCancel
        if finger.is_swiping:
            across = (place - finger.began).x()
            if not is_cancelled and abs(across) >= _SWIPE_PX:
                self.swiped.emit((across > 0) == (finger.top.layoutDirection() is Qt.LayoutDirection.LeftToRight))
        elif finger.is_moving and finger.area is not None:
            finger.scroll("InputRelease", place, event.timestamp())
            if is_cancelled or self._is_still():
                _stop(finger.area)
        elif not is_cancelled and not finger.is_moving and not finger.is_resting and not finger.stopped:
            finger.tap(place)

    def _on_rest_timeout(self) -> None:
        if self._finger is not None:
            self._finger.is_resting = True
            self._finger.ask_for_menu()


class _Finger:
    """A finger on the screen: pressed on ``on`` in the window ``top``, in whose coordinates its points are."""

    def __init__(self, top: QWidget, on: QWidget, began: QPointF, began_ms: int, *, may_swipe: bool) -> None:
        self.top, self.on, self.began, self.began_ms = top, on, began, began_ms
        self.area: QAbstractScrollArea | None = None
        self.may_swipe = may_swipe
        self.is_moving = self.is_swiping = self.is_resting = False
        self.stopped = False  # the touch stopped a gliding view, and then has no other effect

    def scroll(self, kind: str, place: QPointF, time_ms: int) -> None:
        """Pass the movement of the finger to the scroller of the area."""
        from PySide6.QtWidgets import QScroller

        assert self.area is not None
        viewport = self.area.viewport()
        within = QPointF(viewport.mapFrom(self.top, place.toPoint()))
        _scroller_of(viewport).handleInput(getattr(QScroller.Input, kind), within, time_ms)

    def tap(self, place: QPointF) -> None:
        """Act like a click of the mouse."""
        from PySide6.QtGui import QMouseEvent

        within, everywhere = self._points(place)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        for kind, buttons in ((QEvent.Type.MouseButtonPress, left), (QEvent.Type.MouseButtonRelease, none)):
            event = QMouseEvent(kind, within, everywhere, left, buttons, QGuiApplication.keyboardModifiers())
            QCoreApplication.sendEvent(self.on, event)
        focus = self._focus_target()
        if focus is not None:
            focus.setFocus(Qt.FocusReason.MouseFocusReason)

    def ask_for_menu(self) -> None:
        """Act like the right button of the mouse."""
        from PySide6.QtGui import QContextMenuEvent

        within, everywhere = self._points(self.began)
        menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, within.toPoint(), everywhere.toPoint())
        QCoreApplication.sendEvent(self.on, menu)

    def _points(self, place: QPointF) -> tuple[QPointF, QPointF]:
        within = QPointF(self.on.mapFrom(self.top, place.toPoint()))
        return within, QPointF(self.top.mapToGlobal(place.toPoint()))

    def _focus_target(self) -> QWidget | None:
        """Return the widget that takes the focus by a click here; events that are sent do not move it."""
        widget: QWidget | None = self.on
        while widget is not None and not widget.focusPolicy() & Qt.FocusPolicy.ClickFocus:
            widget = None if widget.isWindow() else widget.parentWidget()
        return widget


def _area_of(widget: QWidget) -> QAbstractScrollArea | None:
    """Return the nearest area that scrolls and has ``widget`` in its viewport."""
    each: QWidget | None = widget
    while each is not None and not each.isWindow():
        parent = each.parentWidget()
        if isinstance(parent, QAbstractScrollArea) and parent.viewport() is each:
            bars = parent.verticalScrollBar(), parent.horizontalScrollBar()
            if any(bar.maximum() > bar.minimum() for bar in bars):
                return parent
        each = parent
    return None


def _scroller_of(viewport: QWidget) -> QScroller:
    from PySide6.QtWidgets import QScroller, QScrollerProperties

    is_new = not QScroller.hasScroller(viewport)
    scroller = QScroller.scroller(viewport)
    if is_new:
        properties = scroller.scrollerProperties()
        off = QScrollerProperties.OvershootPolicy.OvershootAlwaysOff
        metric = QScrollerProperties.ScrollMetric
        for each in (metric.VerticalOvershootPolicy, metric.HorizontalOvershootPolicy):
            properties.setScrollMetric(each, off)
        properties.setScrollMetric(metric.DragStartDistance, 0.0)  # the threshold was already passed
        scroller.setScrollerProperties(properties)
    return scroller


def _stop(area: QAbstractScrollArea) -> bool:
    """Stop the area that glides; return whether one did."""
    from PySide6.QtWidgets import QScroller

    viewport = area.viewport()
    if not QScroller.hasScroller(viewport):
        return False
    scroller = QScroller.scroller(viewport)
    was_gliding = scroller.state() is QScroller.State.Scrolling
    scroller.stop()
    return was_gliding
