"""Keys of commands as text: how they are stored, and which ones a window can take for itself."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

from chatdesk.core.texts import tr

_BETWEEN: Final = "; "
_MOST = 4
# What every text field does; a window that takes these keys takes them from writing.
_WRITING: Final = tuple(
    QKeySequence(keys).toString()
    for keys in ("Ctrl+C", "Ctrl+V", "Ctrl+X", "Ctrl+A", "Ctrl+Left", "Ctrl+Right", "Ctrl+Backspace", "Ctrl+Home")
)
_TAKEN_BY_SYSTEMS: Final = ("Alt+F4", "Alt+Tab", "Ctrl+Alt+Del", "Ctrl+Alt+Backspace", "Meta+L")
_ALONE: Final = (Qt.Key.Key_Escape, *(Qt.Key(Qt.Key.Key_F1 + number) for number in range(24)))


def keys_of_text(text: str) -> tuple[str, ...]:
    """Portable key sequences out of a stored text, at most four; what is no key is left out."""
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
