"""The commands about windows, and about two chats side by side."""

from __future__ import annotations

from typing import Final

from chatdesk.core.texts import Text
from chatdesk.ui.commands.command import Command

WINDOW_COMMANDS: Final[tuple[Command, ...]] = (
    Command("thread.open_window", Text("Open in a new window"), "Thread", ("Ctrl+Shift+D",), icon="external-link"),
    Command("thread.open_beside", Text("Open beside"), "Thread", ("Ctrl+Shift+B",), icon="panel-right"),
    Command("view.close_chat", Text("Close this chat or window"), "View", ("Ctrl+W",), icon="x"),
    Command("go.chat_left", Text("Go to the chat at the left"), "Go", ("Ctrl+Alt+Left",)),
    Command("go.chat_right", Text("Go to the chat at the right"), "Go", ("Ctrl+Alt+Right",)),
)
