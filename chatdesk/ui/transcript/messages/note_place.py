"""Finds the places that a footnote's mark and its link back lead to."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.items.text_item import TextItem

_BACK = "#fnref-"


def find_note_place(items: Sequence[Item], target: str) -> int | None:
    """Return the index of the item that ``#fn-1`` (the note) or ``#fnref-1`` (its first mark) leads to, or None."""
    if target.startswith(_BACK):
        mark = "#fn-" + target.removeprefix(_BACK)
        return next((place for place, item in enumerate(items) if _leads_to(item, mark)), None)
    return next((place for place, item in enumerate(items) if _is_note(item, target)), None)


def _leads_to(item: Item, target: str) -> bool:
    return any(link.label == target for link in item.links())


def _is_note(item: Item, target: str) -> bool:
    return isinstance(item, TextItem) and target == f"#{item.at.note}"
