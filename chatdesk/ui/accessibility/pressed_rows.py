"""Describes lists with rows that act on a click to assistive programs: each row offers *Press*.

Qt's own rows only offer *Toggle*, which selects a row and opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from weakref import ref

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QListView

from chatdesk.ui.accessibility.interfaces import give_interfaces
from chatdesk.ui.accessibility.node import AccessibleNode, ActionInterface, in_viewport, on_screen


def offer_press(view_class: type[QListView]) -> None:
    """Let the rows of every list of exactly that class be pressed by assistive programs, with the effect of a click."""
    give_interfaces(view_class, PressedRows)


class PressedRows(QAccessibleWidget):
    """An accessible list whose children are its rows, from the top, each known by its number. A subclass may know them
    by another key, which stays theirs when they move."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view, QAccessible.Role.List)
        self._view: Callable[[], QListView | None] = ref(view)
        self._nodes: dict[Hashable, PressedRow] = {}
        self._sweeper = QTimer(view, singleShot=True, interval=0)
        self._sweeper.timeout.connect(self._sweep)
        self._model: QAbstractItemModel | None = None

    # Overridden by subclasses

    def key_of(self, number: int) -> Hashable | None:
        """Return the key of a row; None if the row does not exist."""
        return number if 0 <= number < self.childCount() else None

    def index_of(self, key: Hashable) -> QModelIndex:
        """Return where the row with this key is; invalid once it is gone."""
        view = self._view()
        return view.model().index(key, 0) if view is not None and isinstance(key, int) else QModelIndex()

    def make_row(self, view: QListView, key: Hashable) -> PressedRow:
        return PressedRow(view, self, key)

    def press(self, index: QModelIndex) -> None:
        """Click the row at ``index``."""
        view = self._view()
        if view is not None:
            view.setCurrentIndex(index)
            view.clicked.emit(index)

    # Qt's questions

    def childCount(self) -> int:
        view = self._view()
        model = None if view is None else view.model()
        if model is not None and model is not self._model:  # a view is asked before it has one, too
            self._model = model
            for changed in (model.modelReset, model.rowsRemoved):
                changed.connect(self._sweeper.start)
        return 0 if model is None else model.rowCount()

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        key, view = self.key_of(index), self._view()
        if key is None or view is None:
            return None
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = self.make_row(view, key)
        return node

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return child.index.row() if isinstance(child, PressedRow) else -1

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
        for key in [key for key in self._nodes if not self.index_of(key).isValid()]:
            self._nodes.pop(key).close()


class PressedRow(AccessibleNode):
    """The node of a row, with further ``actions`` by their names."""

    view: QListView

    def __init__(
        self,
        view: QListView,
        rows: PressedRows,
        key: Hashable,
        actions: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        super().__init__(view, rows, QAccessible.Role.ListItem)
        self._rows = rows
        self._key = key
        offered = {ActionInterface.pressAction(): self._press, **(actions or {})}
        self.offer(QAccessible.InterfaceType.ActionInterface, ActionInterface(offered, is_offered=self._is_enabled))

    @property
    def index(self) -> QModelIndex:
        """Invalid once the row is not listed any more."""
        return self._rows.index_of(self._key)

    def isValid(self) -> bool:
        return super().isValid() and self.index.isValid()

    def name(self) -> str:
        index = self.index
        spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
        return str(spoken or index.data(Qt.ItemDataRole.DisplayRole) or "")

    def description(self) -> str:
        return str(self.index.data(Qt.ItemDataRole.AccessibleDescriptionRole) or "")

    def rect(self) -> QRect:
        return on_screen(self.view, QRectF(self.view.visualRect(self.index)))

    def change_state(self, state: QAccessible.State) -> None:
        index = self.index
        flags = index.flags()
        state.readOnly = False
        state.disabled = not self._is_enabled()
        state.focusable = not state.disabled
        state.focused = self.view.hasFocus() and index == self.view.currentIndex()
        state.selectable = bool(flags & Qt.ItemFlag.ItemIsSelectable)
        state.selected = self.view.selectionModel().isSelected(index)

    def _is_enabled(self) -> bool:
        """Return whether a click on the row does something: it does not on a heading."""
        return bool(self.index.flags() & Qt.ItemFlag.ItemIsEnabled)

    def _press(self) -> None:
        self._rows.press(self.index)
