"""Moves the text caret by keys: alone in caret browsing, or at the moving end of a selection."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from chatdesk.ui.transcript.copying.selection import Selection, TextPlace
from chatdesk.ui.transcript.drawing.item import Item, word_bounds
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

# The caret's movement for each scrolling key in caret browsing.
_BROWSED = {
    "left": "left",
    "right": "right",
    "line-up": "up",
    "line-down": "down",
    "start": "line-start",
    "end": "line-end",
    "word-left": "word-left",
    "word-right": "word-right",
}
_SELECT = "select-"
_PROBE_PX = 6.0
_WIDE_PX = 1e5


class Caret:
    """The text caret; ``toggle`` switches browsing on and off.

    Selecting works without browsing, from the message that keys act on.
    """

    def __init__(
        self,
        viewport_layout: ViewportLayout,
        selection: Selection,
        *,
        scrolling: Scrolling,
        message_focus: MessageFocus,
    ) -> None:
        self.is_browsing = False
        self._viewport_layout = viewport_layout
        self._layout = viewport_layout.layout
        self._selection = selection
        self._scrolling = scrolling
        self._message_focus = message_focus
        self._goal_x: float | None = None

    @property
    def place(self) -> TextPlace | None:
        """The place where the caret is drawn; None while the text is not browsed."""
        return self._selection.moving_end if self.is_browsing else None

    def toggle(self) -> None:
        self.is_browsing = not self.is_browsing
        if self.is_browsing and self._selection.moving_end is None:
            start = self._first_place()
            if start is not None:
                self._selection.start(start)
        self._viewport_layout.repaint()

    def run_command(self, command: str) -> bool:
        """Carry out ``command`` if it moves the caret, and return whether it does."""
        if command.startswith(_SELECT) and command != "select-all":
            self._move(command.removeprefix(_SELECT), extends=True)
            return True
        if self.is_browsing and command in _BROWSED:
            self._move(_BROWSED[command], extends=False)
            return True
        return False

    def _move(self, way: str, *, extends: bool) -> None:
        place = self._selection.moving_end
        if place is None or self._layout.find(place.entry.message.id) is not place.entry:
            place = self._first_place()
            if place is None:
                return
            self._selection.start(place)
        if way not in ("up", "down"):
            self._goal_x = None
        moved = self._moved(self._current(place), way)
        if extends:
            self._selection.extend(moved)
        else:
            self._selection.start(moved)
        self._scrolling.reveal_area(moved.entry, self._index(moved), self.area_of(moved))
        self._viewport_layout.repaint()

    def area_of(self, place: TextPlace) -> QRectF:
        """Return the rectangle beside the letter at a place, 1 px wide, in its item."""
        item, offset = place.item, place.offset
        after = item.areas_of(offset, offset + 1)
        if after and offset < len(item.text):
            return QRectF(after[0].left(), after[0].top(), 1, after[0].height())
        before = item.areas_of(offset - 1, offset) if offset else []
        if before:
            return QRectF(before[-1].right(), before[-1].top(), 1, before[-1].height())
        return QRectF(0, 0, 1, item.height)

    def _moved(self, place: TextPlace, way: str) -> TextPlace:
        if way in ("left", "right"):
            return self._by_letters(place, -1 if way == "left" else 1)
        if way in ("word-left", "word-right"):
            return self._by_word(place, -1 if way == "word-left" else 1)
        if way in ("up", "down"):
            return self._by_line(place, -1 if way == "up" else 1)
        if way in ("line-start", "line-end"):
            y = self.area_of(place).center().y()
            x = -_WIDE_PX if way == "line-start" else _WIDE_PX
            return TextPlace(place.entry, place.item, place.item.offset_at(QPointF(x, y)))
        return self._edge(to_end=way == "end") or place

    def _by_letters(self, place: TextPlace, step: int) -> TextPlace:
        offset = place.offset + step
        if 0 <= offset <= len(place.item.text):
            return TextPlace(place.entry, place.item, offset)
        return self._neighbour(place, step, at_end=step < 0) or place

    def _by_word(self, place: TextPlace, step: int) -> TextPlace:
        text, offset = place.item.text, place.offset
        if (step < 0 and offset == 0) or (step > 0 and offset >= len(text)):
            return self._neighbour(place, step, at_end=step < 0) or place
        if step > 0:
            offset = word_bounds(text, offset)[1]
            while offset < len(text) and text[offset].isspace():
                offset += 1
        else:
            while offset > 0 and text[offset - 1].isspace():
                offset -= 1
            offset = word_bounds(text, max(0, offset - 1))[0]
        return TextPlace(place.entry, place.item, offset)

    def _by_line(self, place: TextPlace, step: int) -> TextPlace:
        item, area = place.item, self.area_of(place)
        if self._goal_x is None:
            self._goal_x = area.left()
        y = area.top() - _PROBE_PX if step < 0 else area.bottom() + _PROBE_PX
        while 0 < y < item.height:
            found = TextPlace(place.entry, item, item.offset_at(QPointF(self._goal_x, y)))
            if (self.area_of(found).top() - area.top()) * step > 1:
                return found
            y += step * _PROBE_PX
        other = self._neighbour(place, step, at_end=step < 0)
        if other is None:
            return place
        y = self.area_of(other).center().y()
        return TextPlace(other.entry, other.item, other.item.offset_at(QPointF(self._goal_x, y)))

    def _neighbour(self, place: TextPlace, step: int, *, at_end: bool) -> TextPlace | None:
        """Return the start, or the end, of the next text in a direction."""
        entry, index = place.entry, self._index(place) + step
        while True:
            while 0 <= index < len(entry.items):
                if _is_text(entry.items[index]):
                    return self._place_in(entry, index, at_end=at_end)
                index += step
            order = self._layout.order_of(entry) + step
            if not 0 <= order < len(self._layout.entries):
                return None
            entry = self._layout.entries[order]
            index = 0 if step > 0 else len(entry.items) - 1

    def _edge(self, *, to_end: bool) -> TextPlace | None:
        """Return the place where the loaded part of the thread begins or ends."""
        entries = self._layout.entries
        for entry in reversed(entries) if to_end else entries:
            for index in reversed(range(len(entry.items))) if to_end else range(len(entry.items)):
                if _is_text(entry.items[index]):
                    return self._place_in(entry, index, at_end=to_end)
        return None

    def _first_place(self) -> TextPlace | None:
        """Return the place where the caret begins: the first text of the message that keys act on."""
        entry = self._message_focus.acting
        if entry is None:
            return None
        index = next((index for index, item in enumerate(entry.items) if _is_text(item)), None)
        return None if index is None else self._place_in(entry, index, at_end=False)

    def _place_in(self, entry: MessageEntry, index: int, *, at_end: bool) -> TextPlace:
        self._layout.measure(entry, index)
        item = entry.items[index]
        return TextPlace(entry, item, len(item.text) if at_end else 0)

    def _current(self, place: TextPlace) -> TextPlace:
        """Return the place with its item laid out, or its successor when the item was replaced."""
        index = self._index(place)
        self._layout.measure(place.entry, index)
        item = place.entry.items[index]
        return place if item is place.item else TextPlace(place.entry, item, min(place.offset, len(item.text)))

    def _index(self, place: TextPlace) -> int:
        index = place.entry.places.index_of(place.item)
        return index if index is not None else place.entry.body[0]


def _is_text(item: Item) -> bool:
    return item.is_selectable and bool(item.text)
