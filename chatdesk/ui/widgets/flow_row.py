"""Buttons in a row that goes on in the next line where there is no room, as words do."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayoutItem

from chatdesk.ui.widgets.placed_items import PlacedItems


class FlowRow(PlacedItems):
    """A layout of widgets at their wanted sizes, from the side where reading begins; rows are ``gap_px`` apart."""

    def __init__(self, gap_px: int) -> None:
        super().__init__()
        self._gap = gap_px
        self.setContentsMargins(0, 0, 0, 0)

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def wanted(self) -> QSize:
        """Return the size with all items in one row."""
        shown = self._shown()
        width = sum(item.sizeHint().width() for item in shown) + self._gap * max(0, len(shown) - 1)
        return QSize(width, max((item.sizeHint().height() for item in shown), default=0))

    def least(self) -> QSize:
        """Return the size of the widest item alone."""
        sizes = [item.minimumSize() for item in self._shown()]
        return QSize(
            max((each.width() for each in sizes), default=0), max((each.height() for each in sizes), default=0)
        )

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def place(self, area: QRect, *, is_trial: bool) -> int:
        """Put the widgets into ``area``, or only reckon; the height they take."""
        is_mirrored = self.is_mirrored
        x, y, row = area.x(), area.y(), 0
        for item in self._shown():
            size = item.sizeHint().boundedTo(QSize(max(area.width(), 1), item.sizeHint().height()))
            if x > area.x() and x + size.width() > area.x() + area.width():
                x, y, row = area.x(), y + row + self._gap, 0
            if not is_trial:
                left = area.x() + area.right() - x - size.width() + 1 if is_mirrored else x
                item.setGeometry(QRect(QPoint(left, y), size))
            x += size.width() + self._gap
            row = max(row, size.height())
        return y + row - area.y()
