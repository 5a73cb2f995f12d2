"""A menu with icons, some of whose rows destroy something and are written in the colour that says so."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget

_ICON_COLUMN_PX = 39  # from the left of a row to its words, as the stylesheet and Qt make it
_MARGIN_PX = 4


class DangerMenu(QMenu):
    """A stylesheet has one colour for all rows of a menu, so the words of these rows are written again."""

    def __init__(self, danger: QColor, selected: QColor, ground: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("hasIcons", True)
        self._danger = danger
        self._selected = selected
        self._ground = ground
        self._marked: list[QAction] = []

    def mark_danger(self, action: QAction) -> None:
        self._marked.append(action)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self._danger)
        sides = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextShowMnemonic
        for action in self._marked:
            if action.isEnabled():
                row = self.actionGeometry(action).adjusted(0, 1, -_MARGIN_PX, -1)
                words = QRect(row.left() + _ICON_COLUMN_PX, row.top(), row.width() - _ICON_COLUMN_PX, row.height())
                if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
                    words.moveLeft(row.left() + _MARGIN_PX)
                painter.fillRect(
                    words.adjusted(-1, 0, 0, 0), self._selected if action is self.activeAction() else self._ground
                )
                painter.drawText(words, int(sides), action.text())
