"""Compares two layouts to find which part of the picture on the screen can be moved instead of drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.layout.held_place import Placed
from chatdesk.ui.transcript.messages.entry import MessageEntry

_NOTHING = 0.001
_CHANGING_KINDS = frozenset({"table", "fold"})  # their looks hang on more than themselves


@dataclass(frozen=True, slots=True)
class Drawn:
    """An item as it was drawn: its place and its state."""

    item: Item
    y: float
    revision: int
    has_caret: bool
    is_last_foot: bool  # the tools of the last message are shown

    @property
    def state(self) -> tuple[int, bool, bool]:
        return self.revision, self.has_caret, self.is_last_foot


@dataclass(frozen=True, slots=True)
class Growth:
    """A change at the end of a picture. The common part has moved down by ``shift`` px, and the part below ``top`` is
    new."""

    shift: int
    top: float


def drawn(placed: Sequence[Placed], last: MessageEntry | None) -> list[Drawn]:
    """Return the state of all placed items; ``last`` is the message that the thread ends with."""
    return [
        Drawn(
            each.item,
            each.y,
            each.item.revision,
            each.item is each.entry.caret_item,
            each.entry is last and each.item.kind == "footer",
        )
        for each in placed
    ]


def growth(old: Sequence[Drawn], new: Sequence[Drawn]) -> Growth | None:
    """Return how a picture follows from the one before when something came at its end.

    None means that the picture has to be drawn again.
    """
    before = {id(each.item): each for each in old}
    shift: int | None = None
    for place, each in enumerate(new):
        was = before.get(id(each.item))
        is_same = was is not None and was.state == each.state
        if was is None or not is_same or each.item.kind in _CHANGING_KINDS:
            # Items above the first known line are not in the previous picture.
            return Growth(shift, each.y) if shift is not None and place else None
        moved = each.y - was.y
        if shift is None:
            shift = round(moved)
        if abs(moved - shift) >= _NOTHING:
            return None
    return Growth(shift, new[-1].y) if shift is not None else None


def moved_by(old: Sequence[Placed], new: Sequence[Placed]) -> int | None:
    """Return how many px everything in both pictures has moved down, or None if that is not one whole number."""
    before = {id(placed.item): placed.y for placed in old}
    shifts = [placed.y - before[id(placed.item)] for placed in new if id(placed.item) in before]
    if not shifts:
        return None
    whole = round(shifts[0])
    return whole if all(abs(shift - whole) < _NOTHING for shift in shifts) else None


def free_band(viewport: QRect, overlays: Sequence[QWidget]) -> QRect:
    """Return the part of the viewport that no widget covers.

    Qt draws all of the viewport again when a widget is on the part that is moved.
    """
    top, bottom = 0, viewport.height()
    for overlay in overlays:
        if not overlay.isVisible():
            continue
        covered = overlay.geometry()
        if covered.center().y() < viewport.height() / 2:
            top = max(top, covered.bottom() + 1)
        else:
            bottom = min(bottom, covered.top())
    return QRect(0, top, viewport.width(), max(0, bottom - top))
