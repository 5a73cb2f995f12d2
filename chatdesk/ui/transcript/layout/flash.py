"""Lights up a message that was jumped to for a moment, so that the eye finds it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

_STEPS = 12
_STEP_MS = 60


class Flash(QObject):
    """A message that is lit up: its strength falls from 1 to 0, or stays 1 until the end with reduced motion."""

    def __init__(self, viewport_layout: ViewportLayout, is_motion_reduced: Callable[[], bool]) -> None:
        super().__init__(viewport_layout)
        self.message_id: str | None = None
        self._viewport_layout = viewport_layout
        self._is_motion_reduced = is_motion_reduced
        self._left = 0
        self._timer = QTimer(self, interval=_STEP_MS)
        self._timer.timeout.connect(self._on_timer_timeout)

    def start(self, message_id: str) -> None:
        self.message_id = message_id
        self._left = _STEPS
        self._timer.start()
        self._viewport_layout.repaint()

    def stop(self) -> None:
        self.message_id = None
        self._timer.stop()

    def strength_of(self, entry: MessageEntry) -> float:
        if entry.message.id != self.message_id:
            return 0.0
        return 1.0 if self._is_motion_reduced() else self._left / _STEPS

    def _on_timer_timeout(self) -> None:
        entry = self._viewport_layout.layout.find(self.message_id)
        if entry is None:
            return  # its page is on the way
        self._left -= 1
        if self._left <= 0:
            self.stop()
        if self._left <= 0 or not self._is_motion_reduced():
            self._viewport_layout.repaint()
