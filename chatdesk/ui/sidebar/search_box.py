"""The search field of the sidebar: tells what to look for once typing pauses, and leads the keys to the results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.search_field import SearchField

DEBOUNCE_MS: Final = 120
_MAX_LENGTH: Final = 200


class SearchBox(SearchField):
    """A field that searches while one types: ``walk`` gets the keys that go through the results and open one. Down in
    an empty field moves to the list of threads; Enter shows all results, if ``walk`` opened none."""

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
