"""Binds commands to functions: makes the actions of the window, fills menus, feeds the palette and the help.

A command without a function has no action: it is in no menu and its keys stay free. A person can change the keys of
each command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from chatdesk.core.texts import shown
from chatdesk.ui.commands.command import GROUPS, Command, menu_titles
from chatdesk.ui.commands.command_keys import CommandKeys
from chatdesk.ui.qt.handing_over import handing_over

Run = Callable[[], object]
IsEnabled = Callable[[], bool]


@dataclass(slots=True, eq=False, repr=False)
class _Use:
    """The use of a command for one chat of the window, or for the window itself."""

    run: Run
    is_enabled: IsEnabled | None
    title: Callable[[], str] | None = None
    is_offered: IsEnabled | None = None
    is_rare: bool = False


@dataclass(slots=True, eq=False, repr=False)
class _Bound:
    """A command with the action that menus show, and its handlers by owner; None: the window."""

    action: QAction
    uses: dict[object, _Use]
    last_shown: tuple[bool, bool] | None = None  # whether its action is visible and enabled, as it was set last

    def show(self, *, is_visible: bool, is_enabled: bool) -> None:
        """Set the action only where that changes something: a hundred of them are asked each time a thread opens."""
        if self.last_shown != (is_visible, is_enabled):
            self.last_shown = is_visible, is_enabled
            self.action.setVisible(is_visible)
            self.action.setEnabled(is_enabled)


class CommandRegistry(QObject):
    """The commands of a window, with their shortcuts and actions. Another chat of the window binds commands as
    ``owner``; they act there while ``active`` is that owner, and else do what the window bound. ``refresh`` asks again
    which commands make sense; it is called whenever a menu or the palette opens, and by the controller when a turn
    begins or ends."""

    def __init__(self, window: QWidget, commands: Iterable[Command] = ()) -> None:
        super().__init__(window)
        self._window = window
        self._commands: dict[str, Command] = {}
        self._bound: dict[str, _Bound] = {}
        self.keys = CommandKeys(self._commands, self._show_keys, self)
        self.active: object = None
        self._is_opening = False
        self._early: str | None = None
        handing_over().set_base(window, self._run_keys)
        for command in commands:
            self.add(command)

    def add(
        self, command: Command, run: Run | None = None, is_enabled: IsEnabled | None = None, *, owner: object = None
    ) -> None:
        bound = self._bound.get(command.id)
        if command.id in self._commands and (bound is None or owner in bound.uses):
            raise ValueError(f"the command {command.id} is there already")
        self._commands[command.id] = command
        if run is not None:
            self.bind(command.id, run, is_enabled, owner=owner)

    def remove(self, command_id: str, *, owner: object = None) -> None:
        """Remove an owner's handler of a command. A person's own command is removed with its last handler."""
        bound = self._bound.get(command_id)
        if bound is not None:
            bound.uses.pop(owner, None)
        if bound is not None and bound.uses:
            self._refresh_one(bound)
            return
        if self._commands[command_id].is_own:
            del self._commands[command_id]
        if bound is not None:
            del self._bound[command_id]
            self._window.removeAction(bound.action)
            bound.action.deleteLater()

    def bind(self, command_id: str, run: Run, is_enabled: IsEnabled | None = None, *, owner: object = None) -> QAction:
        """Set the handler of a command; a second call of the same owner replaces the first."""
        command = self._commands[command_id]
        bound = self._bound.get(command_id)
        if bound is not None:
            use = bound.uses.setdefault(owner, _Use(run, is_enabled))
            use.run, use.is_enabled = run, is_enabled
            self._refresh_one(bound)
            return bound.action
        action = QAction(self)
        action.setText(shown(command.title))  # passing it to the constructor would make PySide build the class of icons
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(keys) for keys in self.keys.of(command_id)])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(command_id.startswith(("go.", "view.larger", "view.smaller")))
        action.setMenuRole(QAction.MenuRole.QuitRole if command.is_quit else QAction.MenuRole.NoRole)
        action.triggered.connect(lambda: self.trigger(command_id))
        self._bound[command_id] = _Bound(action, {owner: _Use(run, is_enabled)})
        self._window.addAction(action)
        self._refresh_one(self._bound[command_id])
        return action

    def describe(
        self,
        command_id: str,
        *,
        title: Callable[[], str] | None = None,
        is_offered: IsEnabled | None = None,
        is_rare: bool = False,
        owner: object = None,
    ) -> None:
        """Set how menus and the palette show a bound command: ``title``, what it would do now, such as *Unpin thread*;
        ``is_offered``, whether there is anything to do it with: menus show it dimmed else, or not at all where it
        ``is_rare``. Its keys work all the same, and say why when they cannot."""
        use = self._bound[command_id].uses[owner]
        use.title, use.is_offered, use.is_rare = title, is_offered, is_rare

    def hold(self) -> None:
        """Keep the last command that is triggered before something binds it, until ``release`` runs it."""
        self._is_opening = True

    def release(self) -> None:
        """Run the command that was triggered too early; everything is bound from now on."""
        self._is_opening = False
        early, self._early = self._early, None
        if early is not None:
            self.trigger(early)

    def trigger(self, command_id: str) -> bool:
        """Run a command if it makes sense now."""
        use = self._use(command_id)
        if use is None and self._is_opening and command_id in self._commands:
            self._early = command_id
            return True
        if use is None or not _makes_sense(use):
            return False
        use.run()
        return True

    def refresh(self) -> None:
        for bound in tuple(self._bound.values()):
            self._refresh_one(bound)

    def action(self, command_id: str) -> QAction | None:
        bound = self._bound.get(command_id)
        return None if bound is None else bound.action

    def is_enabled(self, command_id: str) -> bool:
        use = self._use(command_id)
        return use is not None and _makes_sense(use)

    def is_offered(self, command_id: str) -> bool:
        """Return whether a command can do something now."""
        use = self._use(command_id)
        return use is not None and _is_offered(use)

    def is_rare(self, command_id: str) -> bool:
        """Return whether menus leave a command out while it is not offered."""
        use = self._use(command_id)
        return use is not None and use.is_rare

    def title_of(self, command_id: str) -> str:
        """Return the present title of a command."""
        use = self._use(command_id)
        return shown(self._commands[command_id].title) if use is None or use.title is None else use.title()

    def commands(self) -> tuple[Command, ...]:
        """Return the bound commands, in the order of the catalogue."""
        return tuple(command for command in self._commands.values() if command.id in self._bound)

    def _use(self, command_id: str) -> _Use | None:
        """Return the present handler of a command; None when it has none."""
        bound = self._bound.get(command_id)
        return None if bound is None else self._use_of(bound)

    def _use_of(self, bound: _Bound) -> _Use | None:
        return bound.uses.get(self.active) or bound.uses.get(None)

    def offered(self) -> tuple[Command, ...]:
        """Return the commands that are enabled now, each under the title of its effect."""
        found = ((command, self._use(command.id)) for command in self.commands())
        return tuple(
            command if use.title is None else replace(command, title=use.title())
            for command, use in found
            if use is not None and _is_offered(use)
        )

    def _run_keys(self, keys: str) -> bool:
        owner = self.keys.owner_of(keys)
        return owner is not None and self.trigger(owner.id)

    def _show_keys(self, command_id: str, keys: tuple[str, ...]) -> None:
        bound = self._bound.get(command_id)
        if bound is not None:
            bound.action.setShortcuts([QKeySequence(each) for each in keys])

    # Menus

    def fill_menu(self, menu: QMenu, command_ids: Iterable[str | None]) -> QMenu:
        """Fill a menu with commands; None becomes a separator. Commands that are not bound are left out."""
        for command_id in command_ids:
            action = None if command_id is None else self.action(command_id)
            if action is not None:
                menu.addAction(action)
            elif command_id is None and menu.actions():
                menu.addSeparator()
        menu.aboutToShow.connect(self._show_offers)
        menu.aboutToHide.connect(self.refresh)
        return menu

    def fill_menu_bar(self, bar: QMenuBar) -> None:
        """Fill the menu bar with a menu for each group."""
        ids_of = {
            group: [command.id for command in self.commands() if command.group == group and not command.is_own]
            for group in GROUPS
        }
        filled = [group for group in GROUPS if ids_of[group]]
        for group, title in zip(filled, menu_titles(filled), strict=True):
            self.fill_menu(bar.addMenu(title), ids_of[group])

    def _refresh_one(self, bound: _Bound) -> None:
        use = self._use_of(bound)
        bound.show(is_visible=True, is_enabled=use is not None and _makes_sense(use))  # hidden ones have no keys

    def _show_offers(self) -> None:
        """Hide the commands that do not apply while a menu is open. When it closes, ``refresh`` gives those commands
        their keys back."""
        for command_id, bound in self._bound.items():
            use = self._use_of(bound)
            is_offered = use is not None and _is_offered(use)
            bound.show(is_visible=is_offered or use is None or not use.is_rare, is_enabled=is_offered)
            if use is not None:
                bound.action.setText(self.title_of(command_id))


def _makes_sense(use: _Use) -> bool:
    return use.is_enabled is None or use.is_enabled()


def _is_offered(use: _Use) -> bool:
    return _makes_sense(use) and (use.is_offered is None or use.is_offered())


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
