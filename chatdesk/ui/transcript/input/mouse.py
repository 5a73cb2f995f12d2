"""Hands each press, movement and release of the mouse to the part of the transcript it belongs to."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from chatdesk.ui.transcript.drawing.item import Grip
from chatdesk.ui.transcript.input.actions import Actions
from chatdesk.ui.transcript.input.dragging import Dragging
from chatdesk.ui.transcript.input.link_status import LinkStatus
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.input.pointer import Hit, Pointer
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout


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
        if self._dragging.release():  # it stayed a click
            self._pointer.press(point, extends=False)
            self._viewport_layout.repaint()
        hit = self._pointer.release(point)
        if hit is not None:
            self._actions.press(hit)
        self._message_focus.hover(point)

    def leave(self) -> None:
        self._message_focus.end_hover()
        self._link_status.show_target(self._message_focus.target)
