"""Holds the place of the list of threads: while rows come and go, across a reload, and at its end, which fetches more
rows when it comes into sight."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint

from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.grouping import Folder
from chatdesk.ui.sidebar.row_view import RowView

_PREFETCH_PAGES: Final = 2  # ask for more when less than this many viewports are left below
_MOST_PAGES_SOUGHT: Final = 40  # so far down the place of the last run is looked for


class ListPlace:
    """The place that a list of threads keeps while rows change. The view reports changes before and after they happen,
    and calls ``return_to_anchor`` when it lays out."""

    def __init__(self, view: RowView, model: FolderModel) -> None:
        self._view = view
        self._model = model
        self._anchor: tuple[QPersistentModelIndex, int] | None = None
        self._rows_before: tuple[str | None, str | None, int] | None = None
        self._folder_before: Folder | None = None
        self._sought: tuple[str, int, int] | None = None
        self._starts_at_top = False

    def top(self) -> tuple[str, int] | None:
        """Return the thread at the top and where it begins; None at the very top."""
        if self._view.verticalScrollBar().value() == 0:
            return None
        row = self._view.indexAt(QPoint(1, 0)).row()
        for candidate in (row, row + 1):
            thread = self._model.thread_at(self._model.index(candidate))
            if thread is not None:
                return thread.id, self._view.top_of(candidate)
        return None

    def start_at_top(self) -> None:
        """Show the next list from its beginning, because it is another one."""
        self._sought = None
        self._starts_at_top = True

    def return_to(self, thread_id: str, offset_px: int) -> None:
        """Return to an earlier place, fetching the rows above it first; scrolling by hand ends that."""
        self._sought = (thread_id, offset_px, _MOST_PAGES_SOUGHT)
        self.seek_on()

    def reveal(self, thread_id: str) -> None:
        """Bring a thread into view, also one that has not been fetched yet."""
        index = self._model.index_of(thread_id)
        if index.isValid():
            self._view.scrollTo(index)
        elif not self._model.has_folders:  # threads in closed folders are not in the list
            self.return_to(thread_id, self._view.viewport().height() // 2)

    def stop_seeking(self) -> None:
        self._sought = None

    def seek_on(self) -> None:
        """Go to the thread that is sought once it was fetched; else ask for the next page."""
        if self._sought is None or self._model.is_fetching:
            return
        thread_id, offset_px, pages = self._sought
        index = self._model.index_of(thread_id)
        if index.isValid():
            self._sought = None
            self._anchor = (QPersistentModelIndex(index), offset_px)
            self._view.scheduleDelayedItemsLayout()
        elif pages and not self._model.is_at_end:
            self._sought = (thread_id, offset_px, pages - 1)
            self._model.read_on()
        else:
            self._sought = None

    def read_on(self) -> None:
        """Fetch the rows of folders that are in sight or near below."""
        if self._sought is None and self._model.has_folders:
            height, offset = self._view.viewport().height(), self._view.verticalScrollBar().value()
            last_px = offset + (1 + _PREFETCH_PAGES) * height
            self._model.fetch_near(offset // self._view.row_height_px, last_px // self._view.row_height_px)

    def read_on_at(self, value: int) -> None:
        """Fetch the next rows if the list was scrolled near its end, to ``value``."""
        if self._model.has_folders:
            self.read_on()
        elif self._view.verticalScrollBar().maximum() - value < _PREFETCH_PAGES * self._view.viewport().height():
            self._model.fetchMore()

    # While rows change

    def remember_anchor(self) -> None:
        """Remember the row at the top before rows change. At the very top nothing is held: new threads shall show."""
        if self._anchor is None and self._view.verticalScrollBar().value() > 0:
            index = self._view.indexAt(QPoint(self._view.viewport().width() // 2, 0))
            if index.isValid():
                self._anchor = (QPersistentModelIndex(index), self._view.visualRect(index).top())

    def return_to_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is not None and anchor[0].isValid():
            self._view.verticalScrollBar().setValue(anchor[0].row() * self._view.row_height_px - anchor[1])

    def remember_rows(self) -> None:
        """Remember the current row and the top one before all rows are rebuilt."""
        current = self._model.thread_at(self._view.currentIndex())
        self._folder_before = self._model.folder_at(self._view.currentIndex())
        self._rows_before = (None if current is None else current.id, *(self.top() or (None, 0)))

    def return_to_rows(self) -> None:
        """Return to the rows that ``remember_rows`` remembered, once all rows are rebuilt."""
        self._anchor = None
        kept, self._rows_before = self._rows_before, None
        is_new, self._starts_at_top = self._starts_at_top, False
        if is_new and self._model.rowCount():
            self._anchor = (QPersistentModelIndex(self._model.index(0)), 0)
        if kept is None:
            return
        current_id, top_id, offset = kept
        folder, self._folder_before = self._folder_before, None
        if current_id is not None or folder is not None:
            index = self._model.index_of(current_id or "")
            if folder is not None:
                index = self._model.index_of_project(folder.project_id)
            self._view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        top = QModelIndex() if top_id is None or is_new else self._model.index_of(top_id)
        if top.isValid():
            self._anchor = (QPersistentModelIndex(top), offset)
