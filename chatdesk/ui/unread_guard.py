"""Keeps a click from agreeing to a question that appeared under the pointer a moment ago."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QElapsedTimer, QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton

UNREAD_MS: Final = 600  # longer than a double click takes
_PRESSES: Final = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)


class UnreadGuard(QObject):
    """Lets a mouse press none of the buttons for a moment after ``restart``, nor after a press that came too soon: a
    click may have been meant for the question before, or for what was in this place. Keys work, because the focus never
    comes by itself; a key that is held answers one question only."""

    def __init__(self, agreeing: Sequence[QPushButton], parent: QObject, others: Sequence[QPushButton] = ()) -> None:
        """Guard the buttons that give what is asked for, and the ``others`` beside them from keys that are held."""
        super().__init__(parent)
        self._since = QElapsedTimer()
        self._agreeing = frozenset(agreeing)
        for each in (*agreeing, *others):
            each.installEventFilter(self)

    def restart(self) -> None:
        """Start the moment again, because another question is shown, which nobody can have read yet."""
        self._since.start()

    @property
    def is_unread(self) -> bool:
        """Return whether the question was shown too recently to have been read."""
        return self._since.isValid() and not self._since.hasExpired(UNREAD_MS)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _PRESSES and self.is_unread and watched in self._agreeing:
            self.restart()  # one of a burst of clicks
            return True
        if isinstance(event, QKeyEvent) and event.isAutoRepeat():
            return True
        return super().eventFilter(watched, event)
