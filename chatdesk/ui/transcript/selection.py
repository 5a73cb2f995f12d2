"""What the reader has selected: from a place in one item to a place in another, across messages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from chatdesk.ui.transcript.entry import MessageEntry
from chatdesk.ui.transcript.item import Item
from chatdesk.ui.transcript.layout import ThreadLayout


@dataclass(frozen=True, slots=True)
class TextPlace:
    """``offset`` in the text of ``item`` of ``entry``."""

    entry: MessageEntry
    item: Item
    offset: int


class Selection:
    """``fixed`` is where it began, ``moving`` where it is being dragged to."""

    def __init__(self, layout: ThreadLayout) -> None:
        self._layout = layout
        self._fixed: tuple[TextPlace, TextPlace] | None = None
        self._moving: tuple[TextPlace, TextPlace] | None = None

    def clear(self) -> bool:
        """Whether there was something."""
        had = self.is_some
        self._fixed = self._moving = None
        return had

    def begin(self, start: TextPlace, end: TextPlace | None = None) -> None:
        """``start`` to ``end`` is what stays selected while the drag goes on: a word, or nothing."""
        self._fixed = self._moving = (start, end or start)

    def extend(self, start: TextPlace, end: TextPlace | None = None) -> None:
        if self._fixed is not None:
            self._moving = (start, end or start)

    @property
    def has_begun(self) -> bool:
        return self._fixed is not None

    @property
    def is_some(self) -> bool:
        ends = self.ends()
        return ends is not None and self._key(ends[0]) < self._key(ends[1])

    def ends(self) -> tuple[TextPlace, TextPlace] | None:
        """First and last place, in reading order. None when nothing is selected or its message is gone."""
        if self._fixed is None or self._moving is None:
            return None
        places = (*self._fixed, *self._moving)
        if any(self._key(place)[1] < 0 or self._key(place)[0] < 0 for place in places):
            return None
        return min(places, key=self._key), max(places, key=self._key)

    def select_all(self) -> None:
        """Everything that is loaded."""
        entries = self._layout.entries
        if not entries:
            return
        first, last = entries[0], entries[-1]
        end = last.items[-1]
        self.begin(TextPlace(first, first.items[0], 0))
        self.extend(TextPlace(last, end, len(end.text)))

    def text(self) -> str:
        """The selected text as it is copied."""
        ends = self.ends()
        if ends is None:
            return ""
        start, end = ends
        first, last = self._layout.order_of(start.entry), self._layout.order_of(end.entry)
        messages = []
        for entry in self._layout.entries[first : last + 1]:
            pieces = []
            for item in entry.items:
                found = _within(self._key(start), self._key(end), self._key(TextPlace(entry, item, 0)), len(item.text))
                if item.is_selectable and item.kind != "notice" and found is not None:
                    piece = item.copied(*found)
                    if piece:
                        pieces.append((item, piece))
            if pieces:
                messages.append(_join(pieces))
        return "\n\n".join(messages)

    def ranger(self) -> _Ranger | None:
        """Answers, for each item of one paint, what of it is selected."""
        ends = self.ends()
        if ends is None:
            return None
        low, high = self._key(ends[0]), self._key(ends[1])
        return _Ranger(self._layout, low, high) if low < high else None

    def _key(self, place: TextPlace) -> tuple[int, int, int]:
        index = place.entry.index_of(place.item)
        return self._layout.order_of(place.entry), -1 if index is None else index, place.offset


class _Ranger:
    def __init__(self, layout: ThreadLayout, low: tuple[int, int, int], high: tuple[int, int, int]) -> None:
        self._layout = layout
        self._low = low
        self._high = high

    def of(self, entry: MessageEntry, index: int) -> tuple[int, int] | None:
        key = (self._layout.order_of(entry), index, 0)
        return _within(self._low, self._high, key, len(entry.items[index].text))


def _within(
    low: tuple[int, int, int], high: tuple[int, int, int], key: tuple[int, int, int], length: int
) -> tuple[int, int] | None:
    place = key[:2]
    if place < low[:2] or place > high[:2]:
        return None
    start = low[2] if place == low[:2] else 0
    end = high[2] if place == high[:2] else length
    return (start, end) if end > start else None


def _join(pieces: list[tuple[Item, str]]) -> str:
    parts = [pieces[0][1]]
    for (before, _), (item, text) in pairwise(pieces):
        is_close = item.gap == 0.0 or (_is_list(before) and _is_list(item)) or before.kind == item.kind == "table"
        parts.append(("\n" if is_close else "\n\n") + text)
    return "".join(parts)


def _is_list(item: Item) -> bool:
    at = getattr(item, "at", None)
    return at is not None and at.list_depth > 0
