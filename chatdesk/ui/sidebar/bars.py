"""Bars of the sidebar: the search box, the views of the list, and the actions for the marked threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.sidebar.grouping import ThreadView
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.search_field import SearchField

VIEW_TITLES: Final = {
    ThreadView.ACTIVE: Text("Threads"),
    ThreadView.ARCHIVE: Text("Archive"),
    ThreadView.TRASH: Text("Trash"),
}
DEBOUNCE_MS: Final = 120
_MAX_LENGTH: Final = 200


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


def empty_text(view: ThreadView, tag_name: str | None, trash_days: int, *, is_project: bool) -> str:
    """Return the words in the place of a list without threads; ``is_project``: it is the list of one project."""
    if tag_name is not None:
        return tr("No thread here has the tag “{tag}”.", tag=tag_name)
    match view:
        case ThreadView.ARCHIVE:
            return tr("Nothing is archived.")
        case ThreadView.TRASH:
            return shown(
                plural(
                    "No thread is in the trash. Deleted threads and messages stay here for {count} days.",
                    "No thread is in the trash. Deleted threads and messages stay here for {count} day.",
                    trash_days,
                )
            )
    if is_project:
        return tr("No threads in this project yet. Type a question to begin the first.")
    return tr("No threads yet. Type a question to begin the first.")


class ViewBar(QPushButton):
    """Hidden while all threads are listed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("threadViewBar")
        self.hide()

    def show_list(self, view: ThreadView, tag_name: str | None, *, width_px: int, focus_after: QWidget) -> None:
        """Show which list this is. The focus goes to ``focus_after`` when the bar goes, so that it stays where the keys
        are."""
        is_shown = view is not ThreadView.ACTIVE or tag_name is not None
        text = tr("{list} · back to threads", list=VIEW_TITLES[view])
        if tag_name is not None:
            text = tr("{list} with “{tag}” · show all", list=VIEW_TITLES[view], tag=tag_name)
        if not is_shown and self.hasFocus():
            focus_after.setFocus(Qt.FocusReason.OtherFocusReason)
        self.setVisible(is_shown)
        self.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, max(120, width_px)))
        self.setAccessibleName(text)


class SearchBox(SearchField):
    """A field that searches while one types: ``walk`` gets the keys that go through the results and open one. Down in
    an empty field moves to the list of threads; Enter shows all results while they are not here yet."""

    searched = Signal(str)
    descended = Signal()
    everythingWanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme, object_name="searchBox", placeholder=tr("Search everything"), hint="Ctrl+K", parent=parent
        )
        self.setAccessibleDescription(tr("Results are below: up and down choose, Enter opens one"))
        self.walk: Callable[[QKeyEvent], bool] = lambda _event: False
        self._emitted = ""
        self.setMaxLength(_MAX_LENGTH)
        self._timer = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._timer.timeout.connect(self._emit_search)
        self.textChanged.connect(self._on_search_text_changed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Down:
            self._emit_search()
        if self._emitted == self.text().strip() != "" and self.walk(event):
            return
        if is_enter:
            self.everythingWanted.emit(self.text().strip())
        elif event.key() == Qt.Key.Key_Down:
            self.descended.emit()
        else:
            super().keyPressEvent(event)

    def _on_search_text_changed(self, text: str) -> None:
        if text.strip():
            self._timer.start()
        else:
            self._emit_search()

    def _emit_search(self) -> None:
        self._timer.stop()
        text = self.text().strip()
        if text != self._emitted:
            self._emitted = text
            self.searched.emit(text)
