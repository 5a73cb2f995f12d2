"""Changes the transcript with the time: waiting times, the mark of the last message, the line above unread answers, and
the light on a message that was jumped to."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message, Role
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.text_item import WaitingItem
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

_TICK_MS = 1_000
_READ_AFTER_MS = 3_000
_STEPS = 12
_STEP_MS = 60


class Ticking(QObject):
    """A timer that runs once a second, only while an item in view changes with the time."""

    def __init__(self, viewport_layout: ViewportLayout) -> None:
        super().__init__(viewport_layout)
        self._viewport_layout = viewport_layout
        self._clock = Clock()
        self.timer = QTimer(self, interval=_TICK_MS)
        self.timer.timeout.connect(self.tick)
        viewport_layout.laidOut.connect(self._on_viewport_layout_laid_out)

    def tick(self) -> None:
        self._viewport_layout.ensure_laid_out()
        now_ms = self._clock.now_ms()
        changed = [item for item in self._ticking() if item.tick(now_ms)]
        if changed:
            self._viewport_layout.repaint()

    def _ticking(self) -> list[NoticeItem | WaitingItem]:
        items = (placed.item for placed in self._viewport_layout.layout.placed)
        return [item for item in items if isinstance(item, NoticeItem | WaitingItem) and item.ticks]

    def _on_viewport_layout_laid_out(self) -> None:
        has_any = bool(self._ticking())
        if has_any and not self.timer.isActive():
            self.timer.start()
        elif not has_any:
            self.timer.stop()


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

    def hold(self, message_id: str) -> None:
        """Light a message up until another one is, or ``stop``."""
        self._timer.stop()
        self.message_id = message_id
        self._left = _STEPS
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
            return  # its page is being loaded
        self._left -= 1
        if self._left <= 0:
            self.stop()
        if self._left <= 0 or not self._is_motion_reduced():
            self._viewport_layout.repaint()
