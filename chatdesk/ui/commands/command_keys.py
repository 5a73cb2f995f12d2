"""The keys of commands: the catalogue's, or those that a person gave them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence

from chatdesk.core.texts import shown, tr
from chatdesk.ui.commands.command import Command


class CommandKeys(QObject):
    """The keys of commands, with those that a person changed; ``CommandRegistry.keys`` exposes it. ``show`` gives a
    command's action its keys. ``changed`` comes when a person gave a command other keys."""

    changed = Signal()

    def __init__(
        self, commands: Mapping[str, Command], show: Callable[[str, tuple[str, ...]], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._commands = commands
        self._show = show
        self._own: dict[str, tuple[str, ...]] = {}

    def of(self, command_id: str) -> tuple[str, ...]:
        """Return the keys in force, in portable form."""
        return self._own.get(command_id, self._commands[command_id].shortcuts)

    def owner_of(self, keys: str) -> Command | None:
        """Return the command that has ``keys`` now."""
        wanted = QKeySequence(keys)
        for command in self._commands.values():
            if any(QKeySequence(each) == wanted for each in self.of(command.id)):
                return command
        return None

    def set(self, command_id: str, keys: tuple[str, ...]) -> None:
        """Set the keys of a command, and remove them from the commands that had them."""
        for each in keys:
            owner = self.owner_of(each)
            if owner is not None and owner.id != command_id:
                self._set_keys(owner.id, tuple(own for own in self.of(owner.id) if own != each))
        self._set_keys(command_id, keys)
        self.changed.emit()

    def reset(self, command_id: str | None = None) -> None:
        """Restore the catalogue's keys, for one command or for all."""
        if command_id is not None:
            self.set(command_id, self._commands[command_id].shortcuts)
            return
        for each in tuple(self._own):
            self._set_keys(each, self._commands[each].shortcuts)
        self.changed.emit()

    def own(self) -> dict[str, tuple[str, ...]]:
        """Return the keys that differ from the catalogue, by command id."""
        return dict(self._own)

    def use(self, own_keys: Mapping[str, tuple[str, ...]]) -> None:
        """Apply the stored keys. Commands that are not known are left out; of two that want the same keys, the
        second goes without."""
        before, self._own = self._own, {}
        stored = [name for name in own_keys if name in self._commands]
        taken: set[str] = set()
        for name in (*stored, *(name for name in self._commands if name not in own_keys)):
            usual = self._commands[name].shortcuts
            keys = tuple(each for each in own_keys.get(name, usual) if each not in taken)
            if keys != usual:
                self._own[name] = keys
            taken.update(keys)
        for name in {*before, *self._own}:
            self._set_keys(name, self.of(name))

    def _set_keys(self, command_id: str, keys: tuple[str, ...]) -> None:
        if keys == self._commands[command_id].shortcuts:
            self._own.pop(command_id, None)
        else:
            self._own[command_id] = keys
        self._show(command_id, keys)

    def text(self, command: Command) -> str:
        """Return all keys of a command as this system writes them."""
        native = QKeySequence.SequenceFormat.NativeText
        keys = [QKeySequence(each).toString(native) for each in self.of(command.id)]
        return either_text([*keys, *filter(None, [shown(command.local_keys)])])

    def first_text(self, command: Command) -> str:
        keys = self.of(command.id)
        return QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if keys else ""

    def shown(self, command_id: str) -> str:
        """Return the first keys of a command as this system writes them; empty when it has none."""
        return self.first_text(self._commands[command_id])


def either_text(choices: Sequence[str]) -> str:
    """Return choices as "A or B or C"."""
    text = choices[0] if choices else ""
    for each in choices[1:]:
        text = tr("{one} or {other}", one=text, other=each)
    return text
