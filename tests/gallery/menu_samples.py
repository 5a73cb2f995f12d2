"""The menu of the open thread, as its header opens it."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.theme.theme import Theme
from tests.gallery.window_samples import build_window


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    window = build_window(theme)
    commands = CommandRegistry(window, CATALOGUE)
    for command in CATALOGUE:
        commands.bind(command.id, lambda: None)
    window.set_commands(commands)
    menu = max(window.pane.header.findChildren(QMenu), key=lambda each: len(each.actions()))
    menu.setProperty("ofWindow", window)  # which it ends with
    menu.aboutToShow.emit()
    return [("thread-menu", menu)]
