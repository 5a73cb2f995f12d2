"""Hands each press, movement and release of the mouse to the part of the transcript it belongs to, and turns its wheel
and the touchpad into scrolling."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication

from chatdesk.ui.transcript.drawing.item import Grip
from chatdesk.ui.transcript.input.actions import Actions
from chatdesk.ui.transcript.input.dragging import Dragging
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.input.pointer import Hit, LinkStatus, Pointer
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout

_LINE_PX = 33.0
_NOTCH = 120


class Mouse:
    """The dispatcher of mouse events.

    A press on something that can be dragged may become a drag; every other one selects or clicks.
    """

    def __init__(
        self,
        viewport_layout: ViewportLayout,
        *,
        pointer: Pointer,
        dragging: Dragging,
        message_focus: MessageFocus,
        actions: Actions,
        link_status: LinkStatus,
    ) -> None:
        self._viewport_layout = viewport_layout
        self._pointer = pointer
        self._dragging = dragging
        self._message_focus = message_focus
        self._actions = actions
        self._link_status = link_status
        self._held: tuple[Hit, Grip] | None = None

    def press(self, point: QPointF, *, extends: bool) -> None:
        self._message_focus.walk_to(None)
        self._held = self._hold(point)
        if self._held is not None:
            return
        can_drag = not extends and not self._pointer.goes_on(point)
        if not (can_drag and self._dragging.press(point)):
            self._pointer.press(point, extends=extends)
            self._viewport_layout.repaint()

    def _hold(self, point: QPointF) -> tuple[Hit, Grip] | None:
        hit = self._pointer.hit(point)
        grip = hit.item.grip_at(hit.inside) if hit is not None and hit.button is None else None
        return (hit, grip) if hit is not None and grip is not None else None

    def _move_held(self, hit: Hit, grip: Grip, point: QPointF) -> None:
        origin = self._viewport_layout.origin_of(hit.item)
        if origin is None:  # the item is gone
            self._held = None
        elif grip.move(point - origin):
            self._viewport_layout.layout.sticks_to_end = False
            hit.entry.places.forget()
            self._viewport_layout.relayout()
        else:
            self._viewport_layout.repaint()

    def move(self, point: QPointF) -> None:
        if self._held is not None:
            self._move_held(*self._held, point)
            return
        if self._dragging.move(point):
            return
        self._pointer.move(point)
        if not self._pointer.is_dragging:
            self._message_focus.hover(point)
            self._link_status.show_target(self._message_focus.target)

    def release(self, point: QPointF) -> None:
        if self._held is not None:
            self._held = None
            self._message_focus.hover(point)
            return
        if self._dragging.release():  # it was only a click
            self._pointer.press(point, extends=False)
            self._viewport_layout.repaint()
        hit = self._pointer.release(point)
        if hit is not None:
            self._actions.press(hit)
        self._message_focus.hover(point)

    def leave(self) -> None:
        self._message_focus.end_hover()
        self._link_status.show_target(self._message_focus.target)


class Wheel:
    """Wheel events turned into scrolling, or into sideways movement of the item under the mouse."""

    def __init__(self, viewport_layout: ViewportLayout, scrolling: Scrolling, pointer: Pointer) -> None:
        self._viewport_layout = viewport_layout
        self._scrolling = scrolling
        self._pointer = pointer
        self._rest = 0.0

    def turn(self, event: QWheelEvent) -> None:
        angle, pixels = event.angleDelta(), event.pixelDelta()
        # Under X11 the driver defines the pixels; angles are right everywhere.
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
