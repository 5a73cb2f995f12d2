"""Defines the base of the sections of a message, and the section of a model's reasoning before its answer."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.core.domain.message import Part
from chatdesk.core.texts import tr
from chatdesk.ui.local_forms import duration_of
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.spans import split_plain
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.text_item import plain_item

_FOLD_TEXT_LIMIT = 400_000


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


class ReasoningSection(Section):
    """The reasoning of a model, folded away below a line that says how long it took."""

    def __init__(self, part: Part | None, index: int, text: str, *, is_live: bool) -> None:
        super().__init__(index)
        self._chunks = [text] if text else []
        self._fold = FoldItem(f"reasoning-{index}", "")
        self.name(part, is_live=is_live)
        self.update_items()

    def name(self, part: Part | None, *, is_live: bool) -> None:
        if is_live and (part is None or part.completed_at is None):
            self._fold.label = tr("Thinking…")
        elif part is not None and part.started_at is not None and part.completed_at is not None:
            self._fold.label = tr("Thought for {time}", time=_seconds(part.completed_at - part.started_at))
        else:
            self._fold.label = tr("Thought")

    @property
    def text(self) -> str:
        return "".join(self._chunks)

    def append(self, delta: str) -> None:
        self._chunks.append(delta)

    def update_items(self) -> None:
        if not self._fold.is_open:
            self.items = [self._fold]
            return
        old = self.items[1:]
        body: list[Item] = []
        for place, piece in enumerate(split_plain(self.text[:_FOLD_TEXT_LIMIT])):
            before = old[place] if place < len(old) else None
            if before is not None and before.text == piece.replace("\n", "\u2028"):
                body.append(before)
            else:
                body.append(plain_item(piece, role="table", colour="muted", inset=14))
        self.items = [self._fold, *body]


def _seconds(milliseconds: int) -> str:
    return duration_of(round(milliseconds, -3)) if milliseconds >= 1000 else tr("under a second")
