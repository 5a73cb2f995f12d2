"""Every action of the window, once: its name, its keys and where it stands. What it does is bound elsewhere."""

from __future__ import annotations

from typing import Final

from chatdesk.ui.commands.command import Command

CATALOGUE: Final[tuple[Command, ...]] = (
    Command("thread.new", "New thread", "Thread", ("Ctrl+N",), icon="square-pen"),
    Command("thread.rename", "Rename thread", "Thread", ("F2",), icon="pencil"),
    Command("thread.pin", "Pin or unpin thread", "Thread", icon="pin"),
    Command("thread.archive", "Archive thread", "Thread", icon="archive"),
    Command("thread.system_prompt", "System prompt…", "Thread"),
    Command("project.system_prompt", "System prompt of the project…", "Thread"),
    Command("thread.parameters", "Parameters…", "Thread"),
    Command("project.parameters", "Parameters of the project…", "Thread"),
    Command("thread.export_markdown", "Export thread as Markdown…", "Thread", ("Ctrl+Shift+E",), icon="download"),
    Command("thread.export_json", "Export thread as JSON…", "Thread", icon="download"),
    Command("thread.delete", "Delete thread", "Thread", local_keys="Del in the list", icon="trash-2"),
    Command("edit.undo", "Undo the last change", "Thread", ("Ctrl+Z",), icon="undo-2"),
    Command("edit.redo", "Redo what was undone", "Thread", ("Ctrl+Shift+Z", "Ctrl+Y"), icon="rotate-ccw"),
    Command("message.stop", "Stop the answer", "Message", ("Esc",), icon="circle-stop"),
    Command("message.regenerate", "Regenerate the last answer", "Message", ("Ctrl+R",), icon="refresh-cw"),
    Command("message.compare", "Compare models…", "Message", ("Ctrl+Shift+M",)),
    Command(
        "message.edit_last", "Edit my last message", "Message", local_keys="Up in an empty composer", icon="pencil"
    ),
    Command("prompt.insert", "Insert a prompt…", "Message", local_keys="/ in an empty line", icon="wand"),
    Command("prompt.save", "Save as prompt…", "Message"),
    Command("prompt.library", "Prompts…", "Message"),
    Command("message.copy_last", "Copy the last answer", "Message", ("Ctrl+Shift+C",), icon="copy"),
    Command("message.copy_markdown", "Copy the selection as Markdown", "Message", icon="copy"),
    Command("message.copy_plain", "Copy the selection as plain text", "Message", icon="copy"),
    Command("message.copy_rich", "Copy the selection as rich text", "Message", icon="copy"),
    Command("go.search", "Search everything…", "Go", ("Ctrl+K",), icon="search"),
    Command("go.filter", "Filter the list of threads", "Go", ("Ctrl+Shift+F",)),
    Command("go.find", "Find in thread", "Go", ("Ctrl+F",), icon="search"),
    Command("go.find_next", "Next match", "Go", ("F3",)),
    Command("go.find_previous", "Previous match", "Go", ("Shift+F3",)),
    Command("go.composer", "Go to the composer", "Go", ("Ctrl+L",)),
    Command("go.previous_thread", "Previous thread", "Go", ("Ctrl+PgUp",)),
    Command("go.next_thread", "Next thread", "Go", ("Ctrl+PgDown",)),
    Command("go.next_pane", "Next part of the window", "Go", ("F6",)),
    Command("go.previous_pane", "Previous part of the window", "Go", ("Shift+F6",)),
    Command("view.sidebar", "Show or hide the sidebar", "View", ("Ctrl+B",), icon="panel-left"),
    Command("view.inspector", "Show or hide the inspector", "View", ("Ctrl+I",), icon="panel-right"),
    Command("view.context", "Show what the model will see", "View"),
    Command("view.summary", "Show the summary of older messages", "View"),
    Command("view.usage", "Show what this thread took", "View"),
    Command("view.tree", "Show the tree of versions", "View"),
    Command("view.theme", "Switch theme", "View", ("Ctrl+Shift+T",), icon="sun-moon"),
    Command("view.larger", "Larger text", "View", ("Ctrl++", "Ctrl+=")),
    Command("view.smaller", "Smaller text", "View", ("Ctrl+-",)),
    Command("view.reset_size", "Normal text size", "View", ("Ctrl+0",)),
    Command("view.menu_bar", "Show or hide the menu bar", "View", ("F10",)),
    Command("app.palette", "All commands…", "Application", ("Ctrl+Shift+P",), is_in_palette=False),
    Command("app.settings", "Settings…", "Application", ("Ctrl+,",), icon="settings"),
    Command("app.shortcuts", "Keyboard shortcuts", "Application", ("F1", "Ctrl+/"), icon="keyboard"),
    Command("app.about", "About ChatDesk", "Application", icon="info"),
    Command("app.quit", "Quit", "Application", ("Ctrl+Q",), is_quit=True, icon="log-out"),
)

# What the header's menu about the open thread offers; None is a line.
THREAD_MENU: Final[tuple[str | None, ...]] = (
    "thread.rename",
    "thread.pin",
    "thread.archive",
    "thread.parameters",
    "thread.system_prompt",
    "thread.export_markdown",
    "thread.export_json",
    None,
    "thread.delete",
)
