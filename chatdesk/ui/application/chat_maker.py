"""Opens chats besides the first one, and ends them: each has controllers, tasks and subscriptions of its own, which end
with it; services are shared."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import StorageRecovered
from chatdesk.ui.application.bindings import Bindings
from chatdesk.ui.application.failure_notices import FailureNotices
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.transcript_pane import make_transcript
from chatdesk.ui.commands.registry import CommandRegistry, PaneCommands
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.qt.event_subscriptions import EventSubscriptions
from chatdesk.ui.qt.pyside_support import NEXT_TURN_S
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ChatWindow
from chatdesk.ui.window.window_context import OpenThread, Panes, WindowContext

_log = logging.getLogger(__name__)

# Commands that exist once and act on the thread of whichever window they are given in; others open the main window.
_ACTING_HERE: Final = frozenset(
    ("thread.pin", "thread.archive", "thread.move", "thread.tags", "thread.delete", "thread.rename", "app.quit")
)


class ExtraChat(QObject):
    """A chat besides the first one, with the tasks and subscriptions that end with it."""

    def __init__(self, bindings: PaneBindings, tasks: AsyncTasks, subscriptions: EventSubscriptions) -> None:
        super().__init__(bindings.panes.pane)
        self.bindings = bindings
        self.panes = bindings.panes
        self.tasks = tasks
        self.subscriptions = subscriptions
        self.is_closing = False

    def apply_settings(self) -> None:
        self.bindings.settings.apply_to(self.panes)

    def use_keys(self) -> None:
        """Set the keys of the window's commands to those that a person chose in the main one."""
        self.panes.registry.keys.use(self.bindings.settings.own_keys())

    def show_error(self, error: ChatDeskError) -> None:
        """Show in the chat why something failed."""
        self.panes.pane.toasts.show_failure(error.sentence)


class ChatMaker:
    """Makes the second chat and chats in their own windows. ``opened`` is called when a chat shows another thread."""

    def __init__(self, main: Bindings, notices: FailureNotices, *, opened: Callable[[object], None]) -> None:
        self._main = main
        self._notices = notices
        self._opened = opened

    async def parts(self) -> tuple[ThreadHeader, EmptyState, Composer]:
        """Make the widgets of a chat, one at a time: the window goes on in between."""
        theme = self._main.panes.theme
        header = ThreadHeader(theme)
        empty_state = EmptyState(theme)
        await asyncio.sleep(NEXT_TURN_S)
        composer = Composer(theme)
        await asyncio.sleep(NEXT_TURN_S)
        return header, empty_state, composer

    async def build(self, window: ChatWindow, pane: ChatPane, commands: CommandRegistry | PaneCommands) -> ExtraChat:
        """Join the widgets of a chat with the services."""
        main, shared = self._main, self._main.shared
        services = shared.services
        panes = self._panes_of(window, pane, commands)
        tasks = AsyncTasks(partial(self._show_error, pane))
        subscriptions = EventSubscriptions(services.events)
        open_thread = OpenThread(services.chat, services.chat_of, services.is_temporary)
        context = WindowContext(
            panes, tasks, open_thread, subscriptions, lambda: main.settings.current, main.shown_chats
        )
        found: list[PaneBindings] = []
        make_transcript(panes, shared.renderer, lambda: found[0].threads)
        await asyncio.sleep(NEXT_TURN_S)
        bindings = PaneBindings(context, shared)
        found.append(bindings)
        bindings.build_search(main.lists)
        bindings.build_first_screen(lambda program: main.imports.open(program=program))
        await asyncio.sleep(NEXT_TURN_S)
        chat = ExtraChat(bindings, tasks, subscriptions)
        bindings.files.open_pictures(services.paths.data_dir)
        shared.models.add_header(pane.header)
        panes.transcript.conversation.set_model_name(shared.models.model_name)
        chat.apply_settings()
        main.settings.applied.connect(chat.apply_settings)
        threads = bindings.threads
        threads.set_new_project(main.threads.new_project)
        main.lists.projectShown.connect(threads.set_new_project)
        threads.restore_anchors(main.threads.anchors())
        threads.opened.connect(self._opened)
        self._notices.follow(bindings.unsaved)
        if window is not panes.main_window:
            panes.main_window.join(window)
        if services.read_only_reason is not None:
            panes.composer.set_enabled(False)
        subscriptions.subscribe(chat, StorageRecovered, lambda _event: panes.composer.set_enabled(True))
        bindings.first_screen.is_ended = main.first_screen.is_ended
        bindings.messages.start()
        bindings.first_screen.refresh()
        if main.team_window is not None:  # a team that is joined later takes all that are shown then
            main.team_window.add_chat(bindings.context_of_pane, threads)
        return chat

    async def fill(self, chat: ExtraChat, thread_id: str | None, *, takes_focus: bool = True) -> None:
        """Open the first thread of a chat, before the chat is shown. If that fails, remove the chat."""
        try:
            await chat.bindings.threads.open(thread_id, takes_focus=takes_focus)
        except BaseException:
            await self.end(chat)
            panes = chat.panes
            (panes.pane if panes.window is panes.main_window else panes.window).deleteLater()
            raise

    async def save(self, chat: ExtraChat) -> bool:
        """Store the unsent text, or show why that failed; the chat stays open then. Return whether it is stored."""
        try:
            await chat.bindings.save()
        except ChatDeskError as error:
            _log.error("a chat could not be closed: %s", error.code)
            chat.show_error(error)
            return False
        return True

    async def end(self, chat: ExtraChat) -> None:
        """End everything that belongs to a chat, which has been saved."""
        bindings = chat.bindings
        bindings.stop_filling()
        if self._main.team_window is not None:
            self._main.team_window.remove_chat(chat.panes)
        await bindings.artifacts.end()
        await chat.tasks.close()
        bindings.release()
        chat.subscriptions.close()
        self._main.shared.models.remove_header(chat.panes.header)
        chat.panes.main_window.keep_unseen(chat.panes.pane)
        if isinstance(chat.panes.commands, PaneCommands):
            chat.panes.commands.end()

    def _panes_of(self, window: ChatWindow, pane: ChatPane, commands: CommandRegistry | PaneCommands) -> Panes:
        main, composer, empty_state = self._main.panes, pane.composer, pane.empty_state
        assert isinstance(composer, Composer)
        assert isinstance(empty_state, EmptyState)
        header = pane.header
        return Panes(window, main.main_window, pane, commands, main.sidebar, header, empty_state, composer, main.theme)

    def _show_error(self, pane: ChatPane, error: Exception) -> None:
        """Show an error in its chat, and report an unexpected one as a crash."""
        if isinstance(error, ChatDeskError):
            pane.toasts.show_failure(error.sentence)
        else:
            self._notices.show(error)


def forward(registry: CommandRegistry, main: CommandRegistry, open_main: Callable[[], None]) -> None:
    """Forward commands that only the main window has to it. The main window comes to the front, unless the command acts
    on this thread. Menus offer these commands as the main window's do."""

    def run(command_id: str) -> None:
        if command_id not in _ACTING_HERE:
            open_main()
        main.trigger(command_id)

    known = {command.id for command in registry.commands()}
    for command in main.commands():
        if command.id not in known and not command.is_own:
            registry.bind(command.id, partial(run, command.id), partial(main.is_enabled, command.id))
            registry.describe(
                command.id,
                title=partial(main.title_of, command.id),
                is_offered=partial(main.is_offered, command.id),
                is_rare=main.is_rare(command.id),
            )
