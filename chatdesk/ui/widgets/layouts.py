"""Implements layouts whose height follows from their width: a row that wraps, and two groups beside each other or one
below the other."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLayoutItem, QVBoxLayout, QWidget
from shiboken6 import isValid


def bare_column(parent: QWidget | None = None, *, spacing_px: int = -1) -> QVBoxLayout:
    """Return a column without margins, which lays out ``parent`` if there is one; -1 is the style's own spacing."""
    column = QVBoxLayout() if parent is None else QVBoxLayout(parent)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(spacing_px)
    return column


def bare_row(parent: QWidget | None = None, *, spacing_px: int = -1) -> QHBoxLayout:
    """Return a row without margins, as ``bare_column`` does."""
    row = QHBoxLayout() if parent is None else QHBoxLayout(parent)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(spacing_px)
    return row


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


class BesideOrBelow(PlacedItems):
    """Two items: the first is ``words_px`` wide, or else takes what the second leaves, which is at most half. Where the
    second would get less than ``wanted_px``, or one of them less than it needs, the second goes on in the next line."""

    def __init__(
        self, parent: QWidget, *, gap_px: int, below_px: int, wanted_px: int, words_px: int | None = None
    ) -> None:
        super().__init__(parent)
        self._gap_px, self._below_px, self._wanted_px, self._words_px = gap_px, below_px, wanted_px, words_px

    def set_wanted(self, wanted_px: int) -> None:
        """Set another least width of the second item."""
        self._wanted_px = wanted_px
        self.invalidate()

    def add_layout(self, inner: QLayout) -> None:
        """Add one of the two items as a layout."""
        self.addChildLayout(inner)
        self.addItem(inner)

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation.Horizontal

    def wanted(self) -> QSize:
        """Return the size with both items in one line."""
        words, field = (each.sizeHint() for each in self._items)
        width = max(words.width(), self._wanted_px) + self._gap_px + max(field.width(), self._wanted_px)
        return self._with_margins(QSize(width, max(words.height(), field.height())))

    def least(self) -> QSize:
        """Return the size with the items above each other, as narrow as the wider of the two can be."""
        sizes = [each.minimumSize() for each in self._items]
        return self._with_margins(QSize(max(each.width() for each in sizes), max(each.height() for each in sizes)))

    def place(self, whole: QRect, *, is_trial: bool) -> int:
        """Put both into ``whole``, or only reckon; the height they take."""
        margins = self.contentsMargins()
        area = whole.marginsRemoved(margins)
        words, field = self._items
        room = area.width() - self._gap_px
        left = room - room // 2 if self._words_px is None else self._words_px
        needed = max(self._wanted_px, field.minimumSize().width())
        if room - left >= needed and left >= words.minimumSize().width():
            width = min(room - left, field.maximumSize().width())
            words_width = room - width
            high = max(_height(words, words_width), _height(field, width))
            if not is_trial:
                high = max(high, area.height())
                self._place(words, QRect(area.topLeft(), QSize(words_width, high)), area)
                tall = min(_height(field, width), high)
                at = QPoint(area.x() + words_width + self._gap_px, area.y() + (high - tall) // 2)
                self._place(field, QRect(at, QSize(width, tall)), area)
            return high + margins.top() + margins.bottom()
        width = min(area.width(), field.maximumSize().width())
        above, below = _height(words, area.width()), _height(field, width)
        if not is_trial:
            self._place(words, QRect(area.topLeft(), QSize(area.width(), above)), area)
            at = area.topLeft() + QPoint(0, above + self._below_px)
            self._place(field, QRect(at, QSize(width, below)), area)
        return above + self._below_px + below + margins.top() + margins.bottom()

    def _place(self, item: QLayoutItem, place: QRect, area: QRect) -> None:
        """Place an item, mirrored where the language reads from right to left."""
        if self.is_mirrored:
            place.moveRight(area.left() + area.right() - place.left())
        item.setGeometry(place)

    def _with_margins(self, size: QSize) -> QSize:
        margins = self.contentsMargins()
        return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom())


def _height(item: QLayoutItem, width: int) -> int:
    """Return the height of an item at that width."""
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
