"""The chats that are shown, for actions that lead a person to a thread from outside of its chat."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from PySide6.QtWidgets import QApplication

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ChatWindow
from chatdesk.ui.window.panes import Panes


class ShownThread(Protocol):
    """The thread that a chat shows, and how another one is opened there."""

    @property
    def thread_id(self) -> str | None: ...

    def open_soon(self, thread_id: str | None) -> None: ...

    def open(self, thread_id: str | None) -> Coroutine[Any, Any, None]: ...

    def open_at(self, thread_id: str, message_id: str) -> Coroutine[Any, Any, None]: ...


class ShownChat(Protocol):
    """A chat in one of the windows."""

    @property
    def panes(self) -> Panes: ...

    @property
    def threads(self) -> ShownThread: ...

    @property
    def tasks(self) -> AsyncTasks: ...


class ShownChats:
    """All chats. ``listed`` returns them, ``active`` the one that had the focus last, and ``activate`` makes that of
    another pane active; as long as there is only the first, it is all of it."""

    def __init__(self, first: ShownChat) -> None:
        self.listed: Callable[[], Sequence[ShownChat]] = lambda: (first,)
        self.active: Callable[[], ShownChat] = lambda: first
        self.activate: Callable[[ChatPane], None] = lambda _pane: None

    def showing(self, thread_id: str | None) -> ShownChat | None:
        """Return the chat that shows a thread, the active one before others."""
        if thread_id is None:
            return None
        return next((each for each in (self.active(), *self.listed()) if each.threads.thread_id == thread_id), None)

    def bring(self, thread_id: str | None) -> ShownChat:
        """Bring the chat that shows a thread to the front, else the active one, and return it."""
        chat = self.showing(thread_id) or self.active()
        chat.panes.window.come_to_front()
        self.activate(chat.panes.pane)
        return chat

    def show_soon(self, thread_id: str | None, message_id: str | None = None) -> None:
        """Show a thread, or one of its messages, in the chat that ``bring`` finds; None: a new chat."""
        chat = self.bring(thread_id)
        if thread_id is None or message_id is None:
            chat.threads.open_soon(thread_id)
        else:
            chat.tasks.replace(chat.threads.open_at(thread_id, message_id), "open thread")

    def has_person(self) -> bool:
        """Return whether one of the windows, or a dialog over one, has the keyboard."""
        window = QApplication.activeWindow()
        while window is not None and (parent := window.parentWidget()) is not None:
            window = parent.window()
        return any(each is window and each.is_seen for each in self.windows())

    def windows(self) -> Sequence[ChatWindow]:
        """Return the windows of all chats, that of the active one first."""
        return tuple(dict.fromkeys(each.panes.window for each in (self.active(), *self.listed())))

    def announces_for(self, panes: Panes, thread_id: str) -> bool:
        """Return whether the chat with these panes announces the events of a thread. Of all chats that show it only
        one does, so that a screen reader says each event once."""
        chat = self.showing(thread_id)
        return chat is not None and chat.panes is panes

    def ask_for_attention(self, panes: Panes, thread_id: str, *, here: str, elsewhere: str) -> None:
        """Announce ``here`` if the chat with these panes announces the events of a thread; if it notifies of them, show
        ``elsewhere`` with a button that leads to the thread."""
        if self.announces_for(panes, thread_id):
            announce(panes.window, here)
        elif self.notifies_of(panes, thread_id):
            panes.pane.show_toast(elsewhere, tr("Show"), partial(self.show_soon, thread_id))

    def notifies_of(self, panes: Panes, thread_id: str) -> bool:
        """Return whether the chat with these panes notifies of events in a thread elsewhere: it is the active chat,
        and the thread is not in sight in its window."""
        return self.active().panes is panes and not any(
            each.threads.thread_id == thread_id
            and each.panes.window is panes.window
            and each.panes.pane.isVisibleTo(panes.window)
            for each in self.listed()
        )
