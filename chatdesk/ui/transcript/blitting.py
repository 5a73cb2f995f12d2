"""Moving what is on the screen: whether the picture of one layout is that of another, and which part can be moved."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget

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


def free_band(viewport: QRect, overlays: Sequence[QWidget]) -> QRect:
    """The part of the viewport that nothing stands on. Where a widget stands on it, Qt draws all of it anew."""
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
