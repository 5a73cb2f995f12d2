"""Holds the keys of commands: the catalogue's or the person's own, how they are stored, and which keys a window can
use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence

from chatdesk.core.texts import shown, tr
from chatdesk.ui.commands.command import Command

_BETWEEN: Final = "; "
_MOST = 4
# Keys of every text field; a window that used them would break typing.
_WRITING: Final = tuple(
    QKeySequence(keys).toString()
    for keys in ("Ctrl+C", "Ctrl+V", "Ctrl+X", "Ctrl+A", "Ctrl+Left", "Ctrl+Right", "Ctrl+Backspace", "Ctrl+Home")
)
_TAKEN_BY_SYSTEMS: Final = ("Alt+F4", "Alt+Tab", "Ctrl+Alt+Del", "Ctrl+Alt+Backspace", "Meta+L")
_ALONE: Final = (Qt.Key.Key_Escape, *(Qt.Key(Qt.Key.Key_F1 + number) for number in range(24)))


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


def keys_of_text(text: str) -> tuple[str, ...]:
    """Return the portable key sequences of a stored text, at most four; invalid ones are left out."""
    found = (QKeySequence(each, QKeySequence.SequenceFormat.PortableText) for each in text.split(_BETWEEN))
    return tuple(dict.fromkeys(each.toString() for each in found if _is_key(each)))[:_MOST]


def text_of_keys(keys: tuple[str, ...]) -> str:
    return _BETWEEN.join(keys)


def refusal(keys: str) -> str:
    """Return a sentence on why a command cannot have ``keys``; empty when it can."""
    sequence = QKeySequence(keys, QKeySequence.SequenceFormat.PortableText)
    keys_text = sequence.toString(QKeySequence.SequenceFormat.NativeText)
    if not _is_key(sequence):
        return tr("These keys cannot be used.")
    first: QKeyCombination = sequence[0]  # type: ignore[index]  # the stubs lack it
    bare = first.keyboardModifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    if bare == Qt.KeyboardModifier.NoModifier and first.key() not in _ALONE:
        return tr("{keys} is needed for writing and moving about. Add Ctrl or Alt.", keys=keys_text)
    if sequence.toString() in _WRITING:
        return tr("{keys} is needed in every text field.", keys=keys_text)
    if sequence.toString() in _TAKEN_BY_SYSTEMS:
        return tr("{keys} belongs to the system and would not reach ChatDesk.", keys=keys_text)
    return ""


def _is_key(sequence: QKeySequence) -> bool:
    combinations: list[QKeyCombination] = [sequence[place] for place in range(sequence.count())]  # type: ignore[index]
    return bool(combinations) and all(each.key() not in (Qt.Key.Key_unknown, Qt.Key(0)) for each in combinations)
