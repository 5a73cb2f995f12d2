"""The search field of the sidebar: tells what to look for once typing pauses."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme

DEBOUNCE_MS: Final = 120


class SearchBox(QLineEdit):
    """Esc empties it first and leaves it second; Down goes on to the list; Enter asks at once."""

    searched = Signal(str)
    went_down = Signal()
    left = Signal()

    def __init__(self, theme: Theme, *, shortcut_text: str = "Ctrl K", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._told = ""
        self.setObjectName("searchBox")
        self.setAccessibleName("Search threads")
        self.setPlaceholderText("Search threads")
        self.setMaxLength(200)
        self._icon = QAction(self)
        self.addAction(self._icon, QLineEdit.ActionPosition.LeadingPosition)
        self._clear = QAction("Clear the search", self)
        self._clear.triggered.connect(self.clear)
        self.addAction(self._clear, QLineEdit.ActionPosition.TrailingPosition)
        self._hint = QLabel(shortcut_text, self)
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setObjectName("searchHint")
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._timer = QTimer(self, singleShot=True, interval=DEBOUNCE_MS)
        self._timer.timeout.connect(self._tell)
        self.textChanged.connect(self._on_text_changed)
        theme.changed.connect(self._dress)
        self._dress()
        self._on_text_changed("")

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # Esc must empty the field and not stop an answer meanwhile.
            if event.key() == Qt.Key.Key_Escape and self.text():
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.left.emit()
        elif key == Qt.Key.Key_Down:
            self._tell()
            self.went_down.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._tell()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QEvent) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place_hint()

    def _place_hint(self) -> None:
        size = self._hint.sizeHint()
        self._hint.setGeometry(
            self.width() - size.width() - 10, (self.height() - size.height()) // 2, size.width(), size.height()
        )

    def _on_text_changed(self, text: str) -> None:
        self._hint.setVisible(not text and self.width() > 190)
        self._clear.setVisible(bool(text))
        if text.strip() != self._told or self._timer.isActive():
            self._timer.start()

    def _tell(self) -> None:
        self._timer.stop()
        text = self.text().strip()
        if text != self._told:
            self._told = text
            self.searched.emit(text)

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self._icon.setIcon(icon("search", tokens.muted))
        self._clear.setIcon(icon("x", tokens.muted))
        self._hint.setStyleSheet(
            f"QLabel {{ color: {tokens.muted}; background: {tokens.surface}; border: 1px solid {tokens.line};"
            f" border-radius: {tokens.space.xs}px; padding: 0 5px; font-size: {self._theme.point_size('group'):.2f}pt; }}"
        )
        self.setMinimumHeight(round(35 * max(1.0, self._theme.scale)))
        self._hint.adjustSize()
        self._place_hint()
