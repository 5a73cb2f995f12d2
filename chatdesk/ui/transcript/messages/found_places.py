"""Finds the places of a search text in loaded messages; the places of each item are found once and kept."""

from __future__ import annotations

from dataclasses import dataclass
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
        self._known: WeakKeyDictionary[Item, tuple[int, list[tuple[int, int]]]] = WeakKeyDictionary()

    def set_needle(self, needle: str) -> None:
        if needle != self.needle:
            self.needle = needle
            self._known.clear()

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

    def in_entry(self, entry: MessageEntry) -> list[FoundPlace]:
        first, last = entry.body
        return [
            FoundPlace(index, start, end)
            for index in range(first, last)
            for start, end in self.in_item(entry.items[index])
        ]
