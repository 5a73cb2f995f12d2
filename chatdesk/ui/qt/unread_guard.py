"""Watches presses: a click does not agree to a question that appeared a moment ago, and where a person just acted,
ChatDesk may ask."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QWindow
from PySide6.QtWidgets import QAbstractButton, QApplication

_UNREAD_MS: Final = 600  # longer than a double click takes
_PRESSES: Final = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
_RECENT_S = 10.0
_ACTIONS = frozenset(
    (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.TouchBegin, QEvent.Type.TabletPress)
)


class UnreadMoment:
    """Measures the short time after something appears in which a person cannot have read it yet."""

    def __init__(self) -> None:
        self._since = QElapsedTimer()

    def start_once(self) -> None:
        """Start the moment, unless it was started before."""
        if not self._since.isValid():
            self._since.start()

    def restart(self) -> None:
        """Start the moment again, because something else is shown."""
        self._since.start()

    @property
    def is_unread(self) -> bool:
        """Return whether it was shown too recently to have been read."""
        return self._since.isValid() and not self._since.hasExpired(_UNREAD_MS)

    def swallows_press(self) -> bool:
        """Return whether a press came too soon to be consent; the time starts again then."""
        is_unread = self.is_unread
        if is_unread:
            self.restart()  # part of a burst of clicks
        return is_unread


class UnreadGuard(QObject):
    """Lets a mouse press none of the buttons for a moment after ``restart``, nor after another press: a click may have
    been meant for the question before, or for what was in this place, or be half of a double click. Keys work, because
    the focus never comes by itself; a key that is held answers one question only."""

    def __init__(
        self, agreeing: Sequence[QAbstractButton], parent: QObject, others: Sequence[QAbstractButton] = ()
    ) -> None:
        super().__init__(parent)
        self._moment = UnreadMoment()
        self._agreeing: set[QAbstractButton] = set()
        self.watch(agreeing, others)

    def watch(self, agreeing: Sequence[QAbstractButton], others: Sequence[QAbstractButton] = ()) -> None:
        """Guard the buttons that give what is asked for, and the ``others`` beside them from keys that are held."""
        self._agreeing.update(agreeing)
        for each in (*agreeing, *others):
            each.installEventFilter(self)

    def restart(self) -> None:
        """Start the time again, because another question is shown, which a person cannot have read yet."""
        self._moment.restart()

    @property
    def is_unread(self) -> bool:
        """Return whether the question was shown too recently to have been read."""
        return self._moment.is_unread

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _PRESSES and watched in self._agreeing:
            if self._moment.swallows_press():
                return True
            self._moment.restart()
        if isinstance(event, QKeyEvent) and event.isAutoRepeat():
            return True
        return super().eventFilter(watched, event)


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
        """Return whether a person pressed a key or a button just now."""
        return time.monotonic() - self._at_s < _RECENT_S

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ACTIONS:
            self._at_s = time.monotonic()
        return super().eventFilter(watched, event)

    def _on_focus_window_changed(self, window: QWindow | None) -> None:
        if window is not None:
            window.removeEventFilter(self)  # at most once each
            window.installEventFilter(self)
