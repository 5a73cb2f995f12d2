"""Shows the tree of the open thread: every version of every message, to walk through and to jump to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.tree import TreeNode, TreeRow
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.inspector.rows import ItemListModel, RowList, RowRole, button_row, plain_preview
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton

_AnyIndex = QModelIndex | QPersistentModelIndex
_ICONS = {Role.USER.value: "user", Role.ASSISTANT.value: "sparkles", Role.TOOL.value: "wrench"}
_NAMES = {Role.USER.value: Text("Question"), Role.ASSISTANT.value: Text("Answer"), Role.TOOL.value: Text("Tool result")}
_MESSAGE = Text("Message")


class TreeTab(QWidget):
    """The inspector tab that shows all versions of a thread. ``jumpRequested`` and ``restoreRequested`` carry the id of
    a message."""

    jumpRequested = Signal(str)
    restoreRequested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._model = _TreeModel(self)
        self.list = RowList(theme, name=tr("All versions of this thread"), object_name="treeList")
        self.list.setModel(self._model)
        self.list.activated.connect(lambda _index: self._act())
        self.list.clicked.connect(lambda _index: self._act(is_click=True))
        self.list.selectionModel().currentChanged.connect(lambda _now, _before: self._show_state())
        self.jump_button = PillButton(theme, tr("Show in the thread"), object_name="treeJumpButton")
        self.jump_button.clicked.connect(self._act)
        self.restore_button = PillButton(theme, tr("Restore"), object_name="treeRestoreButton", icon_name="undo-2")
        self.restore_button.clicked.connect(self._act)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.list, 1)
        column.addLayout(button_row(self.jump_button, self.restore_button))
        self._show_state()

    def show_rows(self, rows: Sequence[TreeRow]) -> None:
        """Show a newer state of the tree; the current row stays on its message."""
        current = self._current()
        self._model.show_items(rows)
        place = None if current is None else self._model.place_of(current.node.id)
        if place is None:
            place = self._model.last_shown()
        if place is not None:
            index = self._model.index(place)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
        self._show_state()

    def _current(self) -> TreeRow | None:
        return self._model.item(self.list.currentIndex().row())

    def _act(self, *, is_click: bool = False) -> None:
        """Jump to a message; one in the trash comes back, but not by a mere click on its row."""
        row = self._current()
        if row is None or row.node.is_gone:
            return
        if not row.node.is_in_trash:
            self.jumpRequested.emit(row.node.id)
        elif not is_click:
            self.restoreRequested.emit(row.node.id)

    def _show_state(self) -> None:
        row = self._current()
        is_in_trash = row is not None and row.node.is_in_trash
        self.jump_button.setVisible(not is_in_trash)
        self.jump_button.setEnabled(row is not None)
        self.restore_button.setVisible(is_in_trash)
        self.restore_button.setEnabled(row is not None and not row.node.is_gone)


class _TreeModel(ItemListModel[TreeRow]):
    def place_of(self, message_id: str) -> int | None:
        return next((place for place, row in enumerate(self._items) if row.node.id == message_id), None)

    def last_shown(self) -> int | None:
        live = (place for place in range(len(self._items) - 1, -1, -1) if _is_on_path(self._items[place]))
        return next(live, None)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.item(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return plain_preview(row.node.preview) or tr("(no text)")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _words(row)
        return {
            RowRole.INDENT: row.indent,
            RowRole.ICON: _icon_of(row.node),
            RowRole.NOTE: tr("{number} / {count}", number=row.version, count=row.version_count)
            if row.version_count > 1 and row.version
            else "",
            RowRole.IS_QUIET: not _is_on_path(row),
            RowRole.IS_STRUCK: row.node.is_in_trash,
        }.get(role)  # type: ignore[call-overload]


def _icon_of(node: TreeNode) -> str:
    if node.is_in_trash:
        return "trash-2"
    return "pencil" if node.is_edited else _ICONS.get(node.role, "info")


def _is_on_path(row: TreeRow) -> bool:
    return row.node.is_shown and not row.node.is_in_trash


def _words(row: TreeRow) -> str:
    node = row.node
    name = Text("Edited answer") if node.is_edited else _NAMES.get(node.role, _MESSAGE)
    parts = [tr("{what} of {model}", what=name, model=node.model) if node.model else shown(name)]
    if row.version and row.version_count > 1:
        parts.append(tr("version {number} of {count}", number=row.version, count=row.version_count))
    if node.is_in_trash:
        parts.append(tr("removed for good") if node.is_gone else tr("in the trash"))
    elif node.is_shown:
        parts.append(tr("shown"))
    return f"{', '.join(parts)}: {node.preview or 'no text'}"
