"""The mouse's buttons: whom a press, a movement and a release belong to."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from chatdesk.ui.transcript.actions import Actions
from chatdesk.ui.transcript.attention import Attending
from chatdesk.ui.transcript.dragging import Dragging
from chatdesk.ui.transcript.link_status import LinkStatus
from chatdesk.ui.transcript.pointer import Pointer
from chatdesk.ui.transcript.stage import Stage


class Mouse:
    """A press on something that can be carried away may become a drag; every other one selects or clicks."""

    def __init__(
        self,
        stage: Stage,
        *,
        pointer: Pointer,
        dragging: Dragging,
        attending: Attending,
        actions: Actions,
        link_status: LinkStatus,
    ) -> None:
        self._stage = stage
        self._pointer = pointer
        self._dragging = dragging
        self._attending = attending
        self._actions = actions
        self._link_status = link_status

    def press(self, point: QPointF, *, extends: bool) -> None:
        self._attending.walk_to(None)
        can_drag = not extends and not self._pointer.goes_on(point)
        if not (can_drag and self._dragging.press(point)):
            self._pointer.press(point, extends=extends)
            self._stage.repaint()

    def move(self, point: QPointF) -> None:
        if self._dragging.move(point):
            return
        self._pointer.move(point)
        if not self._pointer.is_dragging:
            self._attending.hover(point)
            self._link_status.show_target(self._attending.target)

    def release(self, point: QPointF) -> None:
        if self._dragging.release():  # it stayed a click
            self._pointer.press(point, extends=False)
            self._stage.repaint()
        hit = self._pointer.release(point)
        if hit is not None:
            self._actions.press(hit)
        self._attending.hover(point)

    def leave(self) -> None:
        self._attending.leave()
        self._link_status.show_target(self._attending.target)
