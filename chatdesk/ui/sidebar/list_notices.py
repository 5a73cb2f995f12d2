"""Notices about the list of threads: that it is loading, could not be loaded or is empty, and the result of the last
change, with their buttons below the list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.qt.unread_guard import UnreadGuard
from chatdesk.ui.sidebar.folder_model import FolderModel
from chatdesk.ui.sidebar.grouping import ThreadView
from chatdesk.ui.sidebar.status_row import StatusRow
from chatdesk.ui.sidebar.thread_list import ThreadList
from chatdesk.ui.theme.theme import Theme

_SLOW_FETCH_MS: Final = 250  # a shorter loading time needs no notice


class ListNotices:
    """The messages and buttons over and below the list of threads. ``empty_words`` says why a list that was read has no
    rows."""

    def __init__(
        self,
        sidebar: QWidget,
        model: FolderModel,
        thread_list: ThreadList,
        theme: Theme,
        empty_words: Callable[[], str],
    ) -> None:
        self._model = model
        self._list = thread_list
        self._empty_words = empty_words
        self._load_error = ""
        self._is_loading = False
        self._has_loaded = False
        self._status: tuple[str, bool] | None = None
        self._slow_timer = QTimer(sidebar, singleShot=True, interval=_SLOW_FETCH_MS)
        self.retry_button = named(
            _button(tr("Try again"), sidebar), "retryListButton", tr("Load the list of threads again")
        )
        self.restore_button = _button(tr("Restore"), sidebar)
        self.restore_button.setObjectName("restoreThreadButton")
        self._restore_guard = UnreadGuard([self.restore_button], sidebar)
        self.messages_button = _button(tr("Deleted messages…"), sidebar)
        self.messages_button.setObjectName("deletedMessagesButton")
        self.empty_button = _button(tr("Empty the trash…"), sidebar)
        self.empty_button.setObjectName("emptyTrashButton")
        self.status = StatusRow(theme, sidebar)  # after the buttons in the order of Tab
        for button in self.buttons:
            button.hide()
        self._slow_timer.timeout.connect(self.refresh)
        thread_list.selectionModel().currentChanged.connect(self._show_restore)

    @property
    def buttons(self) -> tuple[QPushButton, ...]:
        """The buttons below the list, from the top."""
        return self.retry_button, self.restore_button, self.messages_button, self.empty_button

    def set_status(self, text: str, *, is_error: bool = False) -> None:
        """Set the line at the bottom: the result of the last change."""
        self._status = text, is_error
        self._show_status()

    def start_loading(self) -> None:
        """Wait for a page; that it is loading is said only when it takes a while. ``refresh`` follows."""
        self._load_error = ""
        self._is_loading = True
        self._slow_timer.start()

    def fail(self, sentence: str) -> None:
        """Show why the requested page could not be loaded."""
        self._model.abandon_fetch()
        self._is_loading = False
        self._load_error = sentence
        self.refresh()

    def end_loading(self) -> None:
        self._slow_timer.stop()
        self._load_error = ""
        self._is_loading, self._has_loaded = False, True
        self.refresh()

    def refresh(self) -> None:
        self._show_status()
        is_trash = self._model.filter.view is ThreadView.TRASH
        self.retry_button.setVisible(bool(self._load_error))
        if self.restore_button.isHidden():
            self._restore_guard.restart()
        self.restore_button.setVisible(is_trash and self._model.thread_count > 0)
        self._show_restore()
        self.messages_button.setVisible(is_trash)
        self.empty_button.setVisible(is_trash and self._model.thread_count > 0)
        if self._load_error:
            text = self._load_error
        elif self._model.is_fetching:
            text = "" if self._slow_timer.isActive() else tr("Loading threads…")
        else:
            text = self._empty_words()
        self._list.set_empty_text(text)

    def _show_restore(self) -> None:
        self.restore_button.setEnabled(self._model.thread_at(self._list.currentIndex()) is not None)

    def _show_status(self) -> None:
        if self._status is None:
            return
        (text, is_error), is_busy = self._status, False
        is_waited_for = self._is_loading and not (self._has_loaded and self._slow_timer.isActive())
        if self._load_error and not is_error and self._list.row_count():  # an empty list shows the error itself
            text, is_error = self._load_error, True
        elif is_waited_for and not is_error:
            text, is_busy = tr("Loading threads…"), True
        if (text, is_error, is_busy) != self.status.shown:
            self.status.set_text(text, is_error=is_error, is_busy=is_busy)


def _button(text: str, parent: QWidget) -> QPushButton:
    # With text among its arguments PySide asks whether it is an icon, and builds the class of icons for that: 2 ms.
    button = QPushButton(parent)
    button.setText(text)
    return button
