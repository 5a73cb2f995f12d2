"""Joins the list of threads with the chat that is active: what is asked for in the list is done there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from chatdesk.ui.application.pane_bindings import PaneBindings
    from chatdesk.ui.window.panes import Panes


class SidebarBinding(QObject):
    """``active`` returns the controllers of the active chat."""

    def __init__(self, panes: Panes, active: Callable[[], PaneBindings]) -> None:
        super().__init__()
        self._panes = panes
        sidebar = panes.sidebar
        sidebar.threadChosen.connect(active().threads.open_soon)
        sidebar.newThreadRequested.connect(lambda: active().threads.open_soon(None))
        sidebar.exportRequested.connect(lambda thread_id: active().export.open((thread_id,)))
        sidebar.exportSelectedRequested.connect(active().export.open)
        sidebar.searchWanted.connect(active().search.open)
        panes.registry.keys.changed.connect(self._show_keys)
        self._show_keys()

    def _show_keys(self) -> None:
        keys = self._panes.registry.keys.shown
        self._panes.sidebar.show_keys(
            new_thread=keys("thread.new"),
            search=keys("go.search"),
            settings=keys("app.settings"),
            rename=keys("thread.rename"),
        )
