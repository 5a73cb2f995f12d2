"""The base of the layouts in this folder: they hold items in order, and their height follows from their width."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget
from shiboken6 import isValid


class PlacedItems(QLayout):
    """A layout whose subclasses place the items (``place``) and compute its size (``wanted``, ``least``)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._heights: dict[int, int] = {}  # by width, until something changes: Qt asks for the same many times

    def place(self, area: QRect, *, is_trial: bool) -> int:
        """Put the items into ``area``, or only reckon; the height they take."""
        raise NotImplementedError

    def wanted(self) -> QSize:
        """Return the size with room for all items."""
        raise NotImplementedError

    def least(self) -> QSize:
        """Return the size below which something would be cut off."""
        raise NotImplementedError

    @property
    def is_mirrored(self) -> bool:
        """Return whether the layout runs from right to left."""
        parent = self.parentWidget()
        return parent is not None and parent.layoutDirection() is Qt.LayoutDirection.RightToLeft

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)
        self._heights.clear()

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        self._heights.clear()
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def invalidate(self) -> None:
        self._heights.clear()
        super().invalidate()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        height = self._heights.get(width)
        if height is None:
            height = self._heights[width] = self.place(QRect(0, 0, width, 0), is_trial=True) if self._can_ask() else 0
        return height

    def sizeHint(self) -> QSize:
        return self.wanted() if self._can_ask() else QSize(0, 0)

    def minimumSize(self) -> QSize:
        return self.least() if self._can_ask() else QSize(0, 0)

    def setGeometry(self, area: QRect) -> None:
        super().setGeometry(area)
        if self._can_ask():
            self.place(area, is_trial=False)

    def _can_ask(self) -> bool:
        """Return whether PySide still lets the items be asked: an error in an answer to Qt would end the program."""
        return all(isValid(each) for each in self._items)
