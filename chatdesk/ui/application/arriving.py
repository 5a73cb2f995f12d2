"""Messages of other members on their way into the transcript, a few at a time: a page of them costs no frame."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.domain.message import Message

_BETWEEN_MS = 33  # in which the view lays out and draws what it was given
_FIRST_MS = 12  # after what else is told with it, such as the thread's row in the sidebar, was drawn
_AT_ONCE = 1  # which is what it can lay out and draw in a frame; of a long queue a twentieth, so that it gets shorter
#: More than this are not put in one by one: the thread is read anew from where the reader is.
TOO_MANY = 400


class ArrivingMessages(QObject):
    """``add`` puts one message into the shown thread, ``reload`` reads the path below a message anew. Order is kept:
    what comes while others wait waits behind them."""

    def __init__(self, add: Callable[[Message], None], reload: Callable[[str | None], None]) -> None:
        super().__init__()
        self._add = add
        self._reload = reload
        self._waiting: deque[Message] = deque()
        self._taken_at = 0.0
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._take_some)

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def take(self, message: Message) -> None:
        self._waiting.append(message)
        if not self._timer.isActive():
            rested_ms = (time.perf_counter() - self._taken_at) * 1000
            self._timer.start(round(max(_FIRST_MS, _BETWEEN_MS - rested_ms)))

    def change(self, message: Message) -> None:
        """A newer state of one that may still wait."""
        for place, each in enumerate(self._waiting):
            if each.id == message.id:
                self._waiting[place] = message
                return

    def forget(self) -> None:
        """Another thread is shown, or the path is read anew."""
        self._waiting.clear()
        self._timer.stop()

    def _take_some(self) -> None:
        if len(self._waiting) > TOO_MANY:
            first = self._waiting[0]
            self.forget()
            self._reload(first.parent_id)
            return
        for _ in range(min(len(self._waiting), max(_AT_ONCE, len(self._waiting) // 20))):
            self._add(self._waiting.popleft())
        self._taken_at = time.perf_counter()
        if self._waiting:
            self._timer.start(_BETWEEN_MS)
