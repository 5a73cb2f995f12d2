"""Defines the base of the sidebar for its menus and bars: its signals, its list, and the list's filter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.grouping import ThreadView
from chatdesk.ui.sidebar.thread_list import ThreadList
from chatdesk.ui.theme.theme import Theme

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import Tag, Thread


_CALENDAR_MS: Final = 60_000  # a sleeping machine misses timers, so midnight is looked for and not waited for


class SidebarBase(QWidget):
    """The base of the sidebar, with signals for the requests of a person that none of its public parts emits:
    ``badge``, ``search_box``, ``rows`` and ``thread_list`` have signals of their own."""

    windowRequested = Signal(str)  # a window of its own for a thread
    besideRequested = Signal(str)
    resultsWanted = Signal(str, object)  # the text, and the list to fill
    hitChosen = Signal(object)
    commandChosen = Signal(str)
    everythingWanted = Signal(str)
    exportRequested = Signal(str)
    viewChanged = Signal(str)
    # About many threads: their ids, as a tuple.
    pinRequested = Signal(object, bool)
    archiveRequested = Signal(object, bool)
    moveRequested = Signal(object)
    moveToRequested = Signal(object, str)
    tagsRequested = Signal(object)
    exportSelectedRequested = Signal(object)
    importRequested = Signal()
    deleteRequested = Signal(object)
    restoreRequested = Signal(object)
    purgeRequested = Signal(object)
    markReadRequested = Signal(object)
    # About the list.
    sortRequested = Signal(bool)
    groupRequested = Signal(bool)  # by project
    sharingChanged = Signal()
    tagFilterRequested = Signal(str)
    tagListRequested = Signal()
    emptyTrashRequested = Signal()
    deletedMessagesRequested = Signal()
    teamPressed = Signal()
    waitingPressed = Signal()
    temporaryPressed = Signal()
    placeChanged = Signal()

    thread_list: ThreadList

    def __init__(self, model: FolderModel, theme: Theme) -> None:
        super().__init__()
        model.setParent(self)
        self.rows = model
        self._theme = theme
        self._by_name = False
        self.by_project = False
        self.read_only: frozenset[str] = frozenset()
        self.rename_keys = ""
        self.tags: tuple[Tag, ...] = ()
        self.tag_id: str | None = None
        self._calendar_timer = QTimer(self, interval=_CALENDAR_MS, timerType=Qt.TimerType.VeryCoarseTimer)
        self._calendar_timer.timeout.connect(self.check_calendar)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the calendar while the groups are visible."""
        self.check_calendar()
        self._calendar_timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._calendar_timer.stop()
        super().hideEvent(event)

    def check_calendar(self) -> None:
        """Regroup after midnight, but not while a title is being edited."""
        if not self.thread_list.is_editing:
            self.rows.regroup()

    @property
    def view(self) -> ThreadView:
        return self.rows.filter.view

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def by_name(self) -> bool:
        return self._by_name

    def unread_of(self, thread_id: str) -> int:
        return self.rows.unread_of(thread_id)

    def selected_ids(self) -> tuple[str, ...]:
        """Return the threads that *Pin*, *Archive*, *Move*, *Tags*, *Export* and *Delete* act on: the marked ones, else
        the one with the keyboard focus or the open one."""
        marked = self.thread_list.marks.ids
        current = self.thread_list.keyboard_id()
        return marked or (() if current is None else (current,))

    def known(self, thread_ids: Iterable[str]) -> list[Thread]:
        """Return those of these threads that are in the list."""
        return [thread for thread in map(self.rows.thread_by_id, thread_ids) if thread is not None]
