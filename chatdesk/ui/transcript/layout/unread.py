"""Places the line where the unread part begins: above the first answer that the reader did not see come."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.message import Message, Role
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout

_READ_AFTER_MS = 3_000


class Unread(QObject):
    """The line above the first unread answer.

    The line goes away with the reader's own next message, and a moment after the end of the thread was in view in an
    active window.
    """

    def __init__(self, view: QWidget, viewport_layout: ViewportLayout, conversation: Conversation) -> None:
        super().__init__(view)
        self.read_timer = QTimer(self, singleShot=True, interval=_READ_AFTER_MS)
        self.read_timer.timeout.connect(self._on_read_timer_timeout)
        self._view = view
        self._layout = viewport_layout.layout
        self._conversation = conversation
        conversation.added.connect(self._on_conversation_added)
        conversation.cleared.connect(self._on_conversation_cleared)
        viewport_layout.laidOut.connect(self.update_timer)

    def update_timer(self) -> None:
        """Start the timer that removes the line while the reader sees it; stop it otherwise."""
        is_marked = self._conversation.first_unread is not None
        if is_marked and self._is_reader_here and self._layout.is_at_end:
            if not self.read_timer.isActive():
                self.read_timer.start()
        else:
            self.read_timer.stop()

    @property
    def _is_reader_here(self) -> bool:
        window = self._view.window()
        return self._view.isVisible() and window.isActiveWindow() and not window.isMinimized()

    def _on_conversation_added(self, message: Message) -> None:
        if message.role is Role.USER and message.author_id is None:
            self._conversation.mark_unread(None)
        elif self._conversation.first_unread is None and not (self._is_reader_here and self._layout.follows_end):
            self._conversation.mark_unread(message.id)

    def _on_conversation_cleared(self) -> None:
        self.read_timer.stop()

    def _on_read_timer_timeout(self) -> None:
        if self._is_reader_here and self._layout.is_at_end:
            self._conversation.mark_unread(None)
