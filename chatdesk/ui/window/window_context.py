"""Defines the objects that every controller of a window works with, the chats of all windows, and the base of
controllers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from chatdesk.core.settings.schema import Settings
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.commands.registry import CommandRegistry, PaneCommands
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ChatWindow
from chatdesk.ui.window.main_window import MainWindow

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.chat.chat_service import ChatService
    from chatdesk.ui.qt.event_subscriptions import EventSubscriptions
    from chatdesk.ui.transcript.view import TranscriptView

Handler = Callable[[str], object]  # takes the id of the message


class ShownThread(Protocol):
    """The thread that a chat shows, and how another one is opened there. A protocol, because the floor of windows does
    not know the controller that implements it."""

    @property
    def thread_id(self) -> str | None: ...

    def open_soon(self, thread_id: str | None) -> None: ...

    def open(self, thread_id: str | None) -> Coroutine[Any, Any, None]: ...

    def open_at(self, thread_id: str, message_id: str) -> Coroutine[Any, Any, None]: ...


class ShownChat(Protocol):
    """A chat in one of the windows. A protocol, because its controllers are made two floors above."""

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


class MessageHandlers:
    """The functions of the actions on messages, by the names of the catalogue or of the buttons of a notice."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def bind(self, name: str, run: Handler) -> None:
        """Set the handler of an action; a second call replaces the first."""
        self._handlers[name] = run

    @property
    def bound(self) -> frozenset[str]:
        """The names of the actions that do something."""
        return frozenset(self._handlers)

    def run(self, name: str, message_id: str) -> None:
        """Run the action on a message; raises KeyError for an unbound action."""
        self._handlers[name](message_id)


@dataclass(slots=True, eq=False, repr=False)
class Panes:
    """The widgets of one chat. ``window`` has the chat's ``pane``; the list of threads is in ``main_window``, which may
    be another. ``transcript`` comes after the first paint, with the bindings."""

    window: ChatWindow
    main_window: MainWindow
    pane: ChatPane
    commands: CommandRegistry | PaneCommands
    sidebar: Sidebar
    header: ThreadHeader
    empty_state: EmptyState
    composer: Composer
    theme: Theme
    message_handlers: MessageHandlers = field(default_factory=MessageHandlers)
    transcript: TranscriptView = field(init=False)

    @property
    def registry(self) -> CommandRegistry:
        """All commands of the window."""
        return self.commands if isinstance(self.commands, CommandRegistry) else self.commands.registry

    def disable(self) -> None:
        """Disable all panes, because no request of theirs could be carried out."""
        for pane in (self.composer, self.sidebar, self.header):
            pane.setEnabled(False)

    def close_for_good(self) -> None:
        """Close the window for good, also where closing it would only hide it."""
        self.window.hides_on_close = None
        self.window.close()

    def stop_timers(self) -> None:
        """Stop the timers of the window, as that of a search after a pause in typing: its services close."""
        for timer in self.window.findChildren(QTimer):
            timer.stop()


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
    events: EventSubscriptions
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
