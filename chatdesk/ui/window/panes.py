"""The parts of one chat and of the windows around it, built once and handed to the bindings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatdesk.ui.commands.message_handlers import MessageHandlers
from chatdesk.ui.commands.pane_commands import PaneCommands
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ChatWindow
from chatdesk.ui.window.main_window import MainWindow

if TYPE_CHECKING:  # the first paint does without
    from chatdesk.ui.transcript.view import TranscriptView


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
