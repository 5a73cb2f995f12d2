"""Names keys as X11 and the desktop's portals do: https://specifications.freedesktop.org/shortcuts-spec/latest/"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence

_KEY = Qt.Key
# The keys that are no character, by their names in X11 and their numbers in its ``keysymdef.h``.
_OTHERS: Final = {
    _KEY.Key_Escape: ("Escape", 0xFF1B),
    _KEY.Key_Tab: ("Tab", 0xFF09),
    _KEY.Key_Backspace: ("BackSpace", 0xFF08),
    _KEY.Key_Return: ("Return", 0xFF0D),
    _KEY.Key_Enter: ("KP_Enter", 0xFF8D),
    _KEY.Key_Insert: ("Insert", 0xFF63),
    _KEY.Key_Delete: ("Delete", 0xFFFF),
    _KEY.Key_Pause: ("Pause", 0xFF13),
    _KEY.Key_Print: ("Print", 0xFF61),
    _KEY.Key_Home: ("Home", 0xFF50),
    _KEY.Key_Left: ("Left", 0xFF51),
    _KEY.Key_Up: ("Up", 0xFF52),
    _KEY.Key_Right: ("Right", 0xFF53),
    _KEY.Key_Down: ("Down", 0xFF54),
    _KEY.Key_PageUp: ("Prior", 0xFF55),
    _KEY.Key_PageDown: ("Next", 0xFF56),
    _KEY.Key_End: ("End", 0xFF57),
    _KEY.Key_Menu: ("Menu", 0xFF67),
}
_SIGNS: Final = {
    " ": "space",
    "'": "apostrophe",
    "+": "plus",
    ",": "comma",
    "-": "minus",
    ".": "period",
    "/": "slash",
    ";": "semicolon",
    "=": "equal",
    "[": "bracketleft",
    "\\": "backslash",
    "]": "bracketright",
    "`": "grave",
}
_FIRST_FUNCTION_KEY: Final = 0xFFBE
_MODIFIERS: Final = (
    (Qt.KeyboardModifier.ControlModifier, "CTRL", 1 << 2),
    (Qt.KeyboardModifier.AltModifier, "ALT", 1 << 3),
    (Qt.KeyboardModifier.ShiftModifier, "SHIFT", 1 << 0),
    (Qt.KeyboardModifier.MetaModifier, "LOGO", 1 << 6),
)


@dataclass(frozen=True, slots=True)
class DesktopKey:
    """A key with its modifiers: ``trigger`` for portals, ``keysym`` and ``mask`` for X11."""

    trigger: str
    keysym: int
    mask: int


def desktop_key(keys: str) -> DesktopKey | None:
    """Return the name that desktops have for ``keys``, one portable key sequence; None where they have none."""
    sequence = QKeySequence(keys, QKeySequence.SequenceFormat.PortableText)
    if sequence.count() != 1:
        return None
    combination: QKeyCombination = sequence[0]  # type: ignore[index]  # the stubs lack it
    named = _named(combination.key())
    if named is None:
        return None
    held = [each for each in _MODIFIERS if combination.keyboardModifiers() & each[0]]
    trigger = "+".join([*(name for _modifier, name, _mask in held), named[0]])
    return DesktopKey(trigger, named[1], sum(mask for _modifier, _name, mask in held))


def _named(key: Qt.Key) -> tuple[str, int] | None:
    if key in _OTHERS:
        return _OTHERS[key]
    if _KEY.Key_F1 <= key <= _KEY.Key_F24:
        number = key - _KEY.Key_F1
        return f"F{number + 1}", _FIRST_FUNCTION_KEY + number
    sign = chr(key).lower() if 0x20 <= key <= 0x7E else ""
    if sign.isalnum() or sign in _SIGNS:
        return (_SIGNS.get(sign, sign), ord(sign)) if sign else None
    return None
