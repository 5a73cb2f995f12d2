"""Connects the list of threads with the active chat, which carries out the requests of the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QMouseEvent

from chatdesk.core.domain.search import SearchHit
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.features.search.listing import offered_commands
from chatdesk.ui.sidebar.grouping import ThreadView
from chatdesk.ui.widgets.found.results import Results
from chatdesk.ui.window.window_context import Panes


class SidebarBinding(QObject):
    """Controller of the sidebar's requests. ``active`` returns the controllers of the active chat."""

    def __init__(self, panes: Panes, active: Callable[[], PaneBindings]) -> None:
        super().__init__(panes.window)
        self._panes = panes
        self._active = active
        sidebar = panes.sidebar
        sidebar.thread_list.chosen.connect(self._open)
        sidebar.exportRequested.connect(lambda thread_id: self._export((thread_id,)))
        sidebar.exportSelectedRequested.connect(self._export)
        sidebar.everythingWanted.connect(self._search)
        sidebar.resultsWanted.connect(self._find)
        sidebar.hitChosen.connect(self._show_hit)
        if sidebar.found is not None:  # a person typed a search before this controller existed
            self._find(sidebar.found.results.searched, sidebar.found.results)
        panes.registry.keys.changed.connect(self._show_keys)
        self._show_keys()
        self._pressed: str | None = None  # the thread of the row that the middle button went down on
        sidebar.thread_list.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Open a thread in a window of its own when its row is clicked with the middle button."""
        if isinstance(event, QMouseEvent) and event.button() is Qt.MouseButton.MiddleButton:
            thread_list, rows = self._panes.sidebar.thread_list, self._panes.sidebar.rows
            thread = rows.thread_at(thread_list.indexAt(event.position().toPoint()))
            if event.type() == QEvent.Type.MouseButtonPress:
                self._pressed = None if thread is None else thread.id
            elif event.type() == QEvent.Type.MouseButtonRelease and thread is not None and thread.id == self._pressed:
                self._panes.sidebar.windowRequested.emit(thread.id)
            return True
        return super().eventFilter(watched, event)

    def _open(self, thread_id: str | None) -> None:
        self._active().threads.open_soon(thread_id)

    def _export(self, thread_ids: Sequence[str]) -> None:
        self._active().export.open(thread_ids)

    def _search(self, text: str) -> None:
        self._active().search.open(text)

    def _find(self, text: str, results: Results) -> None:
        if text and not results.offered:
            self._panes.registry.refresh()
            results.offered = offered_commands(self._panes.registry)
        elif not text:
            results.offered = ()
        self._active().search.search(text, results)

    def _show_hit(self, hit: SearchHit) -> None:
        self._active().search.show_hit(hit)
        sidebar = self._panes.sidebar
        is_listed = sidebar.rows.filter.project_id in (None, hit.project_id) and sidebar.view is ThreadView.ACTIVE
        if is_listed and hit.thread_id is not None and not (hit.is_archived or hit.is_in_trash):
            sidebar.thread_list.place.reveal(hit.thread_id)

    def _show_keys(self) -> None:
        keys = self._panes.registry.keys.shown
        self._panes.sidebar.show_keys(
            new_thread=keys("thread.new"),
            search=keys("go.search"),
            settings=keys("app.settings"),
            rename=keys("thread.rename"),
        )
