"""Whether the picture of one layout is that of another, moved."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.ui.transcript.layout import Placed

_NOTHING = 0.001


def moved_by(old: Sequence[Placed], new: Sequence[Placed]) -> int | None:
    """By how many px everything that stands in both has moved down; None when that is not one whole number."""
    before = {id(placed.item): placed.y for placed in old}
    shifts = [placed.y - before[id(placed.item)] for placed in new if id(placed.item) in before]
    if not shifts:
        return None
    whole = round(shifts[0])
    return whole if all(abs(shift - whole) < _NOTHING for shift in shifts) else None
