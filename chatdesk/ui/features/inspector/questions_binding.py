"""Controls the list of the open thread's questions in the inspector: reads and filters them, and goes to one."""

from __future__ import annotations

from PySide6.QtCore import Signal

from chatdesk.core.domain.thread import Question
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.inspector.questions_tab import QuestionsTab
from chatdesk.ui.window.window_context import Controller, WindowContext

_PAGE = 500


class QuestionsBinding(Controller):
    """Controller of the list of questions. ``went`` is emitted when a person went to a question. Questions already read
    are kept and new ones appended, until ``forget`` reports that the thread has changed otherwise."""

    went = Signal()

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        tasks = context.tasks
        self._read: tuple[str, str] | None = None  # the thread and the filter of the listed questions
        self.tab = QuestionsTab(panes.theme)
        self.tab.questionChosen.connect(self._go)
        self.tab.filterChanged.connect(lambda _text: tasks.replace(self.fill(), "fill inspector"))

    def forget(self) -> None:
        self._read = None

    async def fill(self) -> None:
        """Page by page, so that the window answers in the meantime."""
        thread_id, text = self._threads.thread_id, self.tab.field.text()
        if thread_id is None:
            self.forget()
            self.tab.reset(position=0)
            self.tab.add((), is_last=True)
            return
        chat = self._open_thread.chat_of(thread_id)
        known: Question | None = self.tab.last if self._read == (thread_id, text) else None
        start: int | None = 0 if known is None else known.position
        if known is None:
            self.tab.reset(position=self._position_read())
        while start is not None:
            page = await chat.reader.list_questions(thread_id, start=start, limit=_PAGE, text=text)
            self._read = (thread_id, text)
            start, found = page.next_position, page.questions
            if known is not None:  # which begins the page, since it is read from its position on
                found, known = found[1:], None
            self.tab.add(found, is_last=start is None)

    def _position_read(self) -> int:
        transcript = self._panes.transcript
        wanted = transcript.current_message_id()
        return next((each.message.position for each in transcript.entries if each.message.id == wanted), 0)

    def _go(self, message_id: str) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            self._tasks.start(self._threads.open_at(thread_id, message_id), "go to message")
            self.went.emit()
