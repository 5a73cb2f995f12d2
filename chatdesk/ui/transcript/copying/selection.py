"""Holds the selection: from a place in one item to a place in another, across messages.

Places are compared by the message's position, so a selection stays the same while messages are unloaded and loaded
again.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.layout.layout import ThreadLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

Key = tuple[float, int, int]  # position of the message, index of the item, offset in it
_START: Key = (-1.0, 0, 0)
_END: Key = (float("inf"), 0, 0)


@dataclass(frozen=True, slots=True)
class TextPlace:
    """A place in a text: ``offset`` in the text of ``item`` of ``entry``."""

    entry: MessageEntry
    item: Item
    offset: int


@dataclass(frozen=True, slots=True)
class SelectedRange:
    """The selected range of the thread, from ``low`` to ``high``."""

    low: Key
    high: Key

    def of(self, entry: MessageEntry, index: int) -> tuple[int, int] | None:
        """Return the start and end offsets that are selected in an item, or None."""
        place = (entry.message.position, index)
        if place < self.low[:2] or place > self.high[:2]:
            return None
        start = self.low[2] if place == self.low[:2] else 0
        end = self.high[2] if place == self.high[:2] else len(entry.items[index].text)
        return (start, end) if end > start else None

    def touches(self, position: int) -> bool:
        return self.low[0] <= position <= self.high[0]


class Selection:
    """The reader's selection, with an anchor where it began and a moving end."""

    def __init__(self, layout: ThreadLayout) -> None:
        self._layout = layout
        self._fixed: tuple[TextPlace, TextPlace] | None = None
        self._moving: tuple[TextPlace, TextPlace] | None = None
        self._is_all = False

    def clear(self) -> bool:
        """Select nothing, and return whether anything was selected."""
        had = self.is_some
        self._fixed = self._moving = None
        self._is_all = False
        return had

    def start(self, start: TextPlace, end: TextPlace | None = None) -> None:
        """Begin a selection at ``start``; ``start`` to ``end`` stays selected while the drag goes on."""
        self._fixed = self._moving = (start, end or start)
        self._is_all = False

    def extend(self, start: TextPlace, end: TextPlace | None = None) -> None:
        if self._fixed is not None:
            self._moving = (start, end or start)
            self._is_all = False

    def select_all(self) -> None:
        """Select the whole thread, also the messages that are not loaded."""
        self._is_all = bool(self._layout.entries)

    @property
    def has_begun(self) -> bool:
        return self._fixed is not None

    @property
    def is_some(self) -> bool:
        return self.range() is not None

    @property
    def moving_end(self) -> TextPlace | None:
        """The end that keys move, away from where the selection began; None when nothing has begun."""
        if self._fixed is None or self._moving is None:
            return None
        start, end = self._moving
        return start if _key(start) < _key(self._fixed[0]) else end

    def ends(self) -> tuple[TextPlace, ...]:
        """Return the two ends of the selection, in no order; none when all is selected."""
        if self._is_all or self._fixed is None or self._moving is None:
            return ()
        return (*self._fixed, *self._moving)

    @property
    def first(self) -> TextPlace | None:
        """The place where the selection begins in the thread; None when that is the start of the thread."""
        return min(self.ends(), key=_key, default=None)

    def range(self) -> SelectedRange | None:
        """Return the selected range, or None when nothing is selected."""
        if self._is_all:
            return SelectedRange(_START, _END)
        keys = [_key(place) for place in self.ends()]
        return SelectedRange(min(keys), max(keys)) if keys and min(keys) < max(keys) else None


def _key(place: TextPlace) -> Key:
    index = place.entry.places.index_of(place.item)
    # An item that was replaced since was at the start of what took its place.
    return place.entry.message.position, 0 if index is None else index, place.offset
