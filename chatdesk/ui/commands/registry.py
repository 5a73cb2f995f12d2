"""Commands and what they do: makes the actions of the window, fills menus, feeds the palette and the help.

A command that nobody has bound has no action: it is in no menu and its keys stay free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from chatdesk.ui.commands.command import GROUPS, Command

Run = Callable[[], object]
IsEnabled = Callable[[], bool]


@dataclass(slots=True)
class _Bound:
    run: Run
    is_enabled: IsEnabled | None
    action: QAction


class CommandRegistry(QObject):
    """Belongs to the window, whose shortcuts it holds. ``refresh`` asks again which commands make sense; it is called
    whenever a menu or the palette opens, and by the controller when a turn begins or ends."""

    def __init__(self, window: QWidget, commands: Iterable[Command] = ()) -> None:
        super().__init__(window)
        self._window = window
        self._commands: dict[str, Command] = {}
        self._bound: dict[str, _Bound] = {}
        for command in commands:
            self.add(command)

    def add(self, command: Command, run: Run | None = None, is_enabled: IsEnabled | None = None) -> None:
        if command.id in self._commands:
            raise ValueError(f"the command {command.id} is there already")
        self._commands[command.id] = command
        if run is not None:
            self.bind(command.id, run, is_enabled)

    def bind(self, command_id: str, run: Run, is_enabled: IsEnabled | None = None) -> QAction:
        """Say what a command does; a second call replaces the first."""
        command = self._commands[command_id]
        bound = self._bound.get(command_id)
        if bound is not None:
            bound.run, bound.is_enabled = run, is_enabled
            self.refresh()
            return bound.action
        action = QAction(command.title, self)
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(keys) for keys in command.shortcuts])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(command_id.startswith(("go.", "view.larger", "view.smaller")))
        action.setMenuRole(QAction.MenuRole.QuitRole if command.is_quit else QAction.MenuRole.NoRole)
        action.triggered.connect(lambda: self.trigger(command_id))
        self._bound[command_id] = _Bound(run, is_enabled, action)
        self._window.addAction(action)
        self._refresh_one(self._bound[command_id])
        return action

    def trigger(self, command_id: str) -> bool:
        """Run a command if it makes sense now."""
        bound = self._bound.get(command_id)
        if bound is None or not self._makes_sense(bound):
            return False
        bound.run()
        return True

    def refresh(self) -> None:
        for bound in self._bound.values():
            self._refresh_one(bound)

    def action(self, command_id: str) -> QAction | None:
        bound = self._bound.get(command_id)
        return None if bound is None else bound.action

    def is_enabled(self, command_id: str) -> bool:
        bound = self._bound.get(command_id)
        return bound is not None and self._makes_sense(bound)

    def commands(self) -> tuple[Command, ...]:
        """The bound ones, in the order of the catalogue."""
        return tuple(command for command in self._commands.values() if command.id in self._bound)

    def keys_text(self, command: Command) -> str:
        """All keys of a command as this system writes them."""
        native = QKeySequence.SequenceFormat.NativeText
        keys = [QKeySequence(each).toString(native) for each in command.shortcuts]
        return " or ".join(filter(None, (*keys, command.local_keys)))

    def first_keys_text(self, command: Command) -> str:
        if not command.shortcuts:
            return ""
        return QKeySequence(command.shortcuts[0]).toString(QKeySequence.SequenceFormat.NativeText)

    # Menus

    def fill_menu(self, menu: QMenu, command_ids: Iterable[str | None]) -> QMenu:
        """None is a line; commands that are not bound are left out."""
        for command_id in command_ids:
            action = None if command_id is None else self.action(command_id)
            if action is not None:
                menu.addAction(action)
            elif command_id is None and menu.actions():
                menu.addSeparator()
        menu.aboutToShow.connect(self.refresh)
        return menu

    def fill_menu_bar(self, bar: QMenuBar) -> None:
        """A menu a group."""
        for group in GROUPS:
            ids = [command.id for command in self.commands() if command.group == group]
            if ids:
                menu = bar.addMenu("ChatDesk" if group == "Application" else f"&{group}")
                self.fill_menu(menu, ids)

    def _makes_sense(self, bound: _Bound) -> bool:
        return bound.is_enabled is None or bound.is_enabled()

    def _refresh_one(self, bound: _Bound) -> None:
        bound.action.setEnabled(self._makes_sense(bound))
