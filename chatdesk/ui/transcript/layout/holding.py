"""Keeps the line under the reader's eye in place while anything around it, or its own item, is laid out anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.messages.entry import MessageEntry

# Long enough to be found once in a paragraph, shorter where marks of Markdown cut the words.
_SNIPPETS = (32, 16, 8)
_PICTURES = ("image", "math", "diagram")


@dataclass(frozen=True, slots=True)
class Placed:
    """An item in the view; ``y`` is its top."""

    entry: MessageEntry
    index: int
    y: float

    @property
    def item(self) -> Item:
        return self.entry.items[self.index]

    @property
    def bottom(self) -> float:
        return self.y + self.item.height


@dataclass(slots=True)
class Hold:
    """The reader's place: ``y`` is the top of ``item`` in the view.

    ``line`` is set when the item will change its height: the offset of the first letter in view, and the y of its line.
    """

    entry: MessageEntry
    item: Item
    index: int
    y: float
    line: tuple[int, float] | None = None

    def mark(self) -> None:
        """Hold the line at the top of the view instead of the item's top, because the item will change its height."""
        if self.line is None and self.y < 0:
            self.line = line_at_top(self)


def hold_of(placed: Sequence[Placed]) -> Placed | None:
    """Return the item to keep in place: the first in view, but not a picture whose upper part is out of view.

    Such a picture may still change its height above the eye.
    """
    shown = [each for each in placed if each.bottom > 0]
    whole = next((each for each in shown if each.y >= 0), None)
    if shown and shown[0].y < 0 and shown[0].item.kind in _PICTURES and whole is not None:
        return whole
    return shown[0] if shown else None


def line_at_top(hold: Hold) -> tuple[int, float]:
    """Return the first letter whose line begins at the top of the view or just above it, and the y of that line."""
    if hold.y >= 0:
        return 0, hold.y
    offset = hold.item.offset_at(QPointF(0, 1 - hold.y))
    return offset, hold.y + line_top(hold.item, offset)


def line_top(item: Item, offset: int) -> float:
    """Return the top of the line with the letter at ``offset``, in px from the item's top; 0 for the first line."""
    areas = item.areas_of(offset, offset + 1) or item.areas_of(offset - 1, offset)
    return areas[0].top() if areas and offset > 0 else 0.0


def y_after_change(hold: Hold, measure: Callable[[MessageEntry, int], None]) -> tuple[int, float]:
    """Return the index and the y of the held item after its layout or the items of its message changed."""
    entry = hold.entry
    index = entry.index_of(hold.item)
    if index is not None and hold.line is None:
        measure(entry, index)
        return index, hold.y
    offset, line_y = hold.line or line_at_top(hold)
    if index is None:
        index, offset = _find_again(hold, offset)
    measure(entry, index)
    return index, line_y - line_top(entry.items[index], offset)


def _find_again(hold: Hold, offset: int) -> tuple[int, int]:
    """Return the item, and the offset in it, that now has the words that stood at ``offset`` of the held item."""
    items = hold.entry.items
    if not hold.item.is_selectable:
        same = next((place for place, item in enumerate(items) if item.kind == hold.item.kind), None)
        return (min(hold.index, len(items) - 1) if same is None else same), 0
    text = hold.item.text
    for length in _SNIPPETS:
        words = text[offset : offset + length].strip()
        if len(words) < min(length, 8) // 2:
            break
        for place, item in enumerate(items):
            found = item.text.find(words)
            if found >= 0:
                return place, found
    return min(hold.index, len(items) - 1), 0
