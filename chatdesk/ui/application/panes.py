"""The panes of one window, built once and handed to the bindings."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.main_window import MainWindow
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.thread_header import ThreadHeader


@dataclass(frozen=True, slots=True)
class Panes:
    window: MainWindow
    commands: CommandRegistry
    sidebar: Sidebar
    header: ThreadHeader
    transcript: TranscriptView
    empty_state: EmptyState
    composer: Composer
    theme: Theme
