"""Handles the person's actions on folders of the list: keys and presses open and close them, drags drop on them."""

from __future__ import annotations

from PySide6 import QtGui  # QAccessible is built when it is first used
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QDropEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView

from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.grouping import Folder
from chatdesk.ui.sidebar.project_badge import THREADS_MIME
from chatdesk.ui.sidebar.row_view import RowView
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import paint_focus_ring

_MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier


class FolderRows:
    """The view hands it keys, drags and the painter; a folder's rows themselves come from the model."""

    def __init__(self, view: RowView, model: FolderModel, theme: Theme) -> None:
        self._view = view
        self._model = model
        self._theme = theme
        self._under_drag: Folder | None = None

    def toggle(self, project_id: str) -> None:
        self._set_open(project_id, not self._model.is_folder_open(project_id))

    def use_key(self, event: QKeyEvent, *, is_typing: bool) -> bool:
        """Handle Enter, Space and the arrows to the sides, as in a tree; from a thread the arrow back leads to its
        folder. Returns whether the key did something."""
        if not self._model.has_folders or event.modifiers() & _MODIFIERS:
            return False
        index, key = self._view.currentIndex(), event.key()
        folder = self._model.folder_at(index)
        inwards, outwards = Qt.Key.Key_Right, Qt.Key.Key_Left
        if self._view.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            inwards, outwards = outwards, inwards
        if folder is None:
            above = self._model.folder_of(index)
            if key != outwards or not above.isValid():
                return False
            self._view.setCurrentIndex(above)
            return True
        is_open = self._model.is_folder_open(folder.project_id)
        toggles = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or (key == Qt.Key.Key_Space and not is_typing)
        if toggles or (key == inwards and not is_open) or (key == outwards and is_open):
            self._set_open(folder.project_id, not is_open)
        elif key == inwards:
            self._view.setCurrentIndex(
                self._view.moveCursor(QAbstractItemView.CursorAction.MoveDown, event.modifiers())
            )
        elif key != outwards:
            return False
        return True

    def _set_open(self, project_id: str, is_open: bool) -> None:
        self._model.set_folder_open(project_id, is_open)
        if QtGui.QAccessible.isActive():
            changed = QtGui.QAccessible.State()
            changed.expanded = changed.collapsed = True
            event = QtGui.QAccessibleStateChangeEvent(self._view, changed)
            event.setChild(self._model.index_of_project(project_id).row())
            QtGui.QAccessible.updateAccessibility(event)

    # Dropping threads on a folder

    def accepts(self, event: QDropEvent) -> bool:
        """Return whether the dragged data may be dropped on a folder of this list."""
        return self._model.has_folders and event.mimeData().hasFormat(THREADS_MIME)

    def drag_to(self, place: QPoint | None) -> Folder | None:
        """Mark the folder under a drag, and return it; None for the place when the drag left."""
        folder = None if place is None else self._model.folder_at(self._view.indexAt(place))
        if folder is not self._under_drag:
            self._under_drag = folder
            self._view.viewport().update()
        return folder

    def drop_at(self, place: QPoint) -> Folder | None:
        folder = self.drag_to(place)
        self.drag_to(None)
        return folder

    def paint(self) -> None:
        """Paint the ring around the folder under a drag."""
        if self._under_drag is not None:
            painter = QPainter(self._view.viewport())
            ring = QRectF(self._view.visualRect(self._model.index_of_folder(self._under_drag)))
            paint_focus_ring(painter, ring, self._theme.tokens.radius.row, self._theme.colour("accent"))
            painter.end()
