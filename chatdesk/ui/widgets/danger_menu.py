"""Implements a menu with icons and quiet keys; its destructive rows have a warning colour."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.ui.theme.icons import icon

_ICON_COLUMN_PX = 39  # from the left of a row to its words, as the stylesheet and Qt make it
_MARGIN_PX = 4
_END_PX = 14  # from the keys to the end of a row
_MORE_PX = 16  # before the keys, in addition to Qt's own gap


class DangerMenu(QMenu):
    """A stylesheet has one colour for all words of a menu, so they are written again: red where something is destroyed,
    and muted keys at the end. ``colour`` returns the colour of a token."""

    def __init__(self, colour: Callable[[str], QColor], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("hasIcons", True)
        self._colour = colour
        self._marked: list[QAction] = []

    def mark_danger(self, action: QAction) -> None:
        self._marked.append(action)

    def set_icon(self, action: QAction, name: str) -> None:
        """Show an icon before a row, in the colour of its words."""
        action.setIcon(icon(name, self._colour("danger" if action in self._marked else "muted")))

    def remove_icons(self) -> None:
        """Remove the icons of all actions."""
        from PySide6.QtGui import QIcon

        for action in self.actions():
            action.setIcon(QIcon())

    def make_room(self) -> None:
        """Leave room between the longest words and the keys; call this once all rows are there."""
        self.setMinimumWidth(0)
        if any(map(_keys_of, self.actions())):
            self.setMinimumWidth(self.sizeHint().width() + _MORE_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setFont(self.font())
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        to_start, to_end = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        if is_mirrored:
            to_start, to_end = to_end, to_start
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute | Qt.TextFlag.TextShowMnemonic
        for action in self.actions():
            if not action.isVisible() or action.isSeparator() or action.menu() is not None:
                continue
            row = self.actionGeometry(action).adjusted(0, 1, 0, -1)
            area = row.adjusted(_ICON_COLUMN_PX, 0, -_MARGIN_PX, 0)
            if is_mirrored:
                area.moveLeft(row.left() + _MARGIN_PX)
            painter.fillRect(area, self._colour("selected" if action is self.activeAction() else "floating"))
            inner = area.adjusted(_END_PX if is_mirrored else 0, 0, 0 if is_mirrored else -_END_PX, 0)
            is_danger = action in self._marked
            painter.setPen(self._colour(("danger" if is_danger else "text") if action.isEnabled() else "muted"))
            painter.drawText(inner, int(flags | to_start), action.text().partition("\t")[0])
            painter.setPen(self._colour("muted"))
            painter.drawText(inner, int(flags | to_end), _keys_of(action))


def _keys_of(action: QAction) -> str:
    """Return the keys at the end of a row: those after a tab in its text, else its shortcut."""
    _words, tab, keys = action.text().partition("\t")
    return keys if tab else action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
