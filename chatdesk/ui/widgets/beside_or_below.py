"""Words with a field beside them, or below them where there is no room for both."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from chatdesk.ui.widgets.placed_items import PlacedItems


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
