"""The sidebar: project, search, the list of threads, what the last save did. It knows threads, not the service: pages
come from a callback, wishes leave as signals.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.clock import Clock, SystemClock
from chatdesk.core.domain.project import Project
from chatdesk.core.domain.thread import Thread
from chatdesk.ui.sidebar.project_badge import ProjectBadge
from chatdesk.ui.sidebar.search_box import SearchBox
from chatdesk.ui.sidebar.status_row import StatusRow
from chatdesk.ui.sidebar.thread_list import ThreadList
from chatdesk.ui.sidebar.thread_model import FetchThreads, ThreadModel, ThreadView
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton

_VIEW_TITLES: Final = {
    ThreadView.ACTIVE: "Threads",
    ThreadView.ARCHIVE: "Archive",
    ThreadView.TRASH: "Trash",
}
_EMPTY_TEXTS: Final = {
    ThreadView.ACTIVE: "No threads yet. Type a question to begin the first.",
    ThreadView.ARCHIVE: "Nothing is archived.",
    ThreadView.TRASH: "The trash is empty. Deleted threads stay here for 30 days.",
}
_SLOW_FETCH_MS: Final = 250  # sooner than this nobody needs to read that something is loading
_CALENDAR_MS: Final = 60_000  # a sleeping machine misses timers, so midnight is looked for and not waited for
_MARGIN_PX: Final = 10


class Sidebar(QWidget):
    """``fetch(cursor, query, deliver)`` gives a page of the present view; ``viewChanged`` comes before the first
    question about another view. Nothing is asked before ``reload()``."""

    threadChosen = Signal(str)
    newThreadRequested = Signal()
    searchChanged = Signal(str)
    searchWanted = Signal(str)
    renameRequested = Signal(str, str)
    pinRequested = Signal(str, bool)
    archiveRequested = Signal(str, bool)
    deleteRequested = Signal(str)
    restoreRequested = Signal(str)
    exportRequested = Signal(str)
    settingsRequested = Signal()
    viewChanged = Signal(str)

    def __init__(
        self,
        fetch: FetchThreads,
        theme: Theme,
        *,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = ThreadModel(fetch, clock or SystemClock(), zone=zone, parent=self)
        self._load_error = ""
        self.setObjectName("sidebar")
        self.setAccessibleName("Sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._badge = ProjectBadge(theme, self)
        self._filter_button = IconButton(
            theme, "archive", name="Threads, archive or trash", object_name="threadViewButton", parent=self
        )
        self._new_button = IconButton(
            theme, "square-pen", name="New thread", object_name="newThreadButton", parent=self
        )
        self.search_box = SearchBox(theme, self)
        self._view_bar = QPushButton(self)
        self.thread_list = ThreadList(self._model, theme, self)
        self._retry_button = QPushButton("Try again", self)
        self._status = StatusRow(theme, self)
        self._slow_timer = QTimer(self, singleShot=True, interval=_SLOW_FETCH_MS)
        self._calendar_timer = QTimer(self, interval=_CALENDAR_MS)
        self._calendar_timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._name_parts()
        self._lay_out()
        self._connect()
        self._dress()
        self._calendar_timer.start()

    # For the controller

    @property
    def view(self) -> ThreadView:
        return self._model.view

    def reload(self) -> None:
        """Ask for the list from the beginning."""
        self._ask(view=None, query=None)

    def set_project(self, project: Project) -> None:
        self._badge.set_project(project.name, project.colour)

    def set_status(self, text: str, *, is_error: bool = False) -> None:
        """The line at the bottom: what became of the last change."""
        self._status.set_text(text, is_error=is_error)

    def set_load_error(self, sentence: str) -> None:
        """The page asked for will not come; an empty sentence takes the notice away."""
        if sentence:
            self._model.abandon_fetch()
        self._load_error = sentence
        self._refresh_empty_text()

    def set_open_thread(self, thread_id: str | None) -> None:
        self.thread_list.show_open(thread_id)

    def upsert_thread(self, thread: Thread) -> None:
        self._model.upsert_thread(thread)
        self._refresh_empty_text()

    def remove_thread(self, thread_id: str) -> None:
        self._model.remove_thread(thread_id)
        self._refresh_empty_text()

    def set_streaming(self, thread_id: str, is_streaming: bool) -> None:
        self._model.set_streaming(thread_id, is_streaming)

    def set_view(self, view: ThreadView | str) -> None:
        view = ThreadView(view)
        if view is not self._model.view:
            self.viewChanged.emit(str(view))
            self._ask(view=view, query=None)
            self._refresh_view_bar()

    def current_thread_id(self) -> str | None:
        """The thread that *Rename*, *Pin*, *Delete* are about."""
        return self.thread_list.keyboard_id()

    def neighbour_of(self, thread_id: str | None, step: int) -> str | None:
        """For *Next thread* and *Previous thread*."""
        return self._model.neighbour(thread_id or "", step)

    def begin_rename(self, thread_id: str | None = None) -> bool:
        """Open the title field in the row; false when the thread is not in the list."""
        wanted = thread_id or self.current_thread_id()
        return wanted is not None and self.thread_list.begin_rename(wanted)

    def focus_search(self) -> None:
        self.search_box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search_box.selectAll()

    def focus_panes(self) -> tuple[QWidget, ...]:
        """In the order in which Tab walks."""
        return (self._filter_button, self._new_button, self.search_box, self.thread_list, self._status.settings_button)

    # Building

    def _name_parts(self) -> None:
        self._new_button.set_name("New thread", tooltip="New thread (Ctrl+N)")
        self._view_bar.setObjectName("threadViewBar")
        self._retry_button.setObjectName("retryListButton")
        self._retry_button.setAccessibleName("Load the list of threads again")
        self._retry_button.hide()
        self._view_bar.hide()

    def _lay_out(self) -> None:
        space = self._theme.tokens.space
        top = QHBoxLayout()
        top.setContentsMargins(space.s, 0, 0, 0)
        top.setSpacing(space.xs)
        top.addWidget(self._badge, 1)
        top.addWidget(self._filter_button)
        top.addWidget(self._new_button)
        self._line = QFrame(self)
        self._line.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, 14, _MARGIN_PX, 2)
        column.setSpacing(0)
        column.addLayout(top)
        column.addSpacing(space.l - 2)
        column.addWidget(self.search_box)
        column.addSpacing(space.s)
        column.addWidget(self._view_bar)
        column.addWidget(self.thread_list, 1)
        column.addWidget(self._retry_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._line)
        column.addWidget(self._status)

    def _connect(self) -> None:
        self._new_button.clicked.connect(self.newThreadRequested)
        self._filter_button.clicked.connect(self._open_view_menu)
        self._view_bar.clicked.connect(self._on_view_bar_clicked)
        self._retry_button.clicked.connect(self.reload)
        self._status.settings_button.clicked.connect(self.settingsRequested)
        self.search_box.searched.connect(self._on_search_box_searched)
        self.search_box.everythingWanted.connect(self.searchWanted)
        self.search_box.descended.connect(self._on_search_box_descended)
        self.thread_list.chosen.connect(self.threadChosen)
        self.thread_list.deletePressed.connect(self._on_list_delete_pressed)
        self.thread_list.menuAsked.connect(self._open_thread_menu)
        self._model.renameEntered.connect(self.renameRequested)
        self._model.pageArrived.connect(self._on_model_page_arrived)
        self._slow_timer.timeout.connect(self._refresh_empty_text)
        self._calendar_timer.timeout.connect(self.check_calendar)
        self._theme.changed.connect(self._dress)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self.setStyleSheet(
            f"#sidebar {{ background: {tokens.surface}; }}"
            f"#threadList {{ background: transparent; border: none; }}"
            f"#threadViewBar {{ text-align: left; padding: 4px 8px; margin-bottom: 4px; }}"
        )
        self._line.setStyleSheet(f"background: {tokens.line};")
        self._refresh_view_bar()

    # Menus

    def view_menu(self) -> QMenu:
        """Threads, Archive, Trash: one of them is checked."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        for view, title in _VIEW_TITLES.items():
            action = QAction(title, menu, checkable=True, checked=view is self._model.view)
            action.triggered.connect(lambda _=False, view=view: self.set_view(view))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def thread_menu(self, thread: Thread) -> QMenu:
        """What can be done with one thread."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        thread_id = thread.id
        if thread.deleted_at is not None:
            menu.addAction("Restore").triggered.connect(lambda: self.restoreRequested.emit(thread_id))
            return menu
        is_pinned, is_archived = thread.pinned_at is not None, thread.archived_at is not None
        menu.addAction("Rename\tF2").triggered.connect(lambda: self.thread_list.begin_rename(thread_id))
        menu.addAction("Unpin" if is_pinned else "Pin").triggered.connect(
            lambda: self.pinRequested.emit(thread_id, not is_pinned)
        )
        menu.addAction("Move out of the archive" if is_archived else "Archive").triggered.connect(
            lambda: self.archiveRequested.emit(thread_id, not is_archived)
        )
        menu.addAction("Export…").triggered.connect(lambda: self.exportRequested.emit(thread_id))
        menu.addSeparator()
        menu.addAction("Delete\tDel").triggered.connect(lambda: self.deleteRequested.emit(thread_id))
        return menu

    def _open_view_menu(self) -> None:
        self.view_menu().popup(self._filter_button.mapToGlobal(QPoint(0, self._filter_button.height())))

    def _open_thread_menu(self, thread_id: str, place: QPoint) -> None:
        thread = self._model.thread_by_id(thread_id)
        if thread is not None:
            self.thread_menu(thread).popup(place)

    # Reactions

    def check_calendar(self) -> None:
        """Regroup after midnight, but not under the hands of somebody who is changing a title."""
        if not self.thread_list.is_editing:
            self._model.regroup()

    def _ask(self, *, view: ThreadView | None, query: str | None) -> None:
        self._load_error = ""
        self._slow_timer.start()
        self._model.reload(view=view, query=query)
        self._refresh_empty_text()

    def _on_search_box_searched(self, text: str) -> None:
        self.searchChanged.emit(text)
        self._ask(view=None, query=text)

    def _on_search_box_descended(self) -> None:
        self.thread_list.setFocus(Qt.FocusReason.TabFocusReason)

    def _on_list_delete_pressed(self, thread_id: str) -> None:
        thread = self._model.thread_by_id(thread_id)
        if thread is not None and thread.deleted_at is None:
            self.deleteRequested.emit(thread_id)

    def _on_model_page_arrived(self) -> None:
        self._slow_timer.stop()
        self._load_error = ""
        self._refresh_empty_text()

    def _on_view_bar_clicked(self) -> None:
        self.set_view(ThreadView.ACTIVE)
        self.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _refresh_view_bar(self) -> None:
        view = self._model.view
        self._view_bar.setVisible(view is not ThreadView.ACTIVE)
        self._view_bar.setText(f"{_VIEW_TITLES[view]} · back to threads")
        self.thread_list.setAccessibleName(_VIEW_TITLES[view])

    def _refresh_empty_text(self) -> None:
        self._retry_button.setVisible(bool(self._load_error))
        if self._load_error:
            text = self._load_error
        elif self._model.is_fetching:
            text = "" if self._slow_timer.isActive() else "Loading threads…"
        elif self._model.query:
            text = f"No thread has “{self._model.query[:60]}” in its title."
        else:
            text = _EMPTY_TEXTS[self._model.view]
        self.thread_list.set_empty_text(text)
