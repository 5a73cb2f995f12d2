"""The objects that every controller of a window works with, and the base of all controllers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.qt.event_subscriptions import Subscribe
from chatdesk.ui.window.panes import Panes
from chatdesk.ui.window.shown_chats import ShownChats


class OpenThread:
    """The id of the thread that a window shows, and the chat service that has it: a temporary one has its own.
    ``stored_chat`` has all others."""

    def __init__(
        self,
        stored_chat: ChatService,
        chat_of: Callable[[str | None], ChatService],
        is_temporary: Callable[[str | None], bool],
    ) -> None:
        self.id: str | None = None
        self.stored_chat = stored_chat
        self.chat_of = chat_of
        self.is_temporary = is_temporary

    @property
    def chat(self) -> ChatService:
        return self.chat_of(self.id)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WindowContext:
    """The objects that every controller of a window needs. ``settings`` gives those in force; a subscription ends with
    the object that it is made for; ``chats`` leads to threads that are shown elsewhere."""

    panes: Panes
    tasks: AsyncTasks
    open_thread: OpenThread
    subscribe: Subscribe
    settings: Callable[[], Settings]
    chats: ShownChats


class Controller(QObject):
    """The base of controllers, which join the widgets of a window with the services. It keeps the objects of the
    context. Its timers and connections end with ``parent``; until then connections keep alive what they call."""

    def __init__(self, context: WindowContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panes = context.panes
        self._tasks = context.tasks
        self._open_thread = context.open_thread
        self._current_settings = context.settings
        self._chats = context.chats
