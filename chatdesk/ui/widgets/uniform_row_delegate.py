"""Defines the base of delegates that paint the rows of a list or table, all of one height."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from chatdesk.ui.theme.theme import Theme


class UniformRowDelegate(QStyledItemDelegate):
    """Makes rows ``height_px`` high, at the scale of the theme and large enough to be pressed."""

    def __init__(self, theme: Theme, height_px: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._height_px = height_px

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, self._theme.target_px(self._height_px))
