"""Models the sidebar grouped by folders, each of which opens, closes and loads on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Signal

from chatdesk.ui.sidebar.grouping import UNREAD, Folder, Folders, heading_key
from chatdesk.ui.sidebar.thread_model import ThreadModel

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import ThreadPage

# Fetches a page of a project: its id, the cursor, and the receiver of the page.
FetchFolder = Callable[[str, str | None, Callable[["ThreadPage"], None]], None]

_AnyIndex = QModelIndex | QPersistentModelIndex


class FolderModel(ThreadModel):
    """A list by date while ``set_folders`` says None, which is how it begins."""

    foldersToggled = Signal()

    _fetch_folder: FetchFolder | None = None

    @property
    def is_at_end(self) -> bool:
        """Return whether everything has been fetched; of folders, whether those that are open have been."""
        return super().is_at_end and self._unfinished() is None

    @property
    def open_folders(self) -> frozenset[str]:
        """The projects whose folders are open, by id."""
        return frozenset(self._open_folders)

    @property
    def has_folders(self) -> bool:
        return self._folders is not None

    def read_folders_with(self, fetch: FetchFolder, open_ids: Iterable[str]) -> None:
        """Set how folders are read. ``fetch`` returns a page of one folder; ``open_ids`` are the projects whose folders
        are open."""
        self._fetch_folder = fetch
        self._open_folders.clear()
        self._open_folders.update(open_ids)

    def set_folders(self, folders: Sequence[Folder] | None) -> None:
        """Set the folders of the page that is delivered next; None for a list without folders."""
        self._next_folders = None if folders is None else Folders(folders, self._open_folders)

    def update_folders(self, folders: Sequence[Folder]) -> bool:
        """Set the titles and counts of the folders; return False when other folders are listed, so that a reload is
        needed."""
        if self._folders is None:
            return True
        changed = self._folders.update(folders)
        for folder in changed or ():
            index = self._show_folder(folder)
            self.dataChanged.emit(index, index)
        return changed is not None

    def folder_of(self, index: _AnyIndex) -> QModelIndex:
        """Return the folder that a row is in; invalid for a row in none."""
        thread = self.thread_at(index)
        if self._folders is None or thread is None or thread.pinned_at is not None:
            return QModelIndex()
        return self.index_of_project(thread.project_id)

    def index_of_project(self, project_id: str) -> QModelIndex:
        """Return the index of the project's folder; invalid where it has none in the list."""
        folder = None if self._folders is None else self._folders.find(project_id)
        return QModelIndex() if folder is None else self.index_of_folder(folder)

    def is_folder_open(self, project_id: str) -> bool:
        return self._folders is not None and self._folders.is_open(project_id)

    def set_folder_open(self, project_id: str, is_open: bool) -> None:
        """Open or close a folder; its threads are read when it opens, and released when it closes."""
        folder = None if self._folders is None else self._folders.find(project_id)
        if self._folders is None or folder is None or self._folders.is_open(project_id) is is_open:
            return
        if is_open:
            self._open_folders.add(project_id)
        else:
            self._open_folders.discard(project_id)
            self._empty_folder(folder, self._folders.group_of(folder))
        folder.next_cursor = UNREAD
        index = self.index_of_folder(folder)
        self.dataChanged.emit(index, index)
        self.foldersToggled.emit()

    def fetch_near(self, first_row: int, last_row: int) -> None:
        """Fetch the next page of the folder that ends between these rows, if it has one."""
        if self._folders is None or self._is_fetching:
            return
        for folder in self._folders.unfinished():
            end = self._end_of_group(self._folders.group_of(folder)) - 1
            if end > last_row:
                return
            if end >= first_row:
                self._ask_folder(folder)
                return

    def read_on(self) -> None:
        """Fetch the next page of any folder, because a thread is sought."""
        if self.is_at_end or self._is_fetching:
            return
        folder = self._unfinished()
        if folder is None:
            self._ask(is_first=False)
        else:
            self._ask_folder(folder)

    # Inside

    def _unfinished(self) -> Folder | None:
        """Return the folder of which the fewest threads were read, since the folder of a sought thread is not known."""
        folders = self._folders
        if folders is None:
            return None
        return min(folders.unfinished(), key=lambda each: self.listed.group_sizes[folders.group_of(each)], default=None)

    def index_of_folder(self, folder: Folder) -> QModelIndex:
        """Return the index of a folder; invalid once it is not listed any more."""
        if self._folders is None or self._folders.find(folder.project_id) is not folder:
            return QModelIndex()
        return self.index(self.listed.place_for(heading_key(self._folders.group_of(folder))))

    def _show_folder(self, folder: Folder) -> QModelIndex:
        index = self.index_of_folder(folder)
        self.listed.rows[index.row()].title = folder.title
        return index

    def _end_of_group(self, group: int) -> int:
        return self.listed.place_for(heading_key(group + 1))

    def _empty_folder(self, folder: Folder, group: int) -> None:
        first, end = self.index_of_folder(folder).row() + 1, self._end_of_group(group)
        self.listed.group_sizes[group] = 0
        if end > first:
            self.listed.forget_later(first, end)
            self._freeing.start()
            self._remove_rows(first, end - first)

    def _ask_folder(self, folder: Folder) -> None:
        assert self._fetch_folder is not None
        self._question += 1
        question = self._question
        self._is_fetching = True
        self._reported = {}

        def deliver(page: ThreadPage) -> None:
            if question != self._question:
                return
            reported = self._end_fetch()
            if self.is_folder_open(folder.project_id):  # or it was closed in the meantime
                folder.next_cursor = page.next_cursor
                self._add_page(page, reported)
            self.pageArrived.emit()

        self._fetch_folder(folder.project_id, folder.next_cursor or None, deliver)
