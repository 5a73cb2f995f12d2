"""Implements a list view with rows of one height, which therefore never needs a layout.

``QListView`` goes through every row whenever one is inserted or removed; with 100,000 rows that is a frame lost each
time. Here a row's place is its number times its height. To screen readers it remains a list by date, or a tree of
folders that say whether they are open.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import cast

from PySide6 import QtGui, QtWidgets  # QAccessible and QStyle are built when they are first used: 6 ms
from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyleOptionViewItem

from chatdesk.ui.accessibility.node import ActionInterface, Level
from chatdesk.ui.accessibility.pressed_rows import PressedRow, PressedRows
from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.listed_rows import RowName

_MOST_RUNS = 20  # up to this many runs of selected rows are located one by one

_AnyIndex = QModelIndex | QPersistentModelIndex


class RowView(QListView):
    """A list view with rows of known height. ``row_height_px`` says how high rows are. Rows that are not enabled are
    passed over by the keys."""

    @property
    def row_height_px(self) -> int:
        raise NotImplementedError

    def row_count(self) -> int:
        model = self.model()
        return 0 if model is None else model.rowCount()

    def top_of(self, row: int) -> int:
        """Return the y position in pixels at which a row begins in the viewport."""
        return row * self.row_height_px - self.verticalScrollBar().value()

    # Geometry

    def visualRect(self, index: _AnyIndex) -> QRect:
        if not index.isValid():
            return QRect()
        return QRect(0, self.top_of(index.row()), self.viewport().width(), self.row_height_px)

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = (point.y() + self.verticalScrollBar().value()) // self.row_height_px
        return self.model().index(row, 0) if 0 <= row < self.row_count() else QModelIndex()

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, self.row_count() * self.row_height_px - height))
        bar.setPageStep(height)
        bar.setSingleStep(self.row_height_px)
        QAbstractItemView.updateGeometries(self)

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, _index: _AnyIndex) -> bool:
        return False

    def setSelection(self, _rect: QRect, _command: QItemSelectionModel.SelectionFlag) -> None:
        """Do nothing: rows are not selected by drawing a frame around them."""

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """Return the region to draw again when these rows are selected, or are no longer."""
        seen = self.viewport().rect()
        if selection.count() > _MOST_RUNS:
            return QRegion(seen)
        region = QRegion()
        for run in map(selection.at, range(selection.count())):
            region += QRect(0, self.top_of(run.top()), seen.width(), run.height() * self.row_height_px) & seen
        return region

    def scrollTo(
        self,
        index: _AnyIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid():
            return
        self.updateGeometries()  # rows may have come since the range was set
        bar, height = self.verticalScrollBar(), self.viewport().height()
        top = self.top_of(index.row())
        bottom = top + self.row_height_px - height
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + (top + bottom) // 2)
        elif top < 0 or hint == QAbstractItemView.ScrollHint.PositionAtTop:
            bar.setValue(bar.value() + top)
        elif bottom > 0 or hint == QAbstractItemView.ScrollHint.PositionAtBottom:
            bar.setValue(bar.value() + bottom)

    # Keys

    def moveCursor(self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier) -> QModelIndex:
        actions = QAbstractItemView.CursorAction
        here, last = self.currentIndex().row(), self.row_count() - 1
        page = max(1, self.viewport().height() // self.row_height_px - 1)
        match action:
            case actions.MoveHome:
                return self._enabled_from(0, 1)
            case actions.MoveEnd:
                return self._enabled_from(last, -1)
            case actions.MoveUp | actions.MovePrevious:
                found = self._enabled_from(here - 1, -1)
            case actions.MoveDown | actions.MoveNext:
                found = self._enabled_from(here + 1, 1)
            case actions.MovePageUp:
                found = self._enabled_from(max(0, here - page), 1)
            case actions.MovePageDown:
                found = self._enabled_from(min(last, here + page), -1)
            case _:
                found = QModelIndex()
        return found if found.isValid() else self.currentIndex()

    def _enabled_from(self, row: int, step: int) -> QModelIndex:
        count = self.row_count()
        while 0 <= row < count:
            index = self.model().index(row, 0)
            if index.flags() & Qt.ItemFlag.ItemIsEnabled:
                return index
            row += step
        return QModelIndex()

    # Paint

    def paintEvent(self, event: QPaintEvent) -> None:
        count, height = self.row_count(), self.row_height_px
        offset = self.verticalScrollBar().value()
        first = max(0, (event.rect().top() + offset) // height)
        last = min(count - 1, (event.rect().bottom() + offset) // height)
        if last < first:
            return
        painter = QPainter(self.viewport())
        delegate, model, selection = self.itemDelegate(), self.model(), self.selectionModel()
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        flags = QtWidgets.QStyle.StateFlag
        plain = option.state & ~flags.State_HasFocus
        current = self.currentIndex().row() if self.hasFocus() else -1
        under = self.indexAt(self.viewport().mapFromGlobal(self.cursor().pos())).row() if self.underMouse() else -1
        width = self.viewport().width()
        for row in range(first, last + 1):
            index = model.index(row, 0)
            state = plain
            if selection.isSelected(index):
                state |= flags.State_Selected
            if row == under:
                state |= flags.State_MouseOver
            if row == current:
                state |= flags.State_HasFocus
            option.state = state
            option.rect = QRect(0, row * height - offset, width, height)
            delegate.paint(painter, option, index)
        painter.end()

    # For screen readers: Qt's own list finds its rows in the layout, which does not exist here.

    def currentChanged(self, current: _AnyIndex, previous: _AnyIndex) -> None:
        QAbstractItemView.currentChanged(self, current, previous)
        if current.isValid() and self.hasFocus():
            self._announce(QtGui.QAccessible.Event.Focus, current.row())

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        QAbstractItemView.selectionChanged(self, selected, deselected)
        if not deselected.isEmpty():
            self._announce(QtGui.QAccessible.Event.SelectionRemove, deselected.first().top())
        if not selected.isEmpty():
            self._announce(QtGui.QAccessible.Event.SelectionAdd, selected.first().top())

    def _announce(self, kind: QtGui.QAccessible.Event, row: int) -> None:
        if QtGui.QAccessible.isActive():
            event = QtGui.QAccessibleEvent(self, kind)
            event.setChild(row)
            QtGui.QAccessible.updateAccessibility(event)


class RowsAccessible(PressedRows):
    """An accessible list of threads. ``press`` has the effect of a click on a row."""

    def __init__(self, view: RowView, model: FolderModel, press: Callable[[QModelIndex], None]) -> None:
        super().__init__(view)
        self.model = model
        self._press_row = press

    def key_of(self, number: int) -> RowName | None:
        return self.model.listed.name(number)

    def index_of(self, key: Hashable) -> QModelIndex:
        return self.model.index_of_row(cast("RowName", key))

    def make_row(self, view: QListView, key: Hashable) -> PressedRow:
        return RowNode(view, self, key)

    def press(self, index: QModelIndex) -> None:
        self._press_row(index)

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.Tree if self.model.has_folders else QAccessible.Role.List


class RowNode(PressedRow):
    """The node of a thread, a folder or a heading, which follows its row when that moves."""

    def __init__(self, view: QListView, rows: RowsAccessible, key: Hashable) -> None:
        super().__init__(view, rows, key, {ActionInterface.setFocusAction(): self._go_there})
        self._model = rows.model
        self.offer(QAccessible.InterfaceType.AttributesInterface, Level(self._level))

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.TreeItem if self._model.has_folders else QAccessible.Role.ListItem

    def name(self) -> str:
        return str(self.index.data(Qt.ItemDataRole.AccessibleTextRole) or "")

    def change_state(self, state: QAccessible.State) -> None:
        super().change_state(state)
        folder = self._model.folder_at(self.index)
        if folder is not None:
            state.expandable = True
            state.expanded = self._model.is_folder_open(folder.project_id)
            state.collapsed = not state.expanded

    def _level(self) -> int:
        return 2 if self._model.folder_of(self.index).isValid() else 1

    def _go_there(self) -> None:
        self.view.setFocus()
        self.view.setCurrentIndex(self.index)
