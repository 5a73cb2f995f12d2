"""Models the rows of the sidebar: threads under group headings, fetched page by page and kept in order by bisection.

It is on ``QStringListModel`` for one reason: the view asks for the row count once a row whenever it lays out, and with
10,000 rows that costs 12 ms when Python answers and under 3 ms when C++ does. The strings stay empty; every answer
about a row comes from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QStringListModel, Qt, QTimer, Signal

from chatdesk.core.clock import Clock
from chatdesk.core.texts import shown
from chatdesk.ui.sidebar.grouping import (
    PINNED,
    Arrangement,
    Folder,
    Folders,
    RowKey,
    ThreadFilter,
    ThreadView,
    group_title,
    heading_key,
)
from chatdesk.ui.sidebar.listed_rows import Entry, ListedRow, ListedRows, RowName
from chatdesk.ui.sidebar.row_display import RowDisplay, ThreadRole
from chatdesk.ui.widgets.elided_label import plain_tooltip

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import Thread, ThreadPage

FetchThreads = Callable[[str | None, Callable[["ThreadPage"], None]], None]

_AnyIndex = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
_FOLDER_FLAGS: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
_THREAD_FLAGS: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
_MOST_REGROUPED: Final = 1_000  # rows that get their new headings in one go


class ThreadModel(QStringListModel):
    """The list model of threads. ``fetch`` gives one page and calls back on this thread, whenever it likes; answers to
    old questions are dropped. It delivers pinned threads first; within that any order is put right here.
    """

    aboutToRebuild = Signal()
    pageArrived = Signal()
    renameEntered = Signal(str, str)

    def __init__(
        self, fetch: FetchThreads, clock: Clock, *, zone: tzinfo | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._display = RowDisplay(clock, zone)
        self.listed = ListedRows()
        self.filter = ThreadFilter()
        self._by_name = False
        self._folders: Folders | None = None
        self._next_folders: Folders | None = None  # those of the page that is on its way
        self._open_folders: set[str] = set()
        self._cursor: str | None = None
        self._is_at_end = True
        self._is_fetching = False
        self._reported: dict[str, Thread | None] = {}  # changes that were reported while a page was being fetched
        self._question = 0
        self._freeing = QTimer(self, singleShot=True, interval=0)
        self._freeing.timeout.connect(self._free_some)

    # What is listed

    @property
    def is_fetching(self) -> bool:
        return self._is_fetching

    @property
    def thread_count(self) -> int:
        """Threads fetched so far."""
        return self.listed.group_sizes.total()

    @property
    def is_at_end(self) -> bool:
        """Return whether everything has been fetched."""
        return self._is_at_end

    def set_filter(self, project_id: str | None, tag: str | None) -> None:
        """List threads of one project, with one tag (None: any). Changes in the meantime follow the filter; ``reload``
        fetches again."""
        self.filter = replace(self.filter, project_id=project_id, tag=tag)

    def set_trash_days(self, days: int) -> None:
        """Set how many days threads stay in the trash, to show the days that are left."""
        self._display.trash_days = days

    def reload(self, *, view: ThreadView | None = None, by_name: bool | None = None) -> None:
        """Ask again from the beginning; the old rows stay until the first page is there."""
        before = self.filter
        self.filter = replace(before, view=before.view if view is None else view)
        self._by_name = self._by_name if by_name is None else by_name
        self._cursor = None
        self._ask(is_first=True)

    def abandon_fetch(self) -> None:
        """Allow another request for a page that failed, and drop that page should it arrive after all."""
        self._question += 1
        self._is_fetching = False

    def thread_by_id(self, thread_id: str) -> Thread | None:
        place = self.listed.place_of(thread_id)
        return None if place is None else self.listed.rows[place].thread

    def thread_at(self, index: _AnyIndex) -> Thread | None:
        return self.listed.rows[index.row()].thread if index.isValid() else None

    def folder_at(self, index: _AnyIndex) -> Folder | None:
        return self.listed.rows[index.row()].folder if index.isValid() else None

    def index_of(self, thread_id: str) -> QModelIndex:
        """Return the index of a thread; invalid while it is not in the list."""
        return self._index(self.listed.place_of(thread_id))

    def index_of_row(self, name: RowName) -> QModelIndex:
        """Return the current index of the row with that name; invalid once it is not listed any more."""
        return self.index_of(name) if isinstance(name, str) else self._index(self.listed.place_of_key(name))

    def find(self, prefix: str, after: _AnyIndex) -> QModelIndex:
        """Return the next thread whose title begins with ``prefix``, from ``after`` on and around the end."""
        return self._index(self.listed.find_title(prefix, after.row()))

    def _index(self, place: int | None) -> QModelIndex:
        return QModelIndex() if place is None else self.index(place)

    # What changed

    def upsert_thread(self, thread: Thread) -> None:
        """Insert a new thread or move a changed one to its place; remove it if the view does not hold it."""
        if self._is_fetching:
            self._reported[thread.id] = thread
        if not self._holds(thread):
            self.remove_thread(thread.id)
            return
        old_key, key = self.listed.key_of(thread.id), self._display.key(thread)
        if old_key is None:
            self._insert([thread])
        elif old_key == key:
            self._replace(self.listed.place_for(key), thread)
        else:
            self._move(old_key, key, thread)

    def remove_thread(self, thread_id: str) -> None:
        if self._is_fetching:
            self._reported[thread_id] = None
        key = self.listed.key_of(thread_id)
        if key is None:
            return
        self.listed.forget_key(thread_id)
        self._remove_rows(self.listed.place_for(key), 1)
        self._shrink_group(key[0])

    def set_streaming(self, thread_id: str, is_streaming: bool) -> None:
        if is_streaming:
            self._display.streaming.add(thread_id)
        else:
            self._display.streaming.discard(thread_id)
        self._show_again(thread_id)

    def set_unread(self, counts: Mapping[str, int]) -> None:
        """Set how many messages of others each thread has that were not seen; threads without any are left out."""
        before, now = self._display.unread, dict(counts)
        self._display.unread = now
        for thread_id in before.keys() | now.keys():
            if before.get(thread_id) != now.get(thread_id):
                self._show_again(thread_id)

    def _show_again(self, thread_id: str) -> None:
        index = self.index_of(thread_id)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def set_shared_projects(self, project_ids: Iterable[str]) -> None:
        """Set the projects that others are in, whose threads are marked."""
        shared = frozenset(project_ids)
        if shared != self._display.shared:
            self._display.shared = shared
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def unread_of(self, thread_id: str) -> int:
        return self._display.unread.get(thread_id, 0)

    def regroup(self) -> bool:
        """Put every row under its new heading on a new day; return whether the day has changed."""
        if not self._display.read_calendar():
            return False
        rows = self.listed.rows
        if len(rows) > _MOST_REGROUPED:
            self.reload()
        else:
            self._rebuild([row.thread for row in rows if row.thread is not None])
        return True

    # Qt's questions

    def flags(self, index: _AnyIndex) -> Qt.ItemFlag:
        thread = self.thread_at(index)
        if thread is None:
            return Qt.ItemFlag.NoItemFlags if self.folder_at(index) is None else _FOLDER_FLAGS
        flags = _THREAD_FLAGS
        return flags if thread.deleted_at is not None else flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        rows = self.listed.rows
        if not index.isValid() or index.row() >= len(rows):
            return None
        row = rows[index.row()]
        thread, folder = row.thread, None if self._folders is None else row.folder
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return row.title
            case Qt.ItemDataRole.AccessibleTextRole:
                if folder is not None and self._folders is not None:
                    return self._folders.spoken(folder)
                return row.title if thread is None else self._display.spoken(thread)
            case ThreadRole.IS_HEADING:
                return thread is None
            case Qt.ItemDataRole.ToolTipRole:
                return "" if thread is None and row.folder is None else plain_tooltip(row.title)
            case ThreadRole.PAINTED if folder is not None and self._folders is not None:
                return self._folders.painted(folder)
        return None if thread is None else self._display.data(thread, role)

    def setData(self, index: _AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Announce a title that was entered in place; the row changes when the new title has been saved."""
        thread = self.thread_at(index)
        title = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or thread is None or title in ("", thread.title, index.data()):
            return False
        self.renameEntered.emit(thread.id, title)
        return True

    def canFetchMore(self, _parent: _AnyIndex = _ROOT) -> bool:
        """Return whether the list has more. Qt asks at the end of the list, which says nothing about folders:
        ``fetch_near`` reads those."""
        return self._folders is None and not self._is_at_end and not self._is_fetching

    def fetchMore(self, _parent: _AnyIndex = _ROOT) -> None:
        if self.canFetchMore():
            self._ask(is_first=False)

    # Inside

    def _holds(self, thread: Thread) -> bool:
        is_open = self._folders is None or thread.pinned_at is not None or self._folders.is_open(thread.project_id)
        return is_open and self.filter.holds(thread)

    def _ask(self, *, is_first: bool) -> None:
        self._question += 1
        question = self._question
        self._is_fetching = True
        self._reported = {}

        def deliver(page: ThreadPage) -> None:
            if question == self._question:
                self._on_page_delivered(page, is_first=is_first)

        self._fetch(self._cursor, deliver)

    def _on_page_delivered(self, page: ThreadPage, *, is_first: bool) -> None:
        reported = self._end_fetch()
        self._cursor = page.next_cursor
        self._is_at_end = page.next_cursor is None
        if is_first:
            self._folders, self._next_folders = self._next_folders, None
            self._display.how = Arrangement(
                by_name=self._by_name and self.filter.view is not ThreadView.TRASH,
                is_trash=self.filter.view is ThreadView.TRASH,
                has_pinned=self.filter.view is ThreadView.ACTIVE,
                folders=None if self._folders is None else self._folders.places,
            )
            threads = page.threads
            if self._folders is not None:  # some may have been closed since the page was asked for
                threads = tuple(thread for thread in threads if self._holds(thread))
            self._rebuild(threads)
            for thread_id, thread in reported.items():  # the page may have been read before that
                if thread is None:
                    self.remove_thread(thread_id)
                else:
                    self.upsert_thread(thread)
        else:
            self._add_page(page, reported)
        self.pageArrived.emit()

    def _end_fetch(self) -> dict[str, Thread | None]:
        """End the fetch, and return the changes that were reported since the page was requested."""
        self._is_fetching = False
        reported, self._reported = self._reported, {}
        return reported

    def _add_page(self, page: ThreadPage, reported: Mapping[str, Thread | None]) -> None:
        # the reported ones are newer than the page
        threads = [thread for thread in page.threads if thread.id not in reported]
        for thread in threads:
            if self.listed.key_of(thread.id) is not None:  # the thread has moved since it was listed
                self.upsert_thread(thread)
        self._insert([thread for thread in threads if self.listed.key_of(thread.id) is None])

    def _rebuild(self, threads: Sequence[Thread]) -> None:
        """Build all rows again. Callers that must keep a place remember it at ``aboutToRebuild``, by thread."""
        self.aboutToRebuild.emit()
        self.listed.forget_all()
        self._freeing.start()
        entries = self._entries_for(threads)
        if self._folders is not None:
            entries += [
                (heading_key(self._folders.group_of(folder)), ListedRow(folder.title, None, folder))
                for folder in self._folders
            ]
            entries.sort(key=lambda entry: entry[0])
        self.listed.replace_all(entries)
        self.setStringList([""] * len(entries))

    def _free_some(self) -> None:
        if self.listed.free_some():
            self._freeing.start()

    def _entries_for(self, threads: Sequence[Thread]) -> list[Entry]:
        """Return sorted rows for threads that are not listed yet, with the headings that are missing."""
        unique = {thread.id: thread for thread in threads}
        entries = [(self._display.key(thread), ListedRow(shown(thread.name), thread)) for thread in unique.values()]
        groups = {key[0] for key, _ in entries if self._lacks_heading(key[0])}
        entries.extend((heading_key(group), ListedRow(group_title(group), None)) for group in groups)
        return sorted(entries, key=lambda entry: entry[0])

    def _lacks_heading(self, group: int) -> bool:
        """Return whether a group has no heading; folders keep theirs, also empty ones."""
        return not self.listed.group_sizes[group] and (self._folders is None or group == PINNED)

    def _insert(self, threads: Sequence[Thread]) -> None:
        """Insert threads, neighbours together, so that a page is a few signals and not a hundred."""
        entries = self._entries_for(threads)
        self.listed.count_in(entries)
        keys = self.listed.keys
        start = 0
        while start < len(entries):
            place = self.listed.place_for(entries[start][0])
            limit = keys[place] if place < len(keys) else None
            end = start + 1
            while end < len(entries) and (limit is None or entries[end][0] < limit):
                end += 1
            self._insert_rows(place, entries[start:end])
            start = end

    def _insert_rows(self, place: int, entries: Sequence[Entry]) -> None:
        self.listed.insert(place, entries)
        self.insertRows(place, len(entries))

    def _remove_rows(self, place: int, count: int) -> None:
        self.listed.remove(place, count)
        self.removeRows(place, count)

    def _shrink_group(self, group: int) -> None:
        self.listed.group_sizes[group] -= 1
        if self._lacks_heading(group):
            self._remove_rows(self.listed.place_for(heading_key(group)), 1)

    def _replace(self, place: int, thread: Thread) -> None:
        self.listed.rows[place] = ListedRow(shown(thread.name), thread)
        self.dataChanged.emit(self.index(place), self.index(place))

    def _move(self, old_key: RowKey, key: RowKey, thread: Thread) -> None:
        """Move a row. Qt is notified of a move, not of a removal and an insertion, so that selection and current row
        follow."""
        if self._lacks_heading(key[0]):
            heading = heading_key(key[0])
            self._insert_rows(self.listed.place_for(heading), [(heading, ListedRow(group_title(key[0]), None))])
        self.listed.group_sizes[key[0]] += 1
        source = self.listed.place_for(old_key)
        target, place = self.listed.move(thread, source, key)
        if target not in (source, source + 1):
            self.moveRows(_ROOT, source, 1, _ROOT, target)
        self.dataChanged.emit(self.index(place), self.index(place))
        self._shrink_group(old_key[0])
