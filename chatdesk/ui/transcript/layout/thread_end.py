"""Marks the message that a thread ends with, which offers to answer a question or has the quick actions."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout


class ThreadEnd(QObject):
    """A watcher that marks the last message a moment after each new layout.

    It waits because a question that is sent is followed by its answer in the same moment.
    """

    def __init__(self, viewport_layout: ViewportLayout, conversation: Conversation) -> None:
        super().__init__(viewport_layout)
        self._conversation = conversation
        # Not inside the layout, which may be made for a paint that goes on with what was laid out.
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._on_timer_timeout)
        viewport_layout.laidOut.connect(self._on_viewport_layout_laid_out)

    def _on_viewport_layout_laid_out(self) -> None:
        if self._conversation.last_id != self._conversation.end_id:
            self._timer.start()

    def _on_timer_timeout(self) -> None:
        self._conversation.mark_end(self._conversation.last_id)
