"""Opens the jump to a date in a long thread."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.message import Message
from chatdesk.core.texts import tr
from chatdesk.ui.features.chat.jump_to_date import JumpToDateDialog
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_TASK = "jump to a date"


class DateBinding(Controller):
    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        panes.commands.bind("go.date", self.open_date)

    def open_date(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None and self._is_free():
            self._tasks.replace(self._show_date(thread_id), _TASK)

    def _is_free(self) -> bool:
        """Return whether the dialog is not open."""
        return not any(each.isVisible() for each in self._panes.window.findChildren(QWidget, "jumpToDateDialog"))

    async def _show_date(self, thread_id: str) -> None:
        chat = self._open_thread.chat_of(thread_id)
        span = await chat.reader.time_span(thread_id)
        if span is None:
            self._panes.pane.show_toast(tr("This thread has no message yet."))
            return
        read = self._message_read()
        dialog = JumpToDateDialog(
            self._panes.theme,
            first_ms=span[0],
            last_ms=span[1],
            current_ms=span[1] if read is None else read.created_at,
            parent=self._panes.window,
        )
        dialog.dayChosen.connect(lambda day_ms: self._tasks.replace(self._go_to_day(thread_id, day_ms), _TASK))
        dialog.open()

    async def _go_to_day(self, thread_id: str, day_ms: int) -> None:
        chat = self._open_thread.chat_of(thread_id)
        message_id = await chat.reader.first_message_since(thread_id, day_ms)
        if message_id is None:
            self._panes.pane.show_toast(tr("Nothing was written on that day or later."))
        else:
            self._go(thread_id, message_id)

    def _message_read(self) -> Message | None:
        """Return the message that the reader is at."""
        transcript = self._panes.transcript
        wanted = transcript.current_message_id()
        return next((each.message for each in transcript.entries if each.message.id == wanted), None)

    @in_task("go to message")
    async def _go(self, thread_id: str, message_id: str) -> None:
        await self._threads.open_at(thread_id, message_id)
        self._panes.transcript.setFocus()
