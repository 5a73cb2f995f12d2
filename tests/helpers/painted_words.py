"""Finds where words were painted."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage


def ink_of(image: QImage, within: QRect | None = None) -> QRect:
    """Return the smallest rectangle around all pixels that differ from the upper left one; null without any."""
    area = within if within is not None else image.rect()
    ground = image.pixel(area.topLeft())
    places = [
        (x, y)
        for y in range(area.top(), area.bottom() + 1)
        for x in range(area.left(), area.right() + 1)
        if image.pixel(x, y) != ground
    ]
    if not places:
        return QRect()
    columns, rows = zip(*places, strict=True)
    return QRect(min(columns), min(rows), max(columns) - min(columns) + 1, max(rows) - min(rows) + 1)
