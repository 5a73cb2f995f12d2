"""Lists whose rows do something when they are clicked, for assistive programs: each row offers *Press*.

Qt's own rows offer *Toggle* alone, which selects a row and opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QListView

from chatdesk.ui.accessibility.interfaces import give_interfaces
from chatdesk.ui.accessibility.node import AccessibleNode, ActionInterface, in_viewport, on_screen


def offer_press(view_class: type[QListView]) -> None:
    """Let the rows of every list of exactly that class be pressed from outside, which does what a click does."""
    give_interfaces(view_class, _Rows)


class _Rows(QAccessibleWidget):
    """An accessible list whose children are its rows by number."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view, QAccessible.Role.List)
        self._view: Callable[[], QListView | None] = ref(view)
        self._nodes: dict[int, _Row] = {}
        self._sweeper = QTimer(view, singleShot=True, interval=0)
        self._sweeper.timeout.connect(self._sweep)
        self._model: QAbstractItemModel | None = None

    def childCount(self) -> int:
        view = self._view()
        model = None if view is None else view.model()
        if model is not None and model is not self._model:  # a view is asked before it has one, too
            self._model = model
            for changed in (model.modelReset, model.rowsRemoved):
                changed.connect(self._sweeper.start)
        return 0 if model is None else model.rowCount()

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        view = self._view()
        if view is None or not 0 <= index < self.childCount():
            return None
        node = self._nodes.get(index)
        if node is None:
            node = self._nodes[index] = _Row(view, self, index)
        return node

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return child.number if isinstance(child, _Row) else -1

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
        count = self.childCount()
        for number in [number for number in self._nodes if number >= count]:
            self._nodes.pop(number).close()


class _Row(AccessibleNode):
    view: QListView

    def __init__(self, view: QListView, rows: _Rows, number: int) -> None:
        super().__init__(view, rows, QAccessible.Role.ListItem)
        self.number = number
        self.offer(
            QAccessible.InterfaceType.ActionInterface, ActionInterface({ActionInterface.pressAction(): self._press})
        )

    def isValid(self) -> bool:
        return super().isValid() and self._index.isValid()

    def name(self) -> str:
        index = self._index
        spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
        return str(spoken or index.data(Qt.ItemDataRole.DisplayRole) or "")

    def description(self) -> str:
        return str(self._index.data(Qt.ItemDataRole.AccessibleDescriptionRole) or "")

    def rect(self) -> QRect:
        return on_screen(self.view, QRectF(self.view.visualRect(self._index)))

    def change_state(self, state: QAccessible.State) -> None:
        index = self._index
        flags = index.flags()
        state.readOnly = False
        state.disabled = not flags & Qt.ItemFlag.ItemIsEnabled
        state.selectable = bool(flags & Qt.ItemFlag.ItemIsSelectable)
        state.focusable = state.selectable
        state.focused = self.view.hasFocus() and index == self.view.currentIndex()
        state.selected = self.view.selectionModel().isSelected(index)

    @property
    def _index(self) -> QModelIndex:
        return self.view.model().index(self.number, 0)

    def _press(self) -> None:
        index = self._index
        if index.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.view.setCurrentIndex(index)
            self.view.clicked.emit(index)
