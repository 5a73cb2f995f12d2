"""The sidebar: project, search, the list of threads, what the last save did. It knows threads, not the service: pages
come from a callback, wishes leave as signals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.clock import Clock, SystemClock
from chatdesk.core.domain.project import Project
from chatdesk.core.domain.thread import Thread
from chatdesk.ui.sidebar.folder_model import FetchFolder, FolderModel
from chatdesk.ui.sidebar.folders import Folder
from chatdesk.ui.sidebar.project_badge import ProjectBadge
from chatdesk.ui.sidebar.search_box import SearchBox
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.sidebar.status_row import StatusRow
from chatdesk.ui.sidebar.thread_list import ThreadList
from chatdesk.ui.sidebar.thread_model import FetchThreads, ThreadView
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton

if TYPE_CHECKING:
    from chatdesk.core.domain.tag import Tag
    from chatdesk.ui.sidebar.selection_bar import SelectionBar
    from chatdesk.ui.sidebar.team_line import TeamLine

_VIEW_TITLES: Final = {
    ThreadView.ACTIVE: "Threads",
    ThreadView.ARCHIVE: "Archive",
    ThreadView.TRASH: "Trash",
}
_SLOW_FETCH_MS: Final = 250  # sooner than this nobody needs to read that something is loading
_CALENDAR_MS: Final = 60_000  # a sleeping machine misses timers, so midnight is looked for and not waited for
_MARGIN_PX: Final = 10


class Sidebar(SidebarBase):
    """``fetch(cursor, query, deliver)`` gives a page of the present view; ``viewChanged`` comes before the first
    question about another view. Nothing is asked before ``reload()``."""

    def __init__(
        self,
        fetch: FetchThreads,
        theme: Theme,
        *,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(FolderModel(fetch, clock or SystemClock(), zone=zone), theme, parent)
        self._load_error = ""
        self._is_loading = False
        self._has_loaded = False
        self._told_status: tuple[str, bool, bool] | None = None
        self._project: Project | None = None
        self.shared: dict[str, str] = {}
        self.workspaces: dict[str, str] = {}  # names, by project
        self._selection_bar: SelectionBar | None = None
        self._tag_name: str | None = None
        self.trash_days = 30
        self._places: dict[ThreadView, tuple[str, int] | None] = {}
        self.setObjectName("sidebar")
        self.setAccessibleName("Sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._badge = ProjectBadge(theme, self)
        self._new_button = IconButton(
            theme, "square-pen", name="New thread", object_name="newThreadButton", parent=self
        )
        self.search_box = SearchBox(theme, self)
        self._view_bar = QPushButton(self)
        self.thread_list = ThreadList(self._model, theme, self)
        self._retry_button = QPushButton("Try again", self)
        self._messages_button = QPushButton("Deleted messages…", self)
        self._empty_button = QPushButton("Empty the trash…", self)
        self._status = StatusRow(theme, self)
        self.team_line: TeamLine | None = None
        self.waiting_line: TeamLine | None = None
        self.temporary_line: TeamLine | None = None
        self._slow_timer = QTimer(self, singleShot=True, interval=_SLOW_FETCH_MS)
        self._calendar_timer = QTimer(self, interval=_CALENDAR_MS)
        self._calendar_timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._name_parts()
        self._lay_out()
        self._connect()
        self._dress()
        self._calendar_timer.start()

    # For the controller

    def reload(self) -> None:
        """Ask for the list from the beginning."""
        self._places.clear()
        self.thread_list.begin_at_top()
        self._ask(view=None, query=None)

    def refresh(self) -> None:
        """Load the same list again and return to its place."""
        place = self.thread_list.place()
        self._ask(view=None, query=None)
        if place is not None:
            self.thread_list.return_to(*place)

    def set_project(self, project: Project | None) -> None:
        """Set the project whose threads are listed; None lists those of all."""
        self._project = project
        self._show_project()
        self._set_filter()

    def set_shared_projects(
        self,
        shared: Mapping[str, str],
        *,
        read_only: frozenset[str] = frozenset(),
        workspaces: Mapping[str, str] | None = None,
    ) -> None:
        """Set, by project id, the text for projects that are shared, such as "shared, you can only read"; the ids of
        those that cannot be changed; and the names of their workspaces."""
        self.shared = dict(shared)
        self.workspaces = dict(workspaces or {})
        self.read_only = read_only
        self._model.set_shared_projects(shared)
        self._show_project()
        self.sharingChanged.emit()

    def _show_project(self) -> None:
        project = self._project
        if project is None:
            self._badge.set_project("All projects", None)
        else:
            self._badge.set_project(project.name, project.colour, shared=self.shared.get(project.id, ""))

    def set_tag(self, tag: Tag | None) -> None:
        """List only threads with this tag; ``reload`` fetches them."""
        self.tag_id = None if tag is None else tag.id
        self._tag_name = None if tag is None else tag.name
        self._set_filter()
        self._refresh_view_bar()

    def set_tags(self, tags: Sequence[Tag]) -> None:
        """Set the tags that the menu offers to filter by."""
        self.tags = tuple(tags)

    def set_order(self, *, by_name: bool) -> None:
        """Set the order of the list; to be called before the first ``reload``."""
        self._by_name = by_name

    def set_grouping(self, *, by_project: bool) -> None:
        """Set the grouping that the menu shows; ``set_folders`` changes the list itself."""
        self.by_project = by_project

    def read_folders_with(self, fetch: FetchFolder, open_ids: Iterable[str]) -> None:
        """``fetch(project_id, cursor, deliver)`` gives a page of a folder; ``open_ids``: the folders that are open."""
        self._model.read_folders_with(fetch, open_ids)

    @property
    def open_folders(self) -> frozenset[str]:
        return self._model.open_folders

    @property
    def has_folders(self) -> bool:
        """Return whether the list stands in folders, which only a list of all projects does."""
        return self._model.has_folders

    def set_folders(self, folders: Sequence[Folder] | None) -> None:
        """Right before the first page is delivered: the folders that it stands in; None: a list without folders."""
        self._model.set_folders(folders)

    def retell_folders(self, folders: Sequence[Folder]) -> None:
        """Update names and counts of the folders; the whole list is loaded anew where folders came, went or moved."""
        if not self._model.retell_folders(folders):
            self.refresh()

    def set_trash_days(self, days: int) -> None:
        self.trash_days = days
        self._model.set_trash_days(days)

    @property
    def badge(self) -> ProjectBadge:
        """The button that opens the list of projects."""
        return self._badge

    def show_keys(self, *, new_thread: str, search: str, settings: str, rename: str) -> None:
        """Show the current keys of these commands in tooltips, the search field and the menu of a row."""
        self.rename_keys = rename
        self._new_button.set_name("New thread", tooltip=_with_keys("New thread", new_thread))
        self.search_box.set_hint(search)
        self._status.settings_button.set_name("Settings", tooltip=_with_keys("Settings", settings))

    def set_status(self, text: str, *, is_error: bool = False, is_busy: bool = False) -> None:
        """Set the line at the bottom: the result of the last change, or that the list is being read."""
        self._told_status = text, is_error, is_busy
        self._show_status()

    def _show_status(self) -> None:
        if self._told_status is None:
            return
        text, is_error, is_busy = self._told_status
        is_waited_for = self._is_loading and not (self._has_loaded and self._slow_timer.isActive())
        if self._load_error and not is_error and self.thread_list.row_count():  # with no rows it stands in their place
            text, is_error, is_busy = self._load_error, True, False
        elif is_waited_for and not is_error:
            text, is_busy = "Loading threads…", True
        if (text, is_error, is_busy) != self._status.shown:
            self._status.set_text(text, is_error=is_error, is_busy=is_busy)

    def set_waiting(self, text: str) -> None:
        """Show how many questions wait to be sent; an empty text hides the line. ``waitingPressed`` asks for the
        list."""
        if self.waiting_line is None:
            if not text:
                return
            from chatdesk.ui.sidebar.team_line import TeamLine

            self.waiting_line = TeamLine(
                self._theme,
                self,
                what="Waiting to be sent",
                object_name="waitingStatus",
                opens="Opens the list of what waits",
            )
            self.waiting_line.clicked.connect(self.waitingPressed)
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(column.indexOf(self._status), self.waiting_line)
            self.setTabOrder(self.team_line or self._empty_button, self.waiting_line)
            self.setTabOrder(self.waiting_line, self._status.view_button)
        self.waiting_line.show_status(text, tone="waiting", tip="")
        self.waiting_line.setVisible(bool(text))

    def set_temporary(self, title: str) -> None:
        """Show the temporary chat above the list; empty when there is none. ``temporaryPressed`` asks for it."""
        if self.temporary_line is None:
            if not title:
                return
            from chatdesk.ui.sidebar.team_line import TeamLine

            self.temporary_line = TeamLine(
                self._theme,
                self,
                what="Temporary chat, not stored",
                object_name="temporaryLine",
                opens="Opens the temporary chat",
            )
            self.temporary_line.clicked.connect(self.temporaryPressed)
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(column.indexOf(self.thread_list), self.temporary_line)
            self.setTabOrder(self._view_bar, self.temporary_line)
            self.setTabOrder(self.temporary_line, self.thread_list)
        if title:
            self.temporary_line.show_status(title, tone="temporary", tip=f"{title} (temporary: nothing is stored)")
        self.temporary_line.setVisible(bool(title))

    def set_team_status(self, text: str, *, tone: str = "calm", tip: str = "", is_under_way: bool = False) -> None:
        """Show the state of sync in one sentence; an empty text hides the line. ``tone`` is calm, offline or refused;
        ``is_under_way`` marks a state that may return soon. ``teamPressed`` asks for more."""
        if self.team_line is None:
            if not text:
                return
            from chatdesk.ui.sidebar.team_line import TeamLine

            self.team_line = TeamLine(self._theme, self)
            self.team_line.clicked.connect(self.teamPressed)
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(column.indexOf(self.waiting_line or self._status), self.team_line)
            self.setTabOrder(self._empty_button, self.team_line)
            self.setTabOrder(self.team_line, self.waiting_line or self._status.view_button)
        self.team_line.show_status(text, tone=tone, tip=tip, is_under_way=is_under_way)
        self.team_line.setVisible(bool(text))

    def set_load_error(self, sentence: str) -> None:
        """Show that the page asked for will not come; an empty sentence hides the notice."""
        if sentence:
            self._model.abandon_fetch()
            self._is_loading = False
        self._load_error = sentence
        self._refresh_empty_text()

    def set_open_thread(self, thread_id: str | None) -> None:
        self.thread_list.show_open(thread_id)

    def upsert_thread(self, thread: Thread) -> None:
        self._model.upsert_thread(thread)
        self._refresh_empty_text()

    def remove_thread(self, thread_id: str) -> None:
        self._model.remove_thread(thread_id)
        self.thread_list.forget(thread_id)
        self._refresh_empty_text()

    def set_streaming(self, thread_id: str, is_streaming: bool) -> None:
        self._model.set_streaming(thread_id, is_streaming)

    def set_unread(self, counts: Mapping[str, int]) -> None:
        """Set how many messages of others are new in each thread; threads without any are left out."""
        self._model.set_unread(counts)

    def set_view(self, view: ThreadView | str) -> None:
        view = ThreadView(view)
        if view is not self._model.view:
            self.thread_list.mark(())
            self.viewChanged.emit(str(view))
            self._ask(view=view, query=None)
            self._refresh_view_bar()

    def current_thread_id(self) -> str | None:
        """The thread that *Rename* is about."""
        return self.thread_list.keyboard_id()

    def select_ids(self, thread_ids: Iterable[str]) -> None:
        self.thread_list.mark(thread_ids)

    def delete_selected(self) -> None:
        self._delete(self.selected_ids())

    def neighbour_of(self, thread_id: str | None, step: int) -> str | None:
        """Return the id of the thread ``step`` rows away, for *Next thread* and *Previous thread*; None without one."""
        return self._model.neighbour(thread_id or "", step)

    def begin_rename(self, thread_id: str | None = None) -> bool:
        """Open the title field in the row; false when the thread is not in the list."""
        wanted = thread_id or self.current_thread_id()
        return wanted is not None and self.thread_list.begin_rename(wanted)

    def focus_search(self) -> None:
        self.search_box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search_box.selectAll()

    def focus_panes(self) -> tuple[QWidget, ...]:
        """Return the sidebar's widgets in the order in which Tab reaches them."""
        team = () if self.team_line is None else (self.team_line,)
        return (
            self._badge,
            self._new_button,
            self.search_box,
            self._view_bar,
            *(() if self.temporary_line is None else (self.temporary_line,)),
            self.thread_list,
            self._messages_button,
            self._empty_button,
            *team,
            self._status.view_button,
            self._status.settings_button,
        )

    # Building

    def _name_parts(self) -> None:
        self._new_button.set_name("New thread", tooltip="New thread (Ctrl+N)")
        self._view_bar.setObjectName("threadViewBar")
        self._retry_button.setObjectName("retryListButton")
        self._retry_button.setAccessibleName("Load the list of threads again")
        self._retry_button.hide()
        self._messages_button.setObjectName("deletedMessagesButton")
        self._messages_button.hide()
        self._empty_button.setObjectName("emptyTrashButton")
        self._empty_button.hide()
        self._view_bar.hide()

    def _lay_out(self) -> None:
        space = self._theme.tokens.space
        top = QHBoxLayout()
        top.setContentsMargins(space.s, 0, 0, 0)
        top.setSpacing(space.xs)
        top.addWidget(self._badge, 1)
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
        column.addWidget(self._messages_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._empty_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._line)
        column.addWidget(self._status)

    def _connect(self) -> None:
        self._new_button.clicked.connect(self.newThreadRequested)
        self._badge.listAsked.connect(self.projectsAsked)
        self._badge.dragHeld.connect(self.projectsAskedUnderDrag)
        self._badge.threadsDropped.connect(lambda: self.moveRequested.emit(self.selected_ids()))
        self._messages_button.clicked.connect(self.deletedMessagesRequested)
        self._empty_button.clicked.connect(self.emptyTrashRequested)
        self._view_bar.clicked.connect(self._on_view_bar_clicked)
        self._retry_button.clicked.connect(self.reload)
        self._status.settings_button.clicked.connect(self.settingsRequested)
        self._status.view_button.clicked.connect(self._open_view_menu)
        self.search_box.searched.connect(self._on_search_box_searched)
        self.search_box.everythingWanted.connect(self.searchWanted)
        self.search_box.descended.connect(self._on_search_box_descended)
        self.thread_list.chosen.connect(self.threadChosen)
        self.thread_list.deletePressed.connect(self._delete)
        self.thread_list.markedChanged.connect(self._on_list_marked_changed)
        self.thread_list.allAsked.connect(self.allAsked)
        self.thread_list.dragStarted.connect(self._on_list_drag_started)
        self.thread_list.droppedOn.connect(self._on_list_dropped_on)
        self.thread_list.verticalScrollBar().valueChanged.connect(self.placeChanged)
        self.thread_list.menuAsked.connect(self._open_thread_menu)
        self._model.renameEntered.connect(self.renameRequested)
        self._model.pageArrived.connect(self._on_model_page_arrived)
        self._model.foldersToggled.connect(self.foldersToggled)
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
        from chatdesk.ui.sidebar.menus import view_menu

        return view_menu(self, self.set_view)

    def thread_menu(self, thread: Thread) -> QMenu:
        """About the marked threads when this is one of them, else about this one."""
        from chatdesk.ui.sidebar.menus import thread_menu

        marked = self.thread_list.marked_ids
        if thread.id not in marked:
            return thread_menu(self, [thread], (thread.id,))
        return thread_menu(self, self.known(marked), marked)

    def _open_view_menu(self) -> None:
        menu, button = self.view_menu(), self._status.view_button
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _open_thread_menu(self, thread_id: str, place: QPoint) -> None:
        thread = self._model.thread_by_id(thread_id)
        if thread is not None:
            self.thread_menu(thread).popup(place)

    # Reactions

    def check_calendar(self) -> None:
        """Regroup after midnight, but not under the hands of somebody who is changing a title."""
        if not self.thread_list.is_editing:
            self._model.regroup()

    def _empty_words(self) -> str:
        if self._tag_name is not None:
            return f"No thread here has the tag “{self._tag_name}”."
        match self._model.view:
            case ThreadView.ARCHIVE:
                return "Nothing is archived."
            case ThreadView.TRASH:
                return f"No thread is in the trash. Deleted threads and messages stay here for {self.trash_days} days."
        if self._project is not None:
            return "No threads in this project yet. Type a question to begin the first."
        return "No threads yet. Type a question to begin the first."

    def _ask(self, *, view: ThreadView | None, query: str | None) -> None:
        self._load_error = ""
        self._is_loading = True
        self._slow_timer.start()
        before = self._model.view, self._model.query
        is_another = view not in (None, before[0]) or (query is not None and query.strip() != before[1])
        if is_another:
            if not before[1]:
                self._places[before[0]] = self.thread_list.place()
            self.thread_list.begin_at_top()
        self._model.reload(view=view, query=query, by_name=self._by_name)
        place = self._places.get(self._model.view) if is_another and not self._model.query else None
        if place is not None:
            self.thread_list.return_to(*place)  # where it was before it was narrowed or left
        self._refresh_empty_text()

    def _on_search_box_searched(self, text: str) -> None:
        self.thread_list.mark(())
        self.searchChanged.emit(text)
        self._ask(view=None, query=text)

    def _on_search_box_descended(self) -> None:
        self.thread_list.setFocus(Qt.FocusReason.TabFocusReason)

    def _delete(self, ids: tuple[str, ...]) -> None:
        if ids:
            (self.purgeRequested if self.view is ThreadView.TRASH else self.deleteRequested).emit(ids)

    def _on_list_marked_changed(self) -> None:
        if self._selection_bar is None and self.thread_list.marked_ids:
            from chatdesk.ui.sidebar.selection_bar import SelectionBar

            self._selection_bar = SelectionBar(self, self.delete_selected)
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(column.indexOf(self._line), self._selection_bar)
        if self._selection_bar is not None:
            is_shown = bool(self.thread_list.marked_ids)
            if not is_shown and self._selection_bar.isAncestorOf(self.focusWidget() or self):
                self.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)
            self._selection_bar.setVisible(is_shown)
            if is_shown:
                self._selection_bar.refresh()

    def _on_list_drag_started(self) -> None:
        from chatdesk.ui.sidebar.thread_drag import drag_threads

        if self.view is not ThreadView.TRASH:
            drag_threads(self.thread_list, self.known(self.selected_ids()), self._theme)

    def _on_list_dropped_on(self, project_id: str) -> None:
        self.moveToRequested.emit(self.selected_ids(), project_id)

    def _set_filter(self) -> None:
        self._model.set_filter(None if self._project is None else self._project.id, self._tag_name)

    def _on_model_page_arrived(self) -> None:
        self._slow_timer.stop()
        self._load_error = ""
        self._is_loading, self._has_loaded = False, True
        self._refresh_empty_text()

    def _on_view_bar_clicked(self) -> None:
        if self.tag_id is not None:
            self.tagFilterRequested.emit("")
        else:
            self.set_view(ThreadView.ACTIVE)
        self.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _refresh_view_bar(self) -> None:
        view = self._model.view
        where = _VIEW_TITLES[view]
        is_shown = view is not ThreadView.ACTIVE or self._tag_name is not None
        text = f"{where} · back to threads"
        if self._tag_name is not None:
            text = f"{where} with “{self._tag_name}” · show all"
        # The focus stays where the keys are when the bar goes.
        if not is_shown and self._view_bar.hasFocus():
            self.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)
        self._view_bar.setVisible(is_shown)
        metrics = self._view_bar.fontMetrics()
        self._view_bar.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, max(120, self.width() - 40)))
        self._view_bar.setAccessibleName(text)
        self.thread_list.setAccessibleName(where)

    def _refresh_empty_text(self) -> None:
        self._show_status()
        self._retry_button.setVisible(bool(self._load_error))
        self._messages_button.setVisible(self._model.view is ThreadView.TRASH)
        self._empty_button.setVisible(self._model.view is ThreadView.TRASH and self._model.thread_count > 0)
        if self._load_error:
            text = self._load_error
        elif self._model.is_fetching:
            text = "" if self._slow_timer.isActive() else "Loading threads…"
        elif self._model.query:
            text = f"No thread has “{self._model.query[:60]}” in its title."
        else:
            text = self._empty_words()
        self.thread_list.set_empty_text(text)


def _with_keys(name: str, keys: str) -> str:
    return f"{name} ({keys})" if keys else name
