"""The commands of a second chat in a window: bound as those of the first, in force while that chat is active."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction

from chatdesk.ui.commands.command import Command
from chatdesk.ui.commands.registry import CommandRegistry, IsEnabled, Run


class PaneCommands:
    """Binds commands of ``registry`` as their owner. It offers what controllers of a chat use of the registry."""

    def __init__(self, registry: CommandRegistry) -> None:
        self.registry = registry
        self._bound: set[str] = set()

    def add(self, command: Command, run: Run | None = None, is_enabled: IsEnabled | None = None) -> None:
        self._bound.add(command.id)
        self.registry.add(command, run, is_enabled, owner=self)

    def remove(self, command_id: str) -> None:
        if command_id in self._bound:
            self._bound.discard(command_id)
            self.registry.remove(command_id, owner=self)

    def bind(self, command_id: str, run: Run, is_enabled: IsEnabled | None = None) -> QAction:
        self._bound.add(command_id)
        return self.registry.bind(command_id, run, is_enabled, owner=self)

    def describe(
        self,
        command_id: str,
        *,
        title: Callable[[], str] | None = None,
        is_offered: IsEnabled | None = None,
        is_rare: bool = False,
    ) -> None:
        self.registry.describe(command_id, title=title, is_offered=is_offered, is_rare=is_rare, owner=self)

    def commands(self) -> tuple[Command, ...]:
        """Return the commands that are bound here."""
        return tuple(command for command in self.registry.commands() if command.id in self._bound)

    def trigger(self, command_id: str) -> bool:
        return self.registry.trigger(command_id)

    def refresh(self) -> None:
        self.registry.refresh()

    def end(self) -> None:
        """Unbind all commands, because the chat is closed."""
        for command_id in tuple(self._bound):
            self.remove(command_id)
