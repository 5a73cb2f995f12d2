"""Shows the sidebar: project, search, the list of threads, the result of the last save. It is independent of services:
pages come from a callback, requests leave as signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from types import ModuleType
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from chatdesk.core.clock import Clock
from chatdesk.core.texts import shown, tr
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.sidebar.bars import VIEW_TITLES, SearchBox, SelectionBar, ViewBar, empty_text
from chatdesk.ui.sidebar.extra_lines import ExtraLines
from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.grouping import Folder, ThreadView
from chatdesk.ui.sidebar.list_notices import ListNotices
from chatdesk.ui.sidebar.project_badge import ProjectBadge
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.sidebar.thread_list import ThreadList
from chatdesk.ui.sidebar.thread_model import FetchThreads
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import Project, Tag, Thread
    from chatdesk.ui.sidebar.found_threads import FoundThreads

_MARGIN_PX: Final = 10


class Sidebar(SidebarBase):
    """The pane with the list of threads. ``fetch(cursor, deliver)`` gives a page of the present view;
    ``viewChanged`` comes before the first question about another view. Nothing is asked before ``reload()``."""

    def __init__(
        self,
        fetch: FetchThreads,
        theme: Theme,
        *,
        clock: Clock | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__(FolderModel(fetch, clock or Clock(), zone=zone), theme)
        self._project: Project | None = None
        self.shared: dict[str, str] = {}
        self.workspaces: dict[str, str] = {}  # names, by project
        self._selection_bar: SelectionBar | None = None
        self.found: FoundThreads | None = None
        self._tag_name: str | None = None
        self.trash_days = 30
        self._places: dict[ThreadView, tuple[str, int] | None] = {}
        self.setObjectName("sidebar")
        self.setAccessibleName(tr("Sidebar"))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.badge = ProjectBadge(theme, self)  # opens the list of projects
        self._new_button = IconButton(
            theme, "square-pen", name=tr("New thread"), object_name="newThreadButton", parent=self
        )
        self.search_box = SearchBox(theme, self)
        self._view_bar = ViewBar(self)
        self.thread_list = ThreadList(self.rows, theme, self)
        self.notices = ListNotices(self, self.rows, self.thread_list, theme, self._empty_words)
        self._new_button.set_name(tr("New thread"), tooltip=tr("New thread (Ctrl+N)"))
        column = self._lay_out()
        self.lines = ExtraLines(
            self, column, self.notices.status, above_list=self._view_bar, below_list=self.notices.empty_button
        )
        self._connect()
        self._dress()

    # For the controller

    def reload(self) -> None:
        """Ask for the list from the beginning."""
        self._places.clear()
        self.thread_list.place.start_at_top()
        self._ask()

    def refresh(self) -> None:
        """Load the same list again and return to its place."""
        place = self.thread_list.place.top()
        self._ask()
        if place is not None:
            self.thread_list.place.return_to(*place)

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
        self._show_project()
        self.sharingChanged.emit()

    def _show_project(self) -> None:
        """Show the project and its members: beside the project's name if one is listed, else beside its threads."""
        project = self._project
        self.rows.set_shared_projects(self.shared if project is None else ())
        if project is None:
            self.badge.set_project(tr("All projects"), None)
        else:
            self.badge.set_project(project.name, project.colour, shared=self.shared.get(project.id, ""))

    def set_tag(self, tag: Tag | None) -> None:
        """List only threads with this tag; ``reload`` fetches them."""
        self.tag_id = None if tag is None else tag.id
        self._tag_name = None if tag is None else tag.name
        self._set_filter()
        self._refresh_view_bar()

    def set_order(self, *, by_name: bool) -> None:
        """Set the order of the list; to be called before the first ``reload``."""
        self._by_name = by_name

    def update_folders(self, folders: Sequence[Folder]) -> None:
        """Update names and counts of the folders; the whole list is reloaded where folders came, went or moved."""
        if not self.rows.update_folders(folders):
            self.refresh()

    def set_trash_days(self, days: int) -> None:
        self.trash_days = days
        self.rows.set_trash_days(days)

    def show_keys(self, *, new_thread: str, search: str, settings: str, rename: str) -> None:
        """Show the current keys of these commands in tooltips, the search field and the menu of a row."""
        self.rename_keys = rename
        self._new_button.set_name(tr("New thread"), tooltip=_with_keys(tr("New thread"), new_thread))
        self.search_box.set_hint(search)
        self.notices.status.settings_button.set_name(tr("Settings"), tooltip=_with_keys(tr("Settings"), settings))

    def upsert_thread(self, thread: Thread) -> None:
        self.rows.upsert_thread(thread)
        self.notices.refresh()

    def remove_thread(self, thread_id: str) -> None:
        self.rows.remove_thread(thread_id)
        self.thread_list.marks.forget(thread_id)
        self.notices.refresh()

    def set_view(self, view: ThreadView | str) -> None:
        view = ThreadView(view)
        self.end_search()
        if view is not self.rows.filter.view:
            self.thread_list.marks.set(())
            self.viewChanged.emit(str(view))
            self._ask(view)
            self._refresh_view_bar()

    def delete_selected(self) -> None:
        self._delete(self.selected_ids())

    def neighbour_of(self, thread_id: str | None, step: int) -> str | None:
        """Return the id of the thread ``step`` rows away, for *Next thread* and *Previous thread*; None without one."""
        return self.rows.listed.neighbour(thread_id or "", step)

    def end_search(self) -> None:
        """Empty the search field, and show the whole list again."""
        self.search_box.clear()

    def focus_search(self) -> None:
        self.search_box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search_box.selectAll()

    def focus_panes(self) -> tuple[QWidget, ...]:
        """Return the sidebar's widgets in the order in which Tab reaches them."""
        lines = self.lines
        return (
            self.badge,
            self._new_button,
            self.search_box,
            self._view_bar,
            *(() if lines.temporary is None else (lines.temporary,)),
            self.thread_list,
            self.notices.restore_button,
            self.notices.messages_button,
            self.notices.empty_button,
            *(() if lines.team is None else (lines.team,)),
            self.notices.status.view_button,
            self.notices.status.settings_button,
        )

    # Building

    def _lay_out(self) -> QVBoxLayout:
        space = self._theme.tokens.space
        top = QHBoxLayout()
        set_margins(top, space.s, 0, 0, 0)
        top.setSpacing(space.xs)
        top.addWidget(self.badge, 1)
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
        below = QVBoxLayout()
        set_margins(below, 0, 0, 0, space.s)
        below.setSpacing(space.xs)
        for button in self.notices.buttons:
            below.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(below)
        column.addWidget(self._line)
        column.addWidget(self.notices.status)
        return column

    def _connect(self) -> None:
        self._new_button.clicked.connect(lambda: self.commandChosen.emit("thread.new"))
        self.badge.threadsDropped.connect(lambda: self.moveRequested.emit(self.selected_ids()))
        self.notices.restore_button.clicked.connect(self._on_restore_button_clicked)
        self.notices.messages_button.clicked.connect(self.deletedMessagesRequested)
        self.notices.empty_button.clicked.connect(self.emptyTrashRequested)
        self._view_bar.clicked.connect(self._on_view_bar_clicked)
        self.notices.retry_button.clicked.connect(self.reload)
        self.notices.status.settings_button.clicked.connect(lambda: self.commandChosen.emit("app.settings"))
        self.notices.status.view_button.clicked.connect(self._open_view_menu)
        self.search_box.searched.connect(self._on_search_box_searched)
        self.search_box.descended.connect(self._on_search_box_descended)
        self.search_box.everythingWanted.connect(self.everythingWanted)
        self.thread_list.openChanged.connect(self._on_list_open_changed)
        self.thread_list.deletePressed.connect(self._delete)
        self.thread_list.markedChanged.connect(self._on_list_marked_changed)
        self.thread_list.dragStarted.connect(self._on_list_drag_started)
        self.thread_list.droppedOn.connect(self._on_list_dropped_on)
        self.thread_list.verticalScrollBar().valueChanged.connect(self.placeChanged)
        self.thread_list.menuAsked.connect(self._open_thread_menu)
        self.rows.pageArrived.connect(self.notices.end_loading)
        self._theme.changed.connect(self._dress)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self.setStyleSheet(
            f"#sidebar {{ background: {tokens.surface}; }}"
            f"#threadList, #foundThreads {{ background: transparent; border: none; }}"
            f"#threadViewBar {{ text-align: left; padding: 4px 8px; margin-bottom: 4px; }}"
        )
        self._line.setStyleSheet(f"background: {tokens.line};")
        self._refresh_view_bar()

    # Menus

    def view_menu(self) -> QMenu:
        menu: QMenu = _menus().view_menu(self, self.set_view)
        return menu

    def thread_menu(self, thread: Thread) -> QMenu:
        """Return the menu of the marked threads if this is one of them, otherwise of this thread."""
        thread_menu: Callable[..., QMenu] = _menus().thread_menu
        marked = self.thread_list.marks.ids
        if thread.id not in marked:
            return thread_menu(self, [thread], (thread.id,))
        return thread_menu(self, self.known(marked), marked)

    def _open_view_menu(self) -> None:
        menu, button = self.view_menu(), self.notices.status.view_button
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _open_thread_menu(self, thread_id: str, place: QPoint) -> None:
        thread = self.rows.thread_by_id(thread_id)
        if thread is not None:
            self.thread_menu(thread).popup(place)

    # Reactions

    def _empty_words(self) -> str:
        rows = self.rows
        return empty_text(rows.filter.view, self._tag_name, self.trash_days, is_project=self._project is not None)

    def _ask(self, view: ThreadView | None = None) -> None:
        self.notices.start_loading()
        before = self.rows.filter.view
        is_another = view not in (None, before)
        if is_another:
            self._places[before] = self.thread_list.place.top()
            self.thread_list.place.start_at_top()
        self.rows.reload(view=view, by_name=self._by_name)
        place = self._places.get(self.rows.filter.view) if is_another else None
        if place is not None:
            self.thread_list.place.return_to(*place)  # its scroll position when the view was left
        self.notices.refresh()

    def _on_search_box_searched(self, text: str) -> None:
        self.thread_list.marks.set(())
        if self.found is None:
            if not text:
                return
            self.found = self._make_found()
        self.found.search(text, among="is:trashed" if self.view is ThreadView.TRASH else "")
        self.thread_list.setVisible(not text)
        self._refresh_view_bar()

    def _make_found(self) -> FoundThreads:
        from chatdesk.ui.sidebar.found_threads import FoundThreads  # after the first paint

        found = FoundThreads(self.search_box, self._theme, self)
        found.results.wanted.connect(lambda text: self.resultsWanted.emit(text, found.results))
        for chosen, told in ((found.hitChosen, self.hitChosen), (found.commandChosen, self.commandChosen)):
            chosen.connect(lambda _value: self.end_search())
            chosen.connect(told)
        found.everythingWanted.connect(self.everythingWanted)
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(self.thread_list), found.list, 1)
        return found

    def _on_search_box_descended(self) -> None:
        self.thread_list.setFocus(Qt.FocusReason.TabFocusReason)

    def _on_list_open_changed(self) -> None:
        if not self.search_box.hasFocus():  # false while a person types a search
            self.end_search()

    def _delete(self, ids: tuple[str, ...]) -> None:
        if ids:
            (self.purgeRequested if self.view is ThreadView.TRASH else self.deleteRequested).emit(ids)

    def _on_list_marked_changed(self) -> None:
        if self._selection_bar is None and self.thread_list.marks.ids:
            self._selection_bar = SelectionBar(self, self.delete_selected)
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.insertWidget(column.indexOf(self._line), self._selection_bar)
        if self._selection_bar is not None:
            is_shown = bool(self.thread_list.marks.ids)
            if not is_shown and self._selection_bar.isAncestorOf(self.focusWidget() or self):
                self.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)
            self._selection_bar.setVisible(is_shown)
            if is_shown:
                self._selection_bar.refresh()

    def _on_list_drag_started(self) -> None:
        from chatdesk.ui.sidebar.thread_drag import drag_threads  # after the first paint

        if self.view is not ThreadView.TRASH:
            drag_threads(self.thread_list, self.known(self.selected_ids()), self._theme)

    def _on_list_dropped_on(self, project_id: str) -> None:
        self.moveToRequested.emit(self.selected_ids(), project_id)

    def _set_filter(self) -> None:
        self.rows.set_filter(None if self._project is None else self._project.id, self._tag_name)

    def _on_restore_button_clicked(self) -> None:
        thread = self.rows.thread_at(self.thread_list.currentIndex())
        if thread is not None:
            self.restoreRequested.emit((thread.id,))

    def _on_view_bar_clicked(self) -> None:
        if self.tag_id is not None:
            self.tagFilterRequested.emit("")
        else:
            self.set_view(ThreadView.ACTIVE)
        self.thread_list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _refresh_view_bar(self) -> None:
        view = self.rows.filter.view
        self._view_bar.show_list(view, self._tag_name, width_px=self.width() - 40, focus_after=self.thread_list)
        self.thread_list.setAccessibleName(shown(VIEW_TITLES[view]))
        if self.thread_list.isHidden():  # search results are not limited to this view
            self._view_bar.hide()


def _menus() -> ModuleType:
    from chatdesk.ui.sidebar import menus  # after the first paint

    return menus


def _with_keys(name: str, keys: str) -> str:
    return f"{name} ({keys})" if keys else name
