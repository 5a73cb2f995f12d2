"""Keeps the line under the reader's eye in place while anything around it, or its own item, is laid out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.layout.scale import ScalePoint
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
class HeldPlace:
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


def scale_point_at(placed: Sequence[Placed], y: float) -> ScalePoint | None:
    """Return the point of the scroll scale ``y`` px below the top of the view; None if nothing is laid out."""
    found: Placed | None = None
    for each in placed:
        if found is not None and each.y > y:
            break
        found = each
    if found is None:
        return None
    entry = found.entry
    share = (y - found.y + entry.places.tops[found.index]) / max(1.0, entry.places.height)
    return ScalePoint(entry.message.position, max(0.0, min(1.0, share)))


def item_to_hold(placed: Sequence[Placed]) -> Placed | None:
    """Return the item to keep in place: the first in view, but not a picture whose upper part is out of view.

    Such a picture may still change its height above the eye.
    """
    shown = [each for each in placed if each.bottom > 0]
    whole = next((each for each in shown if each.y >= 0), None)
    if shown and shown[0].y < 0 and shown[0].item.kind in _PICTURES and whole is not None:
        return whole
    return shown[0] if shown else None


def line_at_top(held: HeldPlace) -> tuple[int, float]:
    """Return the offset of the line at the top of the view, or just above it, and the y of that line."""
    if held.y >= 0:
        return 0, held.y
    offset = held.item.offset_at(QPointF(0, 1 - held.y))
    return offset, held.y + line_top(held.item, offset)


def line_top(item: Item, offset: int) -> float:
    """Return the top of the line with the letter at ``offset``, in px from the item's top; 0 for the first line."""
    areas = item.areas_of(offset, offset + 1) or item.areas_of(offset - 1, offset)
    return areas[0].top() if areas and offset > 0 else 0.0


def y_after_change(held: HeldPlace, measure: Callable[[MessageEntry, int], None]) -> tuple[int, float]:
    """Return the index and the y of the held item after its layout or the items of its message changed."""
    entry = held.entry
    index = entry.places.index_of(held.item)
    if index is not None and held.line is None:
        measure(entry, index)
        return index, held.y
    offset, line_y = held.line or line_at_top(held)
    if index is None:
        index, offset = _find_again(held, offset)
    measure(entry, index)
    return index, line_y - line_top(entry.items[index], offset)


def _find_again(held: HeldPlace, offset: int) -> tuple[int, int]:
    """Return the item, and the offset in it, that now has the words that was at ``offset`` of the held item."""
    items = held.entry.items
    if not held.item.is_selectable:
        same = next((place for place, item in enumerate(items) if item.kind == held.item.kind), None)
        return (min(held.index, len(items) - 1) if same is None else same), 0
    text = held.item.text
    for length in _SNIPPETS:
        words = text[offset : offset + length].strip()
        if len(words) < min(length, 8) // 2:
            break
        for place, item in enumerate(items):
            found = item.text.find(words)
            if found >= 0:
                return place, found
    return min(held.index, len(items) - 1), 0
