"""Finds the chat that commands act on: the one that had the focus last, in any window."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.window.window_context import Panes


@dataclass(frozen=True, slots=True, eq=False)
class ActiveChat:
    """The chat that controllers act on which exist once."""

    panes: Panes
    threads: ThreadBinding
    undo: UndoBinding
