"""Follows answers that have no words yet: they wait to be asked for, were asked for, or are tried again later."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, QTimer

from chatdesk.core.clock import Clock
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.messages.notices import Retry
from chatdesk.ui.transcript.speech.narration import Narrator


class AnswerProgress(QObject):
    """Keeps it by message, also for threads that are not shown; ``find`` returns the entry of a shown message."""

    def __init__(
        self,
        parent: QObject,
        *,
        find: Callable[[str], MessageEntry | None],
        narrator: Narrator,
        schedule: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._find = find
        self._narrator = narrator
        self._schedule = schedule
        self._waiting: dict[str, tuple[str, int]] = {}
        self._asked: dict[str, int] = {}
        self._retries: dict[str, Retry] = {}

    def show_on(self, entry: MessageEntry) -> None:
        """Show the progress of a message on its new entry."""
        message_id = entry.message.id
        if message_id in self._asked:
            entry.frame.set_asked(self._asked[message_id])
        if message_id in self._retries:
            entry.notices.set_retry(self._retries[message_id])
        if message_id in self._waiting:
            text, others = self._waiting[message_id]
            entry.notices.set_waiting(text, before=others)

    def set_waiting(self, waiting: Mapping[str, tuple[str, int]]) -> None:
        """Set the notice of each answer that is not requested yet, and how many come first; others wait no more."""
        before, self._waiting = self._waiting, dict(waiting)
        for message_id in before.keys() - waiting.keys():
            entry = self._find(message_id)
            if entry is not None:
                entry.notices.set_waiting("", before=0)
        for message_id, (text, others) in waiting.items():
            entry = self._find(message_id)
            if entry is not None and before.get(message_id) != (text, others):
                entry.notices.set_waiting(text, before=others)
                if message_id not in before:
                    self._narrator.announce(text)
        self._schedule()

    def record_request(self, message_id: str, at_ms: int) -> None:
        """Remember that a provider was asked for an answer, of any thread, at ``at_ms``."""
        self._asked[message_id] = at_ms
        entry = self._find(message_id)
        if entry is not None:
            entry.frame.set_asked(at_ms)
            self._schedule()

    def set_retry(self, message_id: str, retry: Retry) -> None:
        """Remember the next attempt at an answer, which may be one of any thread, until it is due."""
        self._retries[message_id] = retry
        entry = self._find(message_id)
        if entry is not None:
            entry.notices.set_retry(retry)
            self._narrator.announce(retry.reason)
            self._schedule()
        wait_ms = max(0, retry.due_ms - Clock().now_ms())
        QTimer.singleShot(wait_ms, self, lambda: self._end_retry(message_id, retry))

    def forget_answer(self, message_id: str) -> None:
        """Forget the waiting time and the retry of an answer, which may be one of any thread."""
        self._asked.pop(message_id, None)
        self._retries.pop(message_id, None)

    def _end_retry(self, message_id: str, retry: Retry) -> None:
        if self._retries.get(message_id) is retry:
            del self._retries[message_id]
            entry = self._find(message_id)
            if entry is not None:
                entry.notices.set_retry(None)
                self._schedule()
