"""Messages of other members on their way into the transcript, a few at a time: a page of them costs no frame."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import islice

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.domain.message import Message

_BETWEEN_MS = 33  # in which the view lays out and draws what it was given
_FIRST_MS = 12  # after what else an event shows, such as the thread's row in the sidebar, was drawn
_SOON = 4  # so many of those that wait are got ready
_AGAIN_MS = 8  # until it is asked again whether the next one is ready
_LONGEST_S = 0.06  # that one waits for that; then it is shown as plain words first
_AT_ONCE = 1  # which is what it can lay out and draw in a frame; of a long queue a twentieth, so that it gets shorter
# More than this are not put in one by one: the thread is read again from where the reader is.
TOO_MANY = 400


class IncomingMessages(QObject):
    """A queue of messages in order: what comes while others wait waits behind them. ``prepare`` gets a message ready
    and returns whether it is, ``add`` puts it into the shown thread, ``reload`` reads the path below a message
    again."""

    def __init__(
        self,
        prepare: Callable[[Message], bool],
        add: Callable[[Message], None],
        reload: Callable[[str | None], None],
    ) -> None:
        super().__init__()
        self._prepare = prepare
        self._add = add
        self._reload = reload
        self._waiting: deque[Message] = deque()
        self._added_at = 0.0
        self._first_at = 0.0  # since when the first one could be shown
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._add_some)

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def add(self, message: Message) -> None:
        self._waiting.append(message)
        if len(self._waiting) <= _SOON:
            self._prepare(message)
        if not self._timer.isActive():
            rested_ms = (time.perf_counter() - self._added_at) * 1000
            self._timer.start(round(max(_FIRST_MS, _BETWEEN_MS - rested_ms)))

    def change(self, message: Message) -> None:
        """Replace a message that still waits with a newer state."""
        for place, each in enumerate(self._waiting):
            if each.id == message.id:
                self._waiting[place] = message
                return

    def forget(self) -> None:
        """Drop the waiting messages, because another thread is shown or the path is read again."""
        self._waiting.clear()
        self._timer.stop()

    def _add_some(self) -> None:
        if len(self._waiting) > TOO_MANY:
            first = self._waiting[0]
            self.forget()
            self._reload(first.parent_id)
            return
        count = min(len(self._waiting), max(_AT_ONCE, len(self._waiting) // 20))
        states = [self._prepare(each) for each in islice(self._waiting, count)]
        now = time.perf_counter()
        if not all(states):
            self._first_at = self._first_at or now
            if now - self._first_at < _LONGEST_S:
                self._timer.start(_AGAIN_MS)
                return
        self._first_at = 0.0
        for _ in range(count):
            self._add(self._waiting.popleft())
        self._added_at = now
        if self._waiting:
            for each in islice(self._waiting, _SOON):
                self._prepare(each)
            self._timer.start(_BETWEEN_MS)
