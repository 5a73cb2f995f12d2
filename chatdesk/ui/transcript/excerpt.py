"""Parts of messages that are to be copied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatdesk.ui.transcript.entry import MessageEntry
from chatdesk.ui.transcript.item import Item
from chatdesk.ui.transcript.selection import SelectedRange


@dataclass(frozen=True, slots=True)
class Piece:
    """The characters from ``start`` to ``end`` of an item."""

    item: Item
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Of one message. ``is_whole``: nothing of its content is left out."""

    entry: MessageEntry
    pieces: tuple[Piece, ...]
    is_whole: bool


def excerpts(entries: Iterable[MessageEntry], selected: SelectedRange | None) -> list[Excerpt]:
    """What of these messages is selected, all of it when there is no selection. Notices and tools are no content."""
    made = []
    for entry in entries:
        pieces = []
        is_whole = True
        first, last = entry.body
        for index in range(first, last):
            item = entry.items[index]
            if not item.is_selectable:
                continue
            found = (0, len(item.text)) if selected is None else selected.of(entry, index)
            if found is not None:
                pieces.append(Piece(item, *found))
            if item.text and found != (0, len(item.text)):
                is_whole = False
        if pieces:
            made.append(Excerpt(entry, tuple(pieces), is_whole))
    return made
