"""The menu of the composer's plus: files, a prompt, the parameters, the tools and the assistant, in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from chatdesk.core.texts import Text, shown
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.qt_icons import icon
from chatdesk.ui.window.window_context import Controller, WindowContext

# Commands, their icons, and keys of the composer's own.
_ROWS: Final = (
    ("message.attach", "paperclip", ""),
    ("prompt.insert", "wand", "/"),
    ("thread.parameters", "wrench", ""),
    ("app.tools", "hammer", ""),
    ("thread.assistant", "user", "@"),
)

MenuOf = Callable[[], QMenu | None]


class ComposerMenu(Controller):
    """Opens the menu above the plus. ``tools`` and ``assistants`` return menus to choose from; None where there is
    nothing to choose yet: then their rows lead to where it is set up."""

    def __init__(self, context: WindowContext, *, tools: MenuOf, assistants: MenuOf) -> None:
        super().__init__(context)
        self._below = {
            "app.tools": (Text("Tools"), tools),
            "thread.assistant": (Text("Assistant"), assistants),
        }
        context.panes.composer.addRequested.connect(self.open)

    def open(self) -> None:
        """Open the menu."""
        panes = self._panes
        button = panes.composer.add_button
        menu = QMenu(button)
        menu.setObjectName("addMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setProperty("hasIcons", True)
        round_corners(menu, panes.theme.tokens.radius.row)
        commands = panes.commands
        registry = commands if isinstance(commands, CommandRegistry) else commands.registry
        for command_id, icon_name, keys in _ROWS:
            action = registry.action(command_id)
            if action is None:
                continue
            image = icon(icon_name, panes.theme.colour("muted"))
            title, below_of = self._below.get(command_id, (None, None))
            below = None if below_of is None else below_of()
            if title is not None and below is not None:
                below.setTitle(shown(title))
                below.setIcon(image)
                menu.addMenu(below)
                continue
            words = registry.title_of(command_id)
            said = keys or action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            row = menu.addAction(image, f"{words}\t{said}" if said else words, partial(commands.trigger, command_id))
            row.setObjectName(f"add-{command_id}")
            row.setEnabled(registry.is_offered(command_id))
        button.popup(menu, is_above=True)
