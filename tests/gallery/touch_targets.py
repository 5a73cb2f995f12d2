"""Finds what a finger presses in a widget, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRect
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QScrollBar,
    QTabBar,
    QWidget,
)

_PRESSED = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractSlider, QTabBar)
_LEAST_SEEN_PX = 2  # what is folded away has no place to be pressed


def targets_of(widget: QWidget) -> Iterator[tuple[str, int, int]]:
    """Return the name, width and height of each button, field and row that is shown and can be used."""
    for each in (widget, *widget.findChildren(QWidget)):
        if not each.isVisible() or not each.isEnabled() or min(each.width(), each.height()) < _LEAST_SEEN_PX:
            continue
        if isinstance(each, _PRESSED) and not isinstance(each, QScrollBar) and not _is_inside_field(each):
            yield f"{type(each).__name__} {each.objectName()}", each.width(), each.height()
        elif isinstance(each, QAbstractItemView) and each.selectionMode() != each.SelectionMode.NoSelection:
            yield from _rows_of(each)
        elif isinstance(each, QMenu):
            for action in each.actions():
                area = each.actionGeometry(action)
                if action.isEnabled() and not action.isSeparator():
                    yield f"menu item {action.text()}", area.width(), area.height()


def _rows_of(view: QAbstractItemView) -> Iterator[tuple[str, int, int]]:
    model = view.model()
    for row in range(model.rowCount() if model is not None else 0):
        index = model.index(row, 0)
        area: QRect = view.visualRect(index)
        if index.flags() & index.flags().__class__.ItemIsSelectable and area.isValid():
            yield f"row of {type(view).__name__} {view.objectName()}", view.viewport().width(), area.height()


def _is_inside_field(widget: QWidget) -> bool:
    """Return whether a larger field has this as its part, such as the line of a box to choose from."""
    parent = widget.parentWidget()
    return isinstance(parent, (QComboBox, QLineEdit, QAbstractSpinBox))
