"""The rows of the sidebar: threads under group headings, fetched page by page and kept in order by bisection.

It stands on ``QStringListModel`` for one reason: the view asks for the row count once a row whenever it lays out, and
with 10,000 rows that costs 12 ms when Python answers and under 3 ms when C++ does. The strings stay empty; every
answer about a row comes from here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QStringListModel, Qt, QTimer, Signal

from chatdesk.core.clock import Clock
from chatdesk.core.domain.thread import BRANCH_MARK, Thread, ThreadPage
from chatdesk.ui.sidebar.folders import Folder, Folders
from chatdesk.ui.sidebar.grouping import (
    PINNED,
    Arrangement,
    RowKey,
    days_left,
    days_text,
    group_title,
    heading_key,
    local_time,
    short_time,
    spoken_time,
    thread_key,
)
from chatdesk.ui.widgets.plain_tooltip import plain_tooltip

FetchThreads = Callable[[str | None, str, Callable[[ThreadPage], None]], None]

#: What a row is called while it is listed: a thread its id, a heading or a folder its key.
RowName = str | RowKey

_AnyIndex = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
_FOLDER_FLAGS: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
_THREAD_FLAGS: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
_MOST_LOOKED_AT: Final = 5_000  # titles that type-ahead looks at, so that a key press never costs a frame
_FREED_AT_ONCE: Final = 500  # of the rows that another list replaces: freeing thousands takes a frame
_MOST_REGROUPED: Final = 1_000  # rows that get their new headings in one go


class ThreadView(StrEnum):
    """The set of threads that is listed."""

    ACTIVE = "active"
    ARCHIVE = "archive"
    TRASH = "trash"

    def holds(self, thread: Thread) -> bool:
        if self is ThreadView.TRASH:
            return thread.deleted_at is not None
        if thread.deleted_at is not None:
            return False
        return (thread.archived_at is not None) is (self is ThreadView.ARCHIVE)


class ThreadRole(IntEnum):
    """The data roles that a row answers besides its text."""

    THREAD_ID = Qt.ItemDataRole.UserRole + 1
    IS_HEADING = Qt.ItemDataRole.UserRole + 2
    IS_PINNED = Qt.ItemDataRole.UserRole + 3
    IS_STREAMING = Qt.ItemDataRole.UserRole + 4
    TIME = Qt.ItemDataRole.UserRole + 5
    TAGS = Qt.ItemDataRole.UserRole + 6
    PAINTED = Qt.ItemDataRole.UserRole + 7  # all that is painted of a thread, as one ``PaintedRow``


class PaintedRow(NamedTuple):
    """A question to a model costs more than its answer, so a row is asked for at once."""

    title: str
    time: str
    is_pinned: bool
    is_streaming: bool
    tags: tuple[str, ...]
    unread: int = 0
    icon: str = ""  # what stands before the title
    is_in_folder: bool = False


@dataclass(slots=True)
class _Row:
    title: str
    thread: Thread | None  # None: a heading
    folder: Folder | None = None


class ThreadModel(QStringListModel):
    """``fetch`` gives one page and calls back on this thread, whenever it likes; answers to old questions are dropped.
    It delivers pinned threads first; within that any order is put right here.
    """

    aboutToRebuild = Signal()
    pageArrived = Signal()
    renameEntered = Signal(str, str)

    def __init__(
        self, fetch: FetchThreads, clock: Clock, *, zone: tzinfo | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._clock = clock
        self._zone = zone
        self._today = self._read_today()
        self._keys: list[RowKey] = []
        self._rows: list[_Row] = []
        self._key_of: dict[str, RowKey] = {}
        self._group_sizes: Counter[int] = Counter()
        self._streaming: set[str] = set()
        self._unread: Mapping[str, int] = {}
        self._shared: frozenset[str] = frozenset()
        self._view = ThreadView.ACTIVE
        self._by_name = False
        self._how = Arrangement()
        self._trash_days = 30
        self._project_id: str | None = None
        self._folders: Folders | None = None
        self._next_folders: Folders | None = None  # those of the page that is on its way
        self._open_folders: set[str] = set()
        self._tag: str | None = None
        self._query = ""
        self._cursor: str | None = None
        self._is_at_end = True
        self._is_fetching = False
        self._told: dict[str, Thread | None] = {}  # what was told while a page was on its way
        self._question = 0
        # Rows that are gone, with the dict that still has their keys; ``_free_some`` takes them out of it.
        self._gone: list[tuple[list[RowKey], list[_Row], dict[str, RowKey]]] = []
        self._freeing = QTimer(self, singleShot=True, interval=0)
        self._freeing.timeout.connect(self._free_some)

    # What is listed

    @property
    def view(self) -> ThreadView:
        return self._view

    @property
    def query(self) -> str:
        return self._query

    @property
    def is_fetching(self) -> bool:
        return self._is_fetching

    @property
    def thread_count(self) -> int:
        """Threads fetched so far."""
        return self._group_sizes.total()

    @property
    def is_at_end(self) -> bool:
        """Return whether everything has been fetched."""
        return self._is_at_end

    @property
    def by_name(self) -> bool:
        return self._by_name

    def set_filter(self, project_id: str | None, tag: str | None) -> None:
        """List threads of one project, with one tag (None: any). Changes meanwhile follow the filter; ``reload``
        fetches anew."""
        self._project_id, self._tag = project_id, tag

    def set_trash_days(self, days: int) -> None:
        """Set how many days threads stay in the trash, to show the days that are left."""
        self._trash_days = days

    def reload(self, *, view: ThreadView | None = None, query: str | None = None, by_name: bool | None = None) -> None:
        """Ask anew from the beginning; the old rows stay until the first page is there."""
        self._view = self._view if view is None else view
        self._query = self._query if query is None else query.strip()
        self._by_name = self._by_name if by_name is None else by_name
        self._cursor = None
        self._ask(is_first=True)

    def abandon_fetch(self) -> None:
        """Allow asking again for a page that will not come, and drop it should it come after all."""
        self._question += 1
        self._is_fetching = False

    def thread_by_id(self, thread_id: str) -> Thread | None:
        key = self._find_key(thread_id)
        return None if key is None else self._rows[bisect_left(self._keys, key)].thread

    def thread_at(self, index: _AnyIndex) -> Thread | None:
        return self._rows[index.row()].thread if index.isValid() else None

    def folder_at(self, index: _AnyIndex) -> Folder | None:
        return self._rows[index.row()].folder if index.isValid() else None

    def ids_between(self, first_row: int, last_row: int) -> list[str]:
        """Return the threads from one row to another, either way round, headings left out."""
        low, high = sorted((first_row, last_row))
        return [row.thread.id for row in self._rows[max(0, low) : high + 1] if row.thread is not None]

    def index_of(self, thread_id: str) -> QModelIndex:
        """Invalid while the thread is not in the list."""
        key = self._find_key(thread_id)
        return QModelIndex() if key is None else self.index(bisect_left(self._keys, key))

    def row_name(self, row: int) -> RowName | None:
        """None where there is no such row."""
        if not 0 <= row < len(self._rows):
            return None
        thread = self._rows[row].thread
        return self._keys[row] if thread is None else thread.id

    def index_of_row(self, name: RowName) -> QModelIndex:
        """Return the current index of the row with that name; invalid once it is not listed any more."""
        if isinstance(name, str):
            return self.index_of(name)
        place = bisect_left(self._keys, name)
        return self.index(place) if place < len(self._keys) and self._keys[place] == name else QModelIndex()

    def neighbour(self, thread_id: str, step: int) -> str | None:
        """Return the thread ``step`` threads below (negative: above), headings not counted; None past the ends."""
        key = self._find_key(thread_id)
        row = (-1 if step > 0 else len(self._rows)) if key is None else bisect_left(self._keys, key)
        left = abs(step)
        while left:
            row += 1 if step > 0 else -1
            if not 0 <= row < len(self._rows):
                return None
            left -= self._rows[row].thread is not None
        thread = self._rows[row].thread
        return None if thread is None else thread.id

    def find(self, prefix: str, after: _AnyIndex) -> QModelIndex:
        """Return the next thread whose title begins with ``prefix``, from ``after`` on and around the end."""
        wanted = prefix.casefold()
        start, count = max(after.row(), 0), len(self._rows)
        for step in range(min(count, _MOST_LOOKED_AT)):
            row = (start + step) % count
            found = self._rows[row]
            if (found.thread or found.folder) is not None and found.title.casefold().startswith(wanted):
                return self.index(row)
        return QModelIndex()

    # What changed

    def upsert_thread(self, thread: Thread) -> None:
        """Put a new or changed thread where it belongs; take it away when the view or the search does not hold it."""
        if self._is_fetching:
            self._told[thread.id] = thread
        old_key = self._find_key(thread.id)
        if not self._holds(thread):
            self.remove_thread(thread.id)
            return
        key = thread_key(thread, self._today, self._zone, self._how)
        if old_key is None:
            self._insert([thread])
        elif old_key == key:
            self._replace(bisect_left(self._keys, key), thread)
        else:
            self._move(old_key, key, thread)

    def remove_thread(self, thread_id: str) -> None:
        if self._is_fetching:
            self._told[thread_id] = None
        key = self._find_key(thread_id)
        if key is None:
            return
        del self._key_of[thread_id]
        row = bisect_left(self._keys, key)
        self._take(row, 1)
        self._leave_group(key[0])

    def set_streaming(self, thread_id: str, is_streaming: bool) -> None:
        if is_streaming:
            self._streaming.add(thread_id)
        else:
            self._streaming.discard(thread_id)
        index = self.index_of(thread_id)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def set_unread(self, counts: Mapping[str, int]) -> None:
        """Set how many messages of others each thread has that were not seen; threads without any are left out."""
        before, self._unread = self._unread, dict(counts)
        for thread_id in before.keys() | self._unread.keys():
            if before.get(thread_id) != self._unread.get(thread_id):
                index = self.index_of(thread_id)
                if index.isValid():
                    self.dataChanged.emit(index, index)

    def set_shared_projects(self, project_ids: Iterable[str]) -> None:
        """Set the projects that others are in, whose threads are marked."""
        shared = frozenset(project_ids)
        if shared != self._shared:
            self._shared = shared
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def unread_of(self, thread_id: str) -> int:
        return self._unread.get(thread_id, 0)

    def regroup(self) -> bool:
        """Look at the calendar; on a new day put every row under its new heading. True when the day changed."""
        today = self._read_today()
        if today == self._today:
            return False
        self._today = today
        if len(self._rows) > _MOST_REGROUPED:
            self.reload()
        else:
            self._rebuild([row.thread for row in self._rows if row.thread is not None])
        return True

    # Qt's questions

    def flags(self, index: _AnyIndex) -> Qt.ItemFlag:
        thread = self.thread_at(index)
        if thread is None:
            return Qt.ItemFlag.NoItemFlags if self.folder_at(index) is None else _FOLDER_FLAGS
        flags = _THREAD_FLAGS
        return flags if thread.deleted_at is not None else flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return row.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(row)
            case ThreadRole.IS_HEADING:
                return row.thread is None
            case Qt.ItemDataRole.ToolTipRole:
                return "" if row.thread is None and row.folder is None else plain_tooltip(row.title)
            case ThreadRole.PAINTED if row.folder is not None and self._folders is not None:
                return self._folders.painted(row.folder)
        return None if row.thread is None else self._thread_data(row.thread, role)

    def setData(self, index: _AnyIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A title entered in place is only announced; the row changes when the new title has been saved."""
        thread = self.thread_at(index)
        title = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or thread is None or not title or title == thread.title:
            return False
        self.renameEntered.emit(thread.id, title)
        return True

    def canFetchMore(self, _parent: _AnyIndex = _ROOT) -> bool:
        """Qt asks at the end of the list, which of folders says nothing: ``fetch_near`` reads those."""
        return self._folders is None and not self._is_at_end and not self._is_fetching

    def fetchMore(self, _parent: _AnyIndex = _ROOT) -> None:
        if self.canFetchMore():
            self._ask(is_first=False)

    # Inside

    def _read_today(self) -> date:
        return local_time(self._clock.now_ms(), self._zone).date()

    def _holds(self, thread: Thread) -> bool:
        return (
            self._view.holds(thread)
            and self._project_id in (None, thread.project_id)
            and (self._tag is None or self._tag in thread.tags)
            and (not self._query or self._matches(thread))
            and (self._folders is None or thread.pinned_at is not None or self._folders.is_open(thread.project_id))
        )

    def _matches(self, thread: Thread) -> bool:
        return self._query.casefold() in thread.title.casefold()

    def _thread_data(self, thread: Thread, role: int) -> Any:
        match role:
            case ThreadRole.THREAD_ID:
                return thread.id
            case ThreadRole.IS_PINNED:
                return thread.pinned_at is not None
            case ThreadRole.IS_STREAMING:
                return thread.id in self._streaming
            case ThreadRole.TIME:
                if self._how.is_trash:
                    return days_text(self._days_left(thread))
                names_year = self._how.by_name or self._how.folders is not None
                return short_time(thread.last_activity_at, self._today, self._zone, names_year=names_year)
            case ThreadRole.TAGS:
                return thread.tags
            case ThreadRole.PAINTED:
                return PaintedRow(
                    thread.title.removesuffix(BRANCH_MARK),
                    self._thread_data(thread, ThreadRole.TIME),
                    thread.pinned_at is not None,
                    thread.id in self._streaming,
                    thread.tags,
                    self._unread.get(thread.id, 0),
                    self._icon(thread),
                    self._folders is not None and thread.pinned_at is None,
                )
        return None

    def _icon(self, thread: Thread) -> str:
        if thread.pinned_at is not None:
            return "pin"
        if thread.project_id in self._shared:
            return "users"
        return "git-branch" if thread.is_branch else ""

    def _spoken(self, row: _Row) -> str:
        if row.folder is not None and self._folders is not None:
            return self._folders.spoken(row.folder)
        if row.thread is None:
            return row.title
        words = [row.title, spoken_time(self._how.moment(row.thread), self._today, self._zone)]
        if self._how.is_trash:
            words[1:] = [f"deleted {words[1]}", f"{days_text(self._days_left(row.thread))} left"]
        unread = self._unread.get(row.thread.id, 0)
        if unread:
            words.append(f"{unread:,} unread")
        if row.thread.tags:
            words.append("tagged " + ", ".join(row.thread.tags))
        if row.thread.pinned_at is not None:
            words.append("pinned")
        if row.thread.project_id in self._shared:
            words.append("shared")
        if row.thread.id in self._streaming:
            words.append("answer is being written")
        return ", ".join(words)

    def _days_left(self, thread: Thread) -> int:
        return days_left(thread.deleted_at or 0, self._clock.now_ms(), self._trash_days)

    def _ask(self, *, is_first: bool) -> None:
        self._question += 1
        question = self._question
        self._is_fetching = True
        self._told = {}

        def deliver(page: ThreadPage) -> None:
            if question == self._question:
                self._on_page_delivered(page, is_first=is_first)

        self._fetch(self._cursor, self._query, deliver)

    def _on_page_delivered(self, page: ThreadPage, *, is_first: bool) -> None:
        told = self._take_told()
        self._cursor = page.next_cursor
        self._is_at_end = page.next_cursor is None
        if is_first:
            self._folders, self._next_folders = self._next_folders, None
            self._how = Arrangement(
                by_name=self._by_name and self._view is not ThreadView.TRASH,
                is_trash=self._view is ThreadView.TRASH,
                has_pinned=self._view is ThreadView.ACTIVE,
                folders=None if self._folders is None else self._folders.places,
            )
            threads = page.threads
            if self._folders is not None:  # some may have been closed since the page was asked for
                threads = tuple(thread for thread in threads if self._holds(thread))
            self._rebuild(threads)
            for thread_id, thread in told.items():  # the page may have been read before that
                if thread is None:
                    self.remove_thread(thread_id)
                else:
                    self.upsert_thread(thread)
        else:
            self._add_page(page, told)
        self.pageArrived.emit()

    def _take_told(self) -> dict[str, Thread | None]:
        """The page is there: what was told since it was asked for."""
        self._is_fetching = False
        told, self._told = self._told, {}
        return told

    def _add_page(self, page: ThreadPage, told: Mapping[str, Thread | None]) -> None:
        threads = [thread for thread in page.threads if thread.id not in told]  # which is newer than the page
        for thread in threads:
            if self._find_key(thread.id) is not None:  # it moved since it was listed
                self.upsert_thread(thread)
        self._insert([thread for thread in threads if self._find_key(thread.id) is None])

    def _rebuild(self, threads: Sequence[Thread]) -> None:
        """Build all rows anew. Callers that must keep a place remember it at ``aboutToRebuild``, by thread."""
        self.aboutToRebuild.emit()
        self._forget_later(self._keys, self._rows)
        self._keys, self._rows, self._key_of = [], [], {}
        self._group_sizes.clear()
        entries = self._entries_for(threads)
        if self._folders is not None:
            entries += [
                (heading_key(self._folders.group_of(folder)), _Row(folder.title, None, folder))
                for folder in self._folders
            ]
            entries.sort(key=lambda entry: entry[0])
        self._note(entries)
        self._keys = [key for key, _ in entries]
        self._rows = [row for _, row in entries]
        self.setStringList([""] * len(entries))

    def _forget_later(self, keys: list[RowKey], rows: list[_Row]) -> None:
        """Free rows that are not listed any more in the background: freeing 100,000 keys takes several frames."""
        self._gone.append((keys, rows, self._key_of))
        self._freeing.start()

    def _free_some(self) -> None:
        keys, rows, key_of = self._gone[-1]
        for key, row in zip(keys[-_FREED_AT_ONCE:], rows[-_FREED_AT_ONCE:], strict=True):
            # A thread that is listed again by now has another key, though it may be equal.
            if row.thread is not None and key_of.get(row.thread.id) is key:
                del key_of[row.thread.id]
        del keys[-_FREED_AT_ONCE:], rows[-_FREED_AT_ONCE:]
        if not keys:
            self._gone.pop()
        if self._gone:
            self._freeing.start()

    def _find_key(self, thread_id: str) -> RowKey | None:
        """The key of a thread that is listed."""
        key = self._key_of.get(thread_id)
        if key is None or not self._gone:
            return key
        place = bisect_left(self._keys, key)
        return key if place < len(self._keys) and self._keys[place] == key else None

    def _entries_for(self, threads: Sequence[Thread]) -> list[tuple[RowKey, _Row]]:
        """Sorted rows for threads that are not listed yet, with the headings that are missing."""
        unique = {thread.id: thread for thread in threads}
        entries = [
            (thread_key(thread, self._today, self._zone, self._how), _Row(thread.title, thread))
            for thread in unique.values()
        ]
        groups = {key[0] for key, _ in entries if self._lacks_heading(key[0])}
        entries.extend((heading_key(group), _Row(group_title(group), None)) for group in groups)
        return sorted(entries, key=lambda entry: entry[0])

    def _lacks_heading(self, group: int) -> bool:
        """Folders keep theirs, empty ones too."""
        return not self._group_sizes[group] and (self._folders is None or group == PINNED)

    def _note(self, entries: Sequence[tuple[RowKey, _Row]]) -> None:
        for key, row in entries:
            if row.thread is not None:
                self._key_of[row.thread.id] = key
                self._group_sizes[key[0]] += 1

    def _insert(self, threads: Sequence[Thread]) -> None:
        """Runs of neighbours go in together, so that a page is a few signals and not a hundred."""
        entries = self._entries_for(threads)
        self._note(entries)
        start = 0
        while start < len(entries):
            place = bisect_left(self._keys, entries[start][0])
            limit = self._keys[place] if place < len(self._keys) else None
            end = start + 1
            while end < len(entries) and (limit is None or entries[end][0] < limit):
                end += 1
            self._put(place, entries[start:end])
            start = end

    def _put(self, place: int, entries: Sequence[tuple[RowKey, _Row]]) -> None:
        self._keys[place:place] = [key for key, _ in entries]
        self._rows[place:place] = [row for _, row in entries]
        self.insertRows(place, len(entries))

    def _take(self, place: int, count: int) -> None:
        del self._keys[place : place + count]
        del self._rows[place : place + count]
        self.removeRows(place, count)

    def _leave_group(self, group: int) -> None:
        self._group_sizes[group] -= 1
        if self._lacks_heading(group):
            self._take(bisect_left(self._keys, heading_key(group)), 1)

    def _replace(self, place: int, thread: Thread) -> None:
        self._rows[place] = _Row(thread.title, thread)
        self.dataChanged.emit(self.index(place), self.index(place))

    def _move(self, old_key: RowKey, key: RowKey, thread: Thread) -> None:
        """Qt is told of a move, not of a removal and an insertion: selection and current row go along."""
        if self._lacks_heading(key[0]):
            heading = heading_key(key[0])
            self._put(bisect_left(self._keys, heading), [(heading, _Row(group_title(key[0]), None))])
        self._group_sizes[key[0]] += 1
        source = bisect_left(self._keys, old_key)
        target = bisect_left(self._keys, key)
        self._key_of[thread.id] = key
        del self._keys[source], self._rows[source]
        place = target if target <= source else target - 1
        self._keys.insert(place, key)
        self._rows.insert(place, _Row(thread.title, thread))
        if target not in (source, source + 1):
            self.moveRows(_ROOT, source, 1, _ROOT, target)
        self.dataChanged.emit(self.index(place), self.index(place))
        self._leave_group(old_key[0])
