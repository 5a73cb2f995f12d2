"""The question that a thread ends with: it has no answer, and offers to get one."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from chatdesk.ui.transcript.conversation import Conversation
from chatdesk.ui.transcript.stage import Stage


class Unanswered(QObject):
    """Looks after each new layout: a question that is sent is followed by its answer in the same moment."""

    def __init__(self, stage: Stage, conversation: Conversation) -> None:
        super().__init__(stage)
        self._stage = stage
        self._conversation = conversation
        # Not inside the layout, which may be made for a paint that goes on with what was laid out.
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._on_timer_timeout)
        stage.laidOut.connect(self._on_stage_laid_out)

    @property
    def _last_question(self) -> str | None:
        layout = self._stage.layout
        last = layout.entries[-1] if layout.entries and not layout.has_newer else None
        is_own = last is not None and last.is_question and not last.message.is_note and last.message.author_id is None
        return last.message.id if last is not None and is_own else None

    def _on_stage_laid_out(self) -> None:
        if self._last_question != self._conversation.unanswered_id:
            self._timer.start()

    def _on_timer_timeout(self) -> None:
        self._conversation.mark_unanswered(self._last_question)
