"""Controls the list of the sidebar: its project, view, tag and order, and the changes that reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from PySide6.QtCore import QTimer, Signal

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.thread import Project, Thread, ThreadPage
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import (
    ProjectChanged,
    ProjectCreated,
    ProjectDeleted,
    TagsChanged,
    ThreadChanged,
    ThreadCreated,
    ThreadDeleted,
    ThreadsChanged,
)
from chatdesk.core.texts import shown
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.library.project import names_told_apart
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.sidebar.grouping import Folder, ThreadView
from chatdesk.ui.window.window_context import Controller, WindowContext
from chatdesk.ui.window.window_state import WindowState

PAGE: Final = 50
_ALL: Final = ""  # stored in the window's state for the list of all projects
_CHANGED_AFTER_MS: Final = 500
_COUNT_AFTER_MS: Final = 300  # after the first of the changes that may change how many threads a project has
_FOLDERS_AT_ONCE: Final = 8  # open folders whose beginning comes with the list; others are read as they come in sight
_AT_ONCE, _BREATH_S = 12, 0.002  # changed rows between two turns of the loop


class ThreadListBinding(Controller):
    """Fills the list and keeps it up to date. ``changed`` is emitted when the state to keep for the next start
    changes."""

    changed = Signal()
    projectShown = Signal(object)  # Project | None: where new threads go

    def __init__(self, context: WindowContext, threads: ThreadBinding, library: LibraryService) -> None:
        super().__init__(context, context.panes.window)
        panes = context.panes
        self._threads = threads
        self._library = library
        self._query = ThreadQuery()
        self._project: Project | None = None
        self._sought: str | None = None  # the project to be listed, which is being read
        self._newer_sought: Project | None = None  # its state as of an event in the meantime
        self._is_started = False
        self._changed: dict[str, Thread] = {}  # changed threads that wait to be applied
        self._change_timer = QTimer(self, singleShot=True, interval=_CHANGED_AFTER_MS)
        self._change_timer.timeout.connect(self.changed)
        self._counted = QTimer(self, singleShot=True, interval=_COUNT_AFTER_MS)
        self._counted.timeout.connect(self._update_folders)
        sidebar = panes.sidebar
        sidebar.viewChanged.connect(self._on_sidebar_view_changed)
        sidebar.sortRequested.connect(lambda by_name: self.sort(by_name=by_name))
        sidebar.groupRequested.connect(lambda by_project: self.group(by_project=by_project))
        sidebar.rows.read_folders_with(self._fetch_folder, ())
        sidebar.rows.foldersToggled.connect(self.changed)
        sidebar.sharingChanged.connect(self._recount)
        sidebar.tagFilterRequested.connect(self.show_tag)
        sidebar.thread_list.allAsked.connect(self._select_all)
        sidebar.placeChanged.connect(self._change_timer.start)
        context.events.subscribe(self, ThreadCreated, lambda event: self._apply_change(event.thread))
        context.events.subscribe(self, ThreadChanged, lambda event: self._apply_change(event.thread))
        context.events.subscribe(
            self, ThreadDeleted, lambda event: self._on_thread_deleted(event.thread_id, event.is_purged)
        )
        context.events.subscribe(self, ThreadsChanged, lambda event: self._on_threads_changed(event.threads))
        context.events.subscribe(self, ProjectCreated, lambda _event: self._recount())
        context.events.subscribe(self, ProjectChanged, lambda event: self._on_project_changed(event.project))
        context.events.subscribe(self, ProjectDeleted, lambda event: self._on_project_deleted(event.project))
        context.events.subscribe(self, TagsChanged, lambda _event: self.read_tags())

    @property
    def project(self) -> Project | None:
        """The project whose threads are listed, and where new ones go; None: all, and new ones go to the oldest."""
        return self._project

    @property
    def query(self) -> ThreadQuery:
        return self._query

    # Beginning and end

    async def start(self, state: WindowState) -> None:
        """Show the list as it was left."""
        sidebar = self._panes.sidebar
        self._sought, self._newer_sought = state.open_project_id, None
        projects = await self._library.projects.list()
        wanted = self._newest(next((each for each in projects if each.id == state.open_project_id), None))
        if wanted is None and len(projects) == 1 and state.open_project_id != _ALL:
            wanted = projects[0]
        self._query = replace(self._query, order="name" if state.is_sorted_by_name else "activity")
        sidebar.set_order(by_name=state.is_sorted_by_name)
        sidebar.by_project = state.is_grouped_by_project
        sidebar.rows.read_folders_with(self._fetch_folder, state.open_folders)
        sidebar.set_trash_days(self._current_settings().trash_days)
        self._set_project(wanted)
        sidebar.reload()
        if state.list_top_id is not None:
            sidebar.thread_list.place.return_to(state.list_top_id, state.list_top_px)
        self._is_started = True
        self.read_tags()

    def remembered(self, state: WindowState, before: WindowState) -> WindowState:
        """Return ``state`` with the listed project and order, or with those of ``before`` until the list is read."""
        if not self._is_started:
            return replace(
                state,
                open_project_id=before.open_project_id,
                is_sorted_by_name=before.is_sorted_by_name,
                is_grouped_by_project=before.is_grouped_by_project,
                open_folders=before.open_folders,
                list_top_id=before.list_top_id,
                list_top_px=before.list_top_px,
            )
        top = None
        if self._panes.sidebar.view == "active" and not self._query.tag_id:
            top = self._panes.sidebar.thread_list.place.top()
        return replace(
            state,
            open_project_id=_ALL if self._project is None else self._project.id,
            is_sorted_by_name=self._query.order == "name",
            is_grouped_by_project=self.by_project,
            open_folders=tuple(sorted(self._panes.sidebar.rows.open_folders)),
            list_top_id=None if top is None else top[0],
            list_top_px=0 if top is None else top[1],
        )

    # What is listed

    def show_project(self, project_id: str | None) -> asyncio.Task[None]:
        """Show the threads of one project, or of all. The task ends when they are being listed."""

        async def work() -> None:
            library = self._library
            self._sought, self._newer_sought = project_id, None
            project = self._newest(None if project_id is None else await library.projects.get(project_id))
            self._panes.sidebar.thread_list.marks.set(())
            self._set_project(project)
            if self._panes.sidebar.view is not ThreadView.ACTIVE:
                self._panes.sidebar.set_view(ThreadView.ACTIVE)
            self._panes.sidebar.reload()
            self.changed.emit()

        self._panes.sidebar.end_search()  # before the project is shown: later typing starts another search
        return self._tasks.replace(work(), "show project")

    def show_tag(self, tag_id: str) -> None:
        """Show only threads with this tag; empty shows all again."""

        async def work() -> None:
            tags = await self._library.list_tags()
            tag = next((each for each in tags if each.id == tag_id), None)
            self._query = replace(self._query, tag_id=None if tag is None else tag.id)
            self._panes.sidebar.thread_list.marks.set(())
            self._panes.sidebar.tags = tuple(tags)
            self._panes.sidebar.set_tag(tag)
            self._panes.sidebar.reload()

        self._panes.sidebar.end_search()
        self._tasks.replace(work(), "show tag")

    def sort(self, *, by_name: bool) -> None:
        self._query = replace(self._query, order="name" if by_name else "activity")
        self._panes.sidebar.set_order(by_name=by_name)
        self._panes.sidebar.reload()
        self.changed.emit()

    @property
    def by_project(self) -> bool:
        """Return whether the list of all projects is in folders."""
        return self._panes.sidebar.by_project

    def group(self, *, by_project: bool) -> None:
        """Group the list by project, which shows all projects, or by date."""
        self._panes.sidebar.by_project = by_project
        if by_project and self._project is not None:
            self.show_project(None)
        else:
            self._panes.sidebar.reload()
            self.changed.emit()

    @in_task("read tags", replaces=True)
    async def read_tags(self) -> None:
        tags = await self._library.list_tags()
        sidebar = self._panes.sidebar
        sidebar.tags = tuple(tags)
        if self._query.tag_id is not None:
            tag = next((each for each in tags if each.id == self._query.tag_id), None)
            if tag is None:
                self.show_tag("")
            else:
                sidebar.set_tag(tag)

    @in_task("fetch threads", replaces=True)
    async def fetch_threads(self, cursor: str | None, deliver: Callable[[ThreadPage], None]) -> None:
        query = self._query
        folders: list[Folder] | None = None
        try:
            library = self._library
            if cursor is None and self._stands_in_folders(query):
                folders, page = await self._read_folders(library, query)
            else:
                page = await library.list_threads(query, limit=PAGE, cursor=cursor)
            if cursor is None and query.scope == "active":
                page = _with_pinned(await self._pinned(library, query), page)
        except ChatDeskError as error:
            self._panes.sidebar.notices.fail(shown(error.sentence))
            return
        if self._query == query:
            if cursor is None:
                self._panes.sidebar.rows.set_folders(folders)
            deliver(page)

    # Folders

    def _stands_in_folders(self, query: ThreadQuery) -> bool:
        """Return whether threads are grouped in folders: a tag and the archive list all projects together."""
        return self.by_project and query == ThreadQuery(order=query.order)

    async def _folders(self, library: LibraryService) -> list[Folder]:
        """Return the folders in the order of the list of projects: archived ones last, and only if they hold
        threads."""
        projects = await library.projects.list()
        counts = await library.count_by_project()
        used = [project for project in projects if project.archived_at is None]
        used += [project for project in projects if project.archived_at is not None and counts.get(project.id)]
        names = names_told_apart(used, self._panes.sidebar.workspaces)
        return [Folder(project.id, names[project.id], counts.get(project.id, 0)) for project in used]

    async def _read_folders(self, library: LibraryService, query: ThreadQuery) -> tuple[list[Folder], ThreadPage]:
        """Read the folders, and the first threads of those that are open."""
        folders = await self._folders(library)
        opened = self._panes.sidebar.rows.open_folders
        threads: list[Thread] = []
        for folder in [each for each in folders if each.project_id in opened][:_FOLDERS_AT_ONCE]:
            page = await library.list_threads(_of_folder(query, folder.project_id), limit=PAGE)
            folder.next_cursor = page.next_cursor
            threads += page.threads
        return folders, ThreadPage(tuple(threads), None)

    @in_task("fetch threads", replaces=True)
    async def _fetch_folder(self, project_id: str, cursor: str | None, deliver: Callable[[ThreadPage], None]) -> None:
        try:
            query = _of_folder(self._query, project_id)
            page = await self._library.list_threads(query, limit=PAGE, cursor=cursor)
        except ChatDeskError as error:
            self._panes.sidebar.notices.fail(shown(error.sentence))
            return
        deliver(page)

    def _recount(self) -> None:
        if self._panes.sidebar.rows.has_folders and not self._counted.isActive():
            self._counted.start()

    @in_task("count threads of folders", replaces=True)
    async def _update_folders(self) -> None:
        folders = await self._folders(self._library)
        self._panes.sidebar.update_folders(folders)

    async def _pinned(self, library: LibraryService, query: ThreadQuery) -> list[Thread]:
        """Return all pinned threads: they are above the first page, however long ago they were used."""
        found: list[Thread] = []
        cursor: str | None = None
        while True:
            page = await library.list_threads(
                replace(query, is_pinned=True, order="activity"), limit=PAGE, cursor=cursor
            )
            found += page.threads
            cursor = page.next_cursor
            if cursor is None:
                return found

    @in_task("select all", replaces=True)
    async def _select_all(self) -> None:
        query = self._query
        library, sidebar = self._library, self._panes.sidebar
        if not sidebar.rows.has_folders:
            sidebar.thread_list.marks.set(await library.list_ids(query))
            return
        ids = list(await library.list_ids(replace(query, is_pinned=True)))
        for project_id in sorted(sidebar.rows.open_folders):  # threads in closed folders are not in the list
            ids += await library.list_ids(_of_folder(query, project_id))
        sidebar.thread_list.marks.set(ids)

    def _set_project(self, project: Project | None) -> None:
        self._project = project
        self._query = replace(self._query, project_id=None if project is None else project.id)
        self._threads.set_new_project(project)
        self.projectShown.emit(project)
        self._panes.sidebar.set_project(project)

    # Events

    def _on_sidebar_view_changed(self, view: str) -> None:
        self._query = replace(self._query, scope=view)  # type: ignore[arg-type]

    def _apply_change(self, thread: Thread) -> None:
        self._changed.pop(thread.id, None)
        self._recount()
        if not self._open_thread.is_temporary(thread.id):
            self._panes.sidebar.upsert_thread(thread)

    def _on_thread_deleted(self, thread_id: str, is_purged: bool) -> None:
        self._changed.pop(thread_id, None)
        self._recount()
        if self._query.scope == "trash" and not is_purged:
            self._panes.sidebar.refresh()
        else:
            self._panes.sidebar.remove_thread(thread_id)

    def _on_threads_changed(self, threads: Sequence[Thread] | None) -> None:
        if threads is None:
            self._changed.clear()
            self._panes.sidebar.refresh()
            return
        self._changed.update((thread.id, thread) for thread in threads)
        self._tasks.start_once(self._apply_changes(), "apply changed threads")

    async def _apply_changes(self) -> None:
        """Apply the waiting changes in batches. A thread that changes again while it waits is applied as it is then."""
        while self._changed:
            for thread_id in tuple(islice(self._changed, _AT_ONCE)):
                self._apply_change(self._changed[thread_id])
            if self._changed:
                await asyncio.sleep(_BREATH_S)

    def _newest(self, project: Project | None) -> Project | None:
        """Return the newest version of a project that was read; None when it does not exist or is in the trash."""
        project, self._sought = self._newer_sought or project, None
        return None if project is None or project.deleted_at is not None else project

    def _on_project_changed(self, project: Project) -> None:
        self._recount()
        if project.id == self._sought:
            self._newer_sought = project
        if self._project is not None and self._project.id == project.id:
            self._set_project(project)

    def _on_project_deleted(self, project: Project) -> None:
        self._recount()
        if project.id == self._sought:
            self._newer_sought = project
        if self._project is not None and self._project.id == project.id:
            self.show_project(None)


def _of_folder(query: ThreadQuery, project_id: str) -> ThreadQuery:
    """Return the query of a folder, without pinned threads, which are above the folders."""
    return replace(query, project_id=project_id, is_pinned=False)


def _with_pinned(pinned: list[Thread], page: ThreadPage) -> ThreadPage:
    known = {thread.id for thread in pinned}
    return replace(page, threads=(*pinned, *(thread for thread in page.threads if thread.id not in known)))
