"""Notifies a person who works elsewhere that an answer is ready, or that a call of a tool waits for approval."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QGuiApplication

from chatdesk.core.domain.message import Message, Status
from chatdesk.core.domain.tools import ApprovalRequest
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import AnswerFinished, ApprovalAsked, ApprovalEnded
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.desktop.notice import Notice
from chatdesk.ui.features.desktop.notify import Notifier
from chatdesk.ui.window.window_context import Controller, WindowContext

# An answer that took longer is one that a person may have left alone.
LONG_MS: Final = 10_000
_TITLES: Final = {Status.COMPLETE: Text("An answer is ready"), Status.ERROR: Text("An answer failed")}


class AnswerNotices(Controller):
    """Notices of the desktop, one a thread, which show the title of the thread and no text of messages: others may see
    the screen."""

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self._settings = context.settings
        self._chat_of = context.open_thread.chat_of
        self.notifier = Notifier(context.panes.window, context.tasks)
        self.notifier.pressed.connect(context.chats.show_soon)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._on_focus_window_changed)
        context.subscribe(self, AnswerFinished, lambda event: self._on_answer_finished(event.message))
        context.subscribe(self, ApprovalAsked, lambda event: self._on_approval_asked(event.request))
        context.subscribe(self, ApprovalEnded, lambda event: self.notifier.withdraw(event.thread_id))

    async def end(self) -> None:
        """Withdraw the notices, because the window closes."""
        await self.notifier.close()

    def _on_focus_window_changed(self, _window: object) -> None:
        if self._chats.has_person():
            self.notifier.withdraw_others(())  # the person is here, and sees it

    def _is_wanted(self, took_ms: int | None) -> bool:
        if self._chats.has_person():
            return False
        wanted = self._settings().answer_notices
        return wanted == "all" or (wanted == "long" and (took_ms is None or took_ms >= LONG_MS))

    def _on_answer_finished(self, message: Message) -> None:
        title = _TITLES.get(message.status)
        took_ms = (message.completed_at or message.created_at) - message.created_at
        if title is not None and self._is_wanted(took_ms):
            self._tasks.start(self._show(message.thread_id, message.id, shown(title)), "notify of an answer")

    def _on_approval_asked(self, request: ApprovalRequest) -> None:
        if self._is_wanted(None):
            title = tr(
                "{server_name} waits for your approval", server_name=distinct_name(shown(request.tool.server_name))
            )
            self._tasks.start(self._show(request.thread_id, request.message_id, title), "notify of a call")

    async def _show(self, thread_id: str, message_id: str, title: str) -> None:
        try:
            thread = await self._chat_of(thread_id).get_thread(thread_id)
        except ChatDeskError:
            return  # gone by now
        self.notifier.show(Notice(thread_id, message_id, title, shown(thread.name)))
