"""The list of threads for assistive programs: a list by date, or a tree of folders that say whether they are open.

Qt's own interface of a list view knows no folders.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import cast

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QListView

from chatdesk.ui.accessibility.node import ActionInterface, Level
from chatdesk.ui.accessibility.pressed_rows import PressedRow, PressedRows
from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.listed_rows import RowName
from chatdesk.ui.sidebar.row_view import RowView


class RowsAccessible(PressedRows):
    """An accessible list of threads. ``press`` does what a click on a row does."""

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
