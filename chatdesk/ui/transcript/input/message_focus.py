"""Tracks the item under the mouse, the current message of the keyboard, and the focused button in it."""

from __future__ import annotations

import html
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QAbstractScrollArea

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.input.keyboard import next_stop
from chatdesk.ui.transcript.input.pointer import Hit, Pointer
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.widgets.focus_ring import shows_ring


@dataclass(frozen=True, slots=True)
class Attention:
    """The hovered item, the current message and the focused button, as painting needs them."""

    hovered_entry: MessageEntry | None = None
    hovered_item: Item | None = None
    hovered_action: str | None = None
    current_entry: MessageEntry | None = None
    ringed_entry: MessageEntry | None = None
    focused_index: int | None = None
    focused_action: str | None = None


class MessageFocus:
    """The message and the button that mouse and keyboard are at.

    ``current_id`` is the message that was walked to, ``stop`` the button in it: (index of its item, action).
    """

    def __init__(
        self, area: QAbstractScrollArea, viewport_layout: ViewportLayout, *, scrolling: Scrolling, pointer: Pointer
    ) -> None:
        self.current_id: str | None = None
        self.stop: tuple[int, str] | None = None
        self._area = area
        self._viewport_layout = viewport_layout
        self._scrolling = scrolling
        self._pointer = pointer
        self._hit: Hit | None = None
        self._position: int | None = None
        self._is_ringed = False

    def forget(self, *, keeps_place: bool = False) -> None:
        """Forget the hovered and focused things, because nothing is loaded any more.

        ``keeps_place`` keeps the current message: the same thread is loaded again, and ``refocus`` finds the message.
        """
        self.stop = self._hit = None
        self._area.viewport().setToolTip("")
        self._area.viewport().unsetCursor()
        if not keeps_place:
            self.walk_to(None)

    def walk_to(self, message_id: str | None) -> None:
        self.current_id, self.stop = message_id, None
        self._position = self.current.message.position if self.current is not None else None

    @property
    def current(self) -> MessageEntry | None:
        return self._viewport_layout.layout.find(self.current_id)

    def refocus(self) -> bool:
        """Choose the nearest message if the current one is gone after a reload, and return whether it was gone."""
        layout, position = self._viewport_layout.layout, self._position
        if self.current is not None or self.current_id is None or position is None or not layout.entries:
            return False
        first, last = layout.entries[0].message.position, layout.entries[-1].message.position
        if position < first or (position > last and layout.has_newer):
            return False  # the message still exists, outside the loaded range
        nearest = min(layout.entries, key=lambda entry: abs(entry.message.position - position))
        self.walk_to(nearest.message.id)
        self._viewport_layout.repaint()
        return True

    @property
    def acting(self) -> MessageEntry | None:
        """The message that keys act on: the one walked to, else the one at the top of the view."""
        top = self._viewport_layout.layout.top_entry
        return self.current or (top[0] if top else None)

    @property
    def target(self) -> str:
        """The target of the link under the mouse, else of the focused link; empty when there is none."""
        if self._hit is not None and self._hit.link:
            return self._hit.link
        entry, stop = self.current, self.stop
        if entry is None or stop is None or stop[0] >= len(entry.items) or not self._area.hasFocus():
            return ""
        return next((link.label for link in entry.items[stop[0]].links() if link.action == stop[1]), "")

    @property
    def shown(self) -> Attention:
        hit = self._hit
        return Attention(
            hovered_entry=hit.entry if hit else None,
            hovered_item=hit.item if hit and hit.button else None,
            hovered_action=hit.button.action if hit and hit.button else None,
            current_entry=self.current if self._area.hasFocus() else None,
            ringed_entry=self.acting if self._is_ringed and self._area.hasFocus() else None,
            focused_index=self.stop[0] if self.stop else None,
            focused_action=self.stop[1] if self.stop else None,
        )

    # The mouse

    def hover(self, point: QPointF) -> None:
        hit = self._pointer.hit(point)
        old, self._hit = self._hit, hit
        viewport = self._area.viewport()
        grip = hit.item.grip_at(hit.inside) if hit is not None and hit.button is None else None
        if grip is not None:
            shape = grip.shape
        elif hit is not None and (hit.button or hit.link):
            shape = Qt.CursorShape.PointingHandCursor
        elif hit is not None and hit.item.is_selectable:
            shape = Qt.CursorShape.IBeamCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        viewport.setCursor(shape)
        text = "" if hit is None else (hit.button.label if hit.button else hit.link or hit.item.tip_at(hit.inside))
        # A tooltip that looks like HTML would be read as HTML.
        viewport.setToolTip(f"<qt>{html.escape(text)}</qt>" if text else "")
        if _target_of(old) != _target_of(hit):
            self._viewport_layout.repaint()

    def end_hover(self) -> None:
        self._hit = None
        self._viewport_layout.repaint()

    # The keyboard

    def arrive(self, reason: Qt.FocusReason) -> None:
        """Show the ring if the focus came by a key. A search hit and other places that the program shows have marks of
        their own."""
        is_by_program = reason is Qt.FocusReason.OtherFocusReason
        self._is_ringed = not is_by_program and shows_ring(reason, before=self._is_ringed)

    def show_ring(self) -> None:
        """Show where the keyboard is, because a key was pressed."""
        if not self._is_ringed:
            self._is_ringed = True
            self._viewport_layout.repaint()

    def step_stop(self, *, forward: bool) -> bool:
        """Move to the next button of the current message, and return whether the focus stays in the transcript."""
        entry = self.current if self._area.hasFocus() else None
        if entry is None:
            return False
        following = next_stop(entry, self.stop, forward=forward)
        had, self.stop = self.stop, following
        self._is_ringed = True
        self._viewport_layout.repaint()
        if following is not None:
            self._scrolling.reveal_item(entry, following[0])
            return True
        return had is not None and not forward

    def step_message(self, step: int) -> MessageEntry | None:
        """Move to the next message, or to the one at the top of the view when none is current."""
        layout = self._viewport_layout.layout
        if not layout.entries:
            return None
        if self.current is None:
            top = layout.top_entry
            place = layout.order_of(top[0]) if top else 0
        else:
            place = layout.order_of(self.current) + step
        if not 0 <= place < len(layout.entries):
            return None
        entry = layout.entries[place]
        self.walk_to(entry.message.id)
        self._scrolling.to_message(entry.message.id)
        return entry


def _target_of(hit: Hit | None) -> tuple[object, object]:
    if hit is None:
        return None, None
    return hit.entry, hit.button.action if hit.button else None
