"""The search field of the sidebar: tells what to look for once typing pauses."""

from __future__ import annotations

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
    """A field whose text narrows the list; Down moves to the list, Enter searches everything."""

    searched = Signal(str)
    descended = Signal()
    everythingWanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme, object_name="searchBox", placeholder=tr("Search everything"), hint="Ctrl+K", parent=parent
        )
        self.setAccessibleDescription(tr("Typing narrows the list of threads, Enter searches everything"))
        self._emitted = ""
        self.setMaxLength(_MAX_LENGTH)
        self._timer = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._timer.timeout.connect(self._emit_search)
        self.textChanged.connect(self._on_search_text_changed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self._emit_search()
            self.descended.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.everythingWanted.emit(self.text().strip())
        else:
            super().keyPressEvent(event)

    def _on_search_text_changed(self, _text: str) -> None:
        self._timer.start()

    def _emit_search(self) -> None:
        self._timer.stop()
        text = self.text().strip()
        if text != self._emitted:
            self._emitted = text
            self.searched.emit(text)
