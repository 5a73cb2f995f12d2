"""The bar of actions for the marked threads, under the list for as long as any are marked. It is imported with the
first."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.sidebar.grouping import ThreadView
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.elided_label import ElidedLabel


class SelectionBar(QWidget):
    def __init__(self, sidebar: SidebarBase, delete: Callable[[], None]) -> None:
        super().__init__(sidebar)
        self._sidebar = sidebar
        theme = sidebar.theme
        self.setObjectName("selectionBar")
        self.setAccessibleName(tr("Marked threads"))
        self._label = ElidedLabel(theme, role="muted", parent=self)
        self._label.setObjectName("selectionCount")
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        set_margins(row, theme.tokens.space.s, 2, 0, 2)
        row.setSpacing(0)
        row.addWidget(self._label, 1)
        self._live: list[IconButton] = []
        self._dead: list[IconButton] = []
        for icon, name, run, buttons in (
            ("pin", tr("Pin", "thread"), self._pin, self._live),
            ("archive", tr("Archive", "verb"), self._archive, self._live),
            ("folder", tr("Move to a project…"), lambda: sidebar.moveRequested.emit(self._ids()), self._live),
            ("tag", tr("Tags…"), lambda: sidebar.tagsRequested.emit(self._ids()), self._live),
            ("archive-restore", tr("Restore"), lambda: sidebar.restoreRequested.emit(self._ids()), self._dead),
            ("trash-2", tr("Delete"), delete, None),
            ("x", tr("Mark nothing"), lambda: sidebar.thread_list.marks.set(()), None),
        ):
            button = IconButton(theme, icon, name=name, object_name=f"marked-{icon}", parent=self)
            button.clicked.connect(run)
            row.addWidget(button)
            if buttons is not None:
                buttons.append(button)

    def refresh(self) -> None:
        """Show how many threads are selected, and the actions that this view offers."""
        is_trash = self._sidebar.view is ThreadView.TRASH
        for button in self._live:
            button.setVisible(not is_trash)
        for button in self._dead:
            button.setVisible(is_trash)
        is_archive = self._sidebar.view is ThreadView.ARCHIVE
        self._live[1].set_name(tr("Move out of the archive") if is_archive else tr("Archive", "verb"))
        self._live[1].set_icon_name("archive-restore" if is_archive else "archive")
        count = len(self._ids())
        marked = shown(plural("{count} marked", "{count} marked", count))
        self._label.setText(marked)
        self._label.setAccessibleName(shown(plural("{count} threads are marked", "{count} thread is marked", count)))
        announce(self, marked)

    def _ids(self) -> tuple[str, ...]:
        return self._sidebar.selected_ids()

    def _pin(self) -> None:
        threads = self._sidebar.known(self._ids())
        is_pinned = bool(threads) and all(thread.pinned_at is not None for thread in threads)
        self._sidebar.pinRequested.emit(self._ids(), not is_pinned)

    def _archive(self) -> None:
        self._sidebar.archiveRequested.emit(self._ids(), self._sidebar.view is not ThreadView.ARCHIVE)
