"""The base of the sections of a message."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.items.fold_item import FoldItem


class Section:
    """The items that show one part of a message."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.items: list[Item] = []

    def append(self, delta: str) -> None:
        raise NotImplementedError

    def update_items(self) -> None:
        """Bring ``items`` up to date with the text that was appended."""

    def update_from(self, newer: Section) -> None:
        """Show the label and state of ``newer``, which is made from a later state of the same part."""
        old, new = fold_of(self), fold_of(newer)
        if old is not None and new is not None:
            old.rename(new.label)
            old.set_progress(new.aside, is_done=new.is_done)

    def inner(self) -> Sequence[Section]:
        """Return the section itself, or those that it holds."""
        return (self,)

    def keep_open(self, before: Section) -> None:
        """Be as open as ``before``, the section that was here."""
        old, new = fold_of(before), fold_of(self)
        if old is not None and new is not None and old.is_open != new.is_open:
            new.is_open = old.is_open
            self.update_items()


def fold_of(section: Section) -> FoldItem | None:
    """Return the line that opens and closes a section; None for one that has none."""
    first = section.items[0] if section.items else None
    return first if isinstance(first, FoldItem) else None
