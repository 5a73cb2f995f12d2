"""Handles the keys of the transcript: the command of each key, and the order in which Tab reaches buttons."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from chatdesk.ui.transcript.drawing.item import Button
from chatdesk.ui.transcript.messages.entry import MessageEntry

_K = Qt.Key
_PLAIN: Final = {
    _K.Key_Up: "line-up",
    _K.Key_Down: "line-down",
    _K.Key_Left: "left",
    _K.Key_Right: "right",
    _K.Key_PageUp: "page-up",
    _K.Key_PageDown: "page-down",
    _K.Key_Home: "start",
    _K.Key_End: "end",
    _K.Key_Space: "page-down",
    _K.Key_Return: "activate",
    _K.Key_Enter: "activate",
    _K.Key_Menu: "menu",
    _K.Key_Escape: "escape",
    _K.Key_F7: "browse",
}
_WITH_SHIFT: Final = {
    _K.Key_Space: "page-up",
    _K.Key_F10: "menu",
    _K.Key_Left: "select-left",
    _K.Key_Right: "select-right",
    _K.Key_Up: "select-up",
    _K.Key_Down: "select-down",
    _K.Key_Home: "select-line-start",
    _K.Key_End: "select-line-end",
}
_WITH_CONTROL: Final = {
    _K.Key_Home: "start",
    _K.Key_End: "end",
    _K.Key_Left: "word-left",
    _K.Key_Right: "word-right",
    _K.Key_Down: "next-message",
    _K.Key_Up: "previous-message",
}
_WITH_BOTH: Final = {
    _K.Key_Left: "select-word-left",
    _K.Key_Right: "select-word-right",
    _K.Key_Home: "select-start",
    _K.Key_End: "select-end",
}


def command_of(event: QKeyEvent) -> str | None:
    """Return the command of a key press, or None when the transcript does not use the key."""
    if event.matches(QKeySequence.StandardKey.Copy):
        return "copy"
    if event.matches(QKeySequence.StandardKey.SelectAll):
        return "select-all"
    key = _K(event.key())
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if modifiers == Qt.KeyboardModifier.NoModifier:
        return _PLAIN.get(key)
    if modifiers == Qt.KeyboardModifier.ShiftModifier:
        return _WITH_SHIFT.get(key)
    if modifiers == Qt.KeyboardModifier.ControlModifier:
        return _WITH_CONTROL.get(key)
    if modifiers == Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier:
        return _WITH_BOTH.get(key)
    return None


def stops_of(entry: MessageEntry) -> list[tuple[int, Button]]:
    """Return everything in a message that Tab reaches: (index of its item, the button)."""
    return [
        (index, button)
        for index, item in enumerate(entry.items)
        for button in (*item.links(), *item.buttons())
        if button.is_enabled
    ]


def next_stop(entry: MessageEntry, current: tuple[int, str] | None, *, forward: bool) -> tuple[int, str] | None:
    """Return the stop after ``current``, or None past the last one and before the first one."""
    stops = [(index, button.action) for index, button in stops_of(entry)]
    if not stops:
        return None
    if current not in stops:
        return stops[0] if forward and current is None else None
    place = stops.index(current) + (1 if forward else -1)
    return stops[place] if 0 <= place < len(stops) else None
