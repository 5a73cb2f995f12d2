"""Keeps the threads marked for a common action, and the selection that shows them.

Selected rows are the marked threads, or the open one while nothing is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView

from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.row_view import RowView

_Flags = QItemSelectionModel.SelectionFlag
_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class ThreadMarks:
    """Marks by id, so that a marked thread need not be fetched. ``changed`` is called when other threads are marked,
    ``all_asked`` when all are to be that are not fetched yet."""

    def __init__(
        self, view: RowView, model: FolderModel, *, changed: Callable[[], None], all_asked: Callable[[], None]
    ) -> None:
        self._view = view
        self._model = model
        self._changed = changed
        self._all_asked = all_asked
        self._marked: dict[str, None] = {}
        self._range_from: str | None = None
        self.open_id: str | None = None

    def __bool__(self) -> bool:
        return bool(self._marked)

    def __contains__(self, thread_id: str) -> bool:
        return thread_id in self._marked

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._marked)

    def set(self, thread_ids: Iterable[str]) -> None:
        """Mark exactly these; those that are not fetched yet are shown so when they come."""
        marked = dict.fromkeys(thread_ids)
        if marked == self._marked:
            return
        self._marked = marked
        self.show()
        self._changed()

    def forget(self, thread_id: str) -> None:
        """Unmark a thread that left the list."""
        if thread_id in self._marked:
            del self._marked[thread_id]
            self._changed()
            if not self._marked:
                self.show()

    def set_all(self) -> None:
        """Mark all fetched threads at once, and ask for the rest."""
        self.set(self._model.listed.ids_between(0, self._view.row_count() - 1))
        if not self._model.is_at_end:
            self._all_asked()

    def toggle(self, thread_id: str) -> None:
        self._range_from = thread_id
        marked = dict(self._marked)
        if not marked and self.open_id is not None and self._model.index_of(self.open_id).isValid():
            marked[self.open_id] = None
        if thread_id in marked:
            del marked[thread_id]
        else:
            marked[thread_id] = None
        self.set(marked)

    def extend_to(self, thread_id: str, *, from_row: int) -> None:
        """Mark from where the range began to this thread; it begins at ``from_row`` where none did."""
        if self._range_from is None or not self._model.index_of(self._range_from).isValid():
            start = self._model.thread_at(self._model.index(from_row))
            self._range_from = thread_id if start is None else start.id
        first = self._model.index_of(self._range_from).row()
        self.set(self._model.listed.ids_between(first, self._model.index_of(thread_id).row()))

    def restart(self, thread_id: str | None) -> None:
        """Unmark everything; the next range begins at this thread."""
        self._range_from = thread_id
        self.set(())

    def use_key(self, event: QKeyEvent) -> bool:
        """Return whether the key marked something; an arrow alone unmarks everything and goes on to the list."""
        key, modifiers = event.key(), event.modifiers()
        moves = {
            Qt.Key.Key_Up: QAbstractItemView.CursorAction.MoveUp,
            Qt.Key.Key_Down: QAbstractItemView.CursorAction.MoveDown,
            Qt.Key.Key_PageUp: QAbstractItemView.CursorAction.MovePageUp,
            Qt.Key.Key_PageDown: QAbstractItemView.CursorAction.MovePageDown,
            Qt.Key.Key_Home: QAbstractItemView.CursorAction.MoveHome,
            Qt.Key.Key_End: QAbstractItemView.CursorAction.MoveEnd,
        }
        thread = self._model.thread_at(self._view.currentIndex())
        if key == Qt.Key.Key_A and modifiers == _CTRL:
            self.set_all()
        elif key == Qt.Key.Key_Escape and self._marked:
            self.set(())
        elif key == Qt.Key.Key_Space and modifiers & _CTRL and thread is not None:
            self.toggle(thread.id)
        elif key in moves and modifiers & _SHIFT:
            before = self._view.currentIndex().row()
            index = self._view.moveCursor(moves[Qt.Key(key)], modifiers)
            self._view.setCurrentIndex(index)
            there = self._model.thread_at(index)
            if there is not None:
                self.extend_to(there.id, from_row=before)
        else:
            if key in moves and not modifiers & _CTRL:
                self.restart(None)
            return False
        return True

    # The selection

    def show(self) -> None:
        """Select the rows as runs: a long selection is a few of them."""
        shown: Sequence[str] = tuple(self._marked) or ((self.open_id,) if self.open_id is not None else ())
        rows = sorted(index.row() for index in map(self._model.index_of, shown) if index.isValid())
        selection = QItemSelection()
        start = 0
        for place, row in enumerate(rows):
            if place + 1 == len(rows) or rows[place + 1] != row + 1:
                selection.select(self._model.index(rows[start]), self._model.index(row))
                start = place + 1
        self._view.selectionModel().select(selection, _Flags.ClearAndSelect)

    def show_inserted(self, first: int, last: int) -> None:
        """Select those of the rows that came in which are marked, or open while nothing is marked."""
        wanted = self._marked or ({} if self.open_id is None else {self.open_id: None})
        for thread_id in self._model.listed.ids_between(first, last):
            if thread_id in wanted:
                self._view.selectionModel().select(self._model.index_of(thread_id), _Flags.Select)
