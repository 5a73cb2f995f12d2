"""Answers assistive programs' requests beyond reading: find places, press, follow, select."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from chatdesk.ui.transcript.copying.selection import Selection, TextPlace
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.input.actions import Actions
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry


class AccessibleActions:
    """The access of assistive programs to the transcript."""

    def __init__(
        self,
        viewport_layout: ViewportLayout,
        *,
        message_focus: MessageFocus,
        actions: Actions,
        scrolling: Scrolling,
        selection: Selection,
        caret: Caret,
    ) -> None:
        self._viewport_layout = viewport_layout
        self._message_focus = message_focus
        self._actions = actions
        self._scrolling = scrolling
        self._selection = selection
        self._caret = caret

    @property
    def stop(self) -> tuple[MessageEntry, int, str] | None:
        """The button that Tab has reached: its message, the index of its item, its action."""
        entry, stop = self._message_focus.shown.current_entry, self._message_focus.stop
        return (entry, *stop) if entry is not None and stop is not None else None

    @property
    def caret(self) -> TextPlace | None:
        """The place of the text caret while the text is browsed; None otherwise."""
        return self._caret.place

    def seen_of(self, entry: MessageEntry) -> list[Item]:
        """Return the items of a message that are in view."""
        return [placed.item for placed in self._viewport_layout.placed_of(entry)]

    def origin_of(self, item: Item) -> QPointF | None:
        """Return the top left corner of an item in the viewport, or None when it is not in view."""
        return self._viewport_layout.origin_of(item)

    def press(self, entry: MessageEntry, item: Item, action: str) -> None:
        self._actions.press_button(entry, item, action)

    def show(self, entry: MessageEntry, item: Item, offset: int) -> None:
        """Bring a character into view."""
        index = entry.places.index_of(item)
        if index is None:
            return
        if item.reveal(offset):
            entry.places.forget()
            self._viewport_layout.relayout()
        self._scrolling.reveal_item(entry, index)

    def select(self, start: TextPlace, end: TextPlace) -> None:
        self._selection.start(start)
        self._selection.extend(end)
        self._viewport_layout.repaint()
