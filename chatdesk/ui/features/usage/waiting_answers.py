"""Answers of the open thread that wait for a limit: why, until when, and what the buttons below them do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial

from chatdesk.core.events import QueueChanged
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.usage.usage_binding import waiting_words
from chatdesk.ui.window.window_context import Controller, WindowContext


class WaitingAnswers(Controller):
    """Joins the queue of questions with the transcript and the composer of one chat."""

    def __init__(self, context: WindowContext, threads: ThreadBinding, messages: MessageBinding) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._messages = messages
        for name, work in {
            "cancel-waiting": self._cancel,
            "send-first": self._send_first,
            "send-anyway": self._send_anyway,
        }.items():
            panes.message_handlers.bind(name, partial(self._start, name, work))
        panes.message_handlers.bind("raise-limit", lambda _answer_id: panes.commands.trigger("app.limits"))
        context.subscribe(self, QueueChanged, self._on_queue_changed)

    def _on_queue_changed(self, event: QueueChanged) -> None:
        self._panes.transcript.conversation.progress.set_waiting(
            {each.message_id: (waiting_words(each), each.before) for each in event.waiting}
        )
        thread_id = self._threads.thread_id
        if thread_id is not None:
            self._panes.composer.set_streaming(self._open_thread.chat_of(thread_id).is_answering(thread_id))
            self._messages.busyChanged.emit()

    def _start(self, name: str, work: Callable[[str], Coroutine[object, object, None]], answer_id: str) -> None:
        self._tasks.start(work(answer_id), f"{name} {answer_id}")

    async def _cancel(self, answer_id: str) -> None:
        await self._open_thread.chat.stop(answer_id)

    async def _send_first(self, answer_id: str) -> None:
        await self._open_thread.chat.queue.send_first(answer_id)

    async def _send_anyway(self, answer_id: str) -> None:
        chat = self._open_thread.chat
        chat.limits.allow_once(answer_id)
        await chat.retry_message(answer_id)
