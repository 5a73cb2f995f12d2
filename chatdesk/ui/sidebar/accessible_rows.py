"""The list of threads for assistive programs: a list by date, or a tree of folders that say whether they are open.

Qt's own interface of a list view knows no folders.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

from PySide6.QtCore import QModelIndex, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget

from chatdesk.ui.accessibility.node import AccessibleNode, ActionInterface, Level, in_viewport, on_screen
from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.listed_rows import RowName
from chatdesk.ui.sidebar.row_view import RowView


class RowsAccessible(QAccessibleWidget):
    """An accessible list whose children are the listed rows, from the top. ``press`` does what a click on a row
    does."""

    def __init__(self, view: RowView, model: FolderModel, press: Callable[[QModelIndex], None]) -> None:
        super().__init__(view, QAccessible.Role.List)
        self.model = model
        self.press = press
        self._view: Callable[[], RowView | None] = ref(view)
        self._nodes: dict[RowName, RowNode] = {}
        self._sweeper = QTimer(view, singleShot=True, interval=0)
        self._sweeper.timeout.connect(self._sweep)
        for changed in (model.modelReset, model.rowsRemoved):
            changed.connect(self._sweeper.start)

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.Tree if self.model.has_folders else QAccessible.Role.List

    def childCount(self) -> int:
        return self.model.rowCount()

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        name, view = self.model.listed.name(index), self._view()
        if name is None or view is None:
            return None
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = RowNode(view, self, name)
        return node

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return child.index.row() if isinstance(child, RowNode) else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        view = self._view()
        return None if view is None else self.child(view.indexAt(in_viewport(view, QPoint(x, y))).row())

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]
        view = self._view()
        return self.child(view.currentIndex().row()) if view is not None and view.hasFocus() else None

    def close(self) -> None:
        """Close the children, because the view is gone, or has another interface."""
        self._view = lambda: None
        nodes, self._nodes = self._nodes, {}
        for node in nodes.values():
            node.close()

    def _sweep(self) -> None:
        """Close the nodes of rows that are gone, once no request is under way."""
        for name in [name for name in self._nodes if not self.model.index_of_row(name).isValid()]:
            self._nodes.pop(name).close()


class RowNode(AccessibleNode):
    """The node of a thread, a folder or a heading, which follows its row when that moves."""

    view: RowView

    def __init__(self, view: RowView, rows: RowsAccessible, name: RowName) -> None:
        super().__init__(view, rows, QAccessible.Role.ListItem)
        self._rows = rows
        self._name = name
        actions = ActionInterface(
            {ActionInterface.pressAction(): self._press, ActionInterface.setFocusAction(): self._go_there}
        )
        self.offer(QAccessible.InterfaceType.ActionInterface, actions)
        self.offer(QAccessible.InterfaceType.AttributesInterface, Level(self._level))

    @property
    def index(self) -> QModelIndex:
        """Invalid once the row is not listed any more."""
        return self._rows.model.index_of_row(self._name)

    def isValid(self) -> bool:
        return super().isValid() and self.index.isValid()

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.TreeItem if self._rows.model.has_folders else QAccessible.Role.ListItem

    def name(self) -> str:
        return str(self.index.data(Qt.ItemDataRole.AccessibleTextRole) or "")

    def rect(self) -> QRect:
        return on_screen(self.view, QRectF(self.view.visualRect(self.index)))

    def change_state(self, state: QAccessible.State) -> None:
        index, model = self.index, self._rows.model
        flags = index.flags()
        state.readOnly = False
        state.disabled = not flags & Qt.ItemFlag.ItemIsEnabled
        state.focusable = not state.disabled
        state.focused = self.view.hasFocus() and index == self.view.currentIndex()
        state.selectable = bool(flags & Qt.ItemFlag.ItemIsSelectable)
        state.selected = self.view.selectionModel().isSelected(index)
        folder = model.folder_at(index)
        if folder is not None:
            state.expandable = True
            state.expanded = model.is_folder_open(folder.project_id)
            state.collapsed = not state.expanded

    def _level(self) -> int:
        return 2 if self._rows.model.folder_of(self.index).isValid() else 1

    def _press(self) -> None:
        self._rows.press(self.index)

    def _go_there(self) -> None:
        self.view.setFocus()
        self.view.setCurrentIndex(self.index)
