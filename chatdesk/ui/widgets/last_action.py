"""The moment a person last pressed something, and whether they are typing: what may open a dialog of its own accord."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtWidgets import QApplication

_RECENT_S = 10.0
_ACTIONS = frozenset(
    (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.TouchBegin, QEvent.Type.TabletPress)
)


class LastAction(QObject):
    """Watches the windows themselves, whose events are few, not every widget."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._at_s = float("-inf")
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._on_focus_window_changed)
        self._on_focus_window_changed(application.focusWindow())

    @property
    def may_interrupt(self) -> bool:
        """Return whether a person did something just now and would not be interrupted in typing."""
        focused = QApplication.focusWidget()
        is_typing = focused is not None and focused.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        return self.is_recent and not is_typing

    @property
    def is_recent(self) -> bool:
        """Return whether somebody pressed a key or a button just now."""
        return time.monotonic() - self._at_s < _RECENT_S

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTIONS:
            self._at_s = time.monotonic()
        return super().eventFilter(watched, event)

    def _on_focus_window_changed(self, window: QWindow | None) -> None:
        if window is not None:
            window.removeEventFilter(self)  # at most once each
            window.installEventFilter(self)
