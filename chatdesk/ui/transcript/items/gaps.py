"""Computes the space above each item of a message: small inside a list, larger between two lists."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, count
from operator import is_not

from chatdesk.core.rendering.blocks import DEFINITION, Placement
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.transcript_style import BUBBLE_PAD_Y
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.header_item import AuthorItem, HeaderItem
from chatdesk.ui.transcript.items.mark_item import MarkItem
from chatdesk.ui.transcript.items.text_item import TextItem

_HEADER_GAP = 5.0
_FOLD_BODY_GAP = 6.0
_PARAGRAPH_IN_ITEM_GAP = 6.0


def grown_gaps(old_gaps: Sequence[float], items: Sequence[Item], *, is_question: bool) -> list[float]:
    """Return the space above each of ``items`` in px, where only the end is new and ``old_gaps`` belong to the first.

    So the beginning of an answer of hundreds of blocks is not processed in each frame.
    """
    known = len(old_gaps)
    while known and (known == len(items) or items[known].at.list_depth):
        known -= 1  # the open lists are only known at an item outside of lists
    lists = _Lists()
    gaps = list(old_gaps[:known])
    before: Item | None = items[known - 1] if known else None
    for item in items[known:]:
        is_new_list = lists.advance(item.at)
        gaps.append(gap_between(before, item, is_question=is_question, is_new_list=is_new_list))
        before = item
    return gaps


def alike(old: Sequence[Item], new: Sequence[Item]) -> int:
    """Return how many items at the beginning are the same objects."""
    return next(compress(count(), map(is_not, old, new)), min(len(old), len(new)))


class _Lists:
    """The lists that are open at a block.

    Two lists may follow each other: their marks are of another kind, or count again.
    """

    def __init__(self) -> None:
        self._markers: list[str] = []  # the last one of each open list, from the outermost
        self._quotes: tuple[int, ...] = ()

    def advance(self, at: Placement) -> bool:
        """Go on to the block at ``at``; return whether it begins a list right where another of its depth ends."""
        if at.quotes != self._quotes:
            self._markers, self._quotes = [], at.quotes
        if not at.list_depth:
            self._markers = []
            return False
        before = self._markers[at.list_depth - 1] if at.list_depth <= len(self._markers) else ""
        marker = at.marker or before
        self._markers[at.list_depth - 1 :] = [marker]
        return bool(at.marker and before) and not _goes_on(before, marker)


def _goes_on(before: str, marker: str) -> bool:
    if before == marker == "•":
        return True
    number, following = before.rstrip("."), marker.rstrip(".")
    if not number.isdecimal() or not following.isdecimal():
        return number.isdecimal() == following.isdecimal()
    return int(following) == int(number) + 1


def gap_between(before: Item | None, item: Item, *, is_question: bool, is_new_list: bool) -> float:
    """Return the space above an item that follows another; ``before`` is None above the first one."""
    if before is None:
        return BUBBLE_PAD_Y if is_question else 0.0
    if type(before) is TextItem and type(item) is TextItem:  # nearly all are
        return _gap_of_text(before, item, is_new_list=is_new_list)
    if isinstance(before, HeaderItem) or (isinstance(before, MarkItem) and not is_question):
        return _HEADER_GAP
    if isinstance(before, MarkItem) or (isinstance(before, AuthorItem) and not isinstance(item, MarkItem)):
        return BUBBLE_PAD_Y + item.gap / 2
    if item.kind == "footer" and is_question:
        return float(BUBBLE_PAD_Y)
    if isinstance(before, FoldItem) and not isinstance(item, FoldItem) and before.is_open:
        return _FOLD_BODY_GAP
    return item.gap


def _gap_of_text(before: TextItem, item: TextItem, *, is_new_list: bool) -> float:
    one, other = before.at, item.at
    if other.marker == DEFINITION:
        return 0.0
    if is_new_list or not one.list_depth or not other.list_depth or one.quotes != other.quotes:
        return item.gap
    is_paragraph = other.marker is None or one.marker is None
    return _PARAGRAPH_IN_ITEM_GAP if is_paragraph and item.gap else 0.0
