"""Finds the places of a search text in loaded messages; the places of each item are found once and kept."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from weakref import WeakKeyDictionary

from chatdesk.core.domain.text_match import find_in_shown
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.messages.entry import MessageEntry


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place of the search text: the characters from ``start`` to ``end`` of item ``index`` of a message."""

    index: int
    start: int
    end: int


class FoundPlaces:
    """The places of one search text, kept for each item while its text is the same."""

    def __init__(self) -> None:
        self.needle = ""
        self._counted: tuple[list[Item], list[int]] | None = None  # the items and counts of the last queried message
        self._known: WeakKeyDictionary[Item, tuple[int, list[tuple[int, int]]]] = WeakKeyDictionary()

    def set_needle(self, needle: str) -> None:
        if needle != self.needle:
            self.needle = needle
            self._known.clear()
            self._counted = None

    def in_item(self, item: Item) -> list[tuple[int, int]]:
        if not self.needle or not item.is_selectable:
            return []
        text = item.text
        known = self._known.get(item)
        if known is not None and known[0] == len(text):  # text is only ever appended to, or the item replaced
            return known[1]
        found = find_in_shown(text, self.needle)
        self._known[item] = len(text), found
        return found

    def count_in(self, entry: MessageEntry) -> int:
        return next(reversed(self._ends_in(entry)), 0)

    def place_in(self, entry: MessageEntry, number: int) -> FoundPlace | None:
        """Return the place of that number in ``entry``, counted from 0, or the last one; None without places."""
        ends = self._ends_in(entry)
        if not ends or not ends[-1]:
            return None
        at = bisect_right(ends, min(number, ends[-1] - 1))
        index = entry.body[0] + at
        found = self.in_item(entry.items[index])
        start, end = found[min(number, ends[-1] - 1) - ends[at] + len(found)]
        return FoundPlace(index, start, end)

    def _ends_in(self, entry: MessageEntry) -> list[int]:
        """Return how many places there are up to the end of each item; they are counted once while nothing changes."""
        items = entry.items
        known = self._counted
        if known is not None and known[0] is items and not entry.facts.is_live:
            return known[1]
        first, last = entry.body
        ends = list(accumulate(len(self.in_item(items[index])) for index in range(first, last)))
        self._counted = items, ends
        return ends
