"""Selects the parts of messages that are to be copied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chatdesk.ui.transcript.copying.selection import SelectedRange
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.messages.entry import MessageEntry


@dataclass(frozen=True, slots=True)
class Piece:
    """The characters from ``start`` to ``end`` of an item."""

    item: Item
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        return self.start == 0 and self.end >= len(self.item.text)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a message, whose source is ``text``; it may be read on any thread.

    The part is made of ``items``, from the character ``start`` of the first to ``end`` of the last (None: to its end).
    ``is_whole`` says that nothing of the message's content is left out.
    """

    text: str
    items: tuple[Item, ...]
    start: int = 0
    end: int | None = None
    is_whole: bool = False

    @property
    def pieces(self) -> Iterator[Piece]:
        last = len(self.items) - 1
        for place, item in enumerate(self.items):
            if not (item.is_selectable or item.is_structure):
                continue
            length = len(item.text)
            start = min(self.start, length) if place == 0 else 0
            end = length if place < last or self.end is None else min(self.end, length)
            # A block without text, such as a rule, is copied when its neighbours are.
            if end > start or length == 0:
                yield Piece(item, start, end)


def excerpts(entries: Iterable[MessageEntry], selected: SelectedRange | None) -> list[Excerpt]:
    """Return the selected part of each of these messages, or all of them when nothing is selected.

    Notices, tools and folded text are left out.
    """
    made = []
    for entry in entries:
        items, position = entry.items, entry.message.position
        first, end = entry.body
        low, high, start, stop = first, end - 1, 0, None
        if selected is not None:
            if not selected.touches(position):
                continue
            if position == selected.low[0]:
                low, start = max(first, selected.low[1]), selected.low[2] if selected.low[1] >= first else 0
            if position == selected.high[0] and selected.high[1] < end:
                high, stop = selected.high[1], selected.high[2]
        if low > high:
            continue
        begins = not any(map(_has_words, items[first:low])) and (start == 0 or not _has_words(items[low]))
        ends = not any(map(_has_words, items[high + 1 : end])) and (stop is None or stop >= len(items[high].text))
        # Items without text at the beginning or end are copied with the text beside them.
        inside = tuple(items[first if begins else low : end if ends else high + 1])
        excerpt = Excerpt(entry.text, inside, 0 if begins else start, None if ends else stop, begins and ends)
        if next(excerpt.pieces, None) is not None:
            made.append(excerpt)
    return made


def is_closed(item: Item) -> bool:
    """Return whether an item is the line of a closed fold."""
    return isinstance(item, FoldItem) and not item.is_open


def _has_words(item: Item) -> bool:
    return item.is_selectable and bool(item.text)
