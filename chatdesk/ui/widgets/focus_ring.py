"""The rule for when a widget that has the focus shows a ring: it is for those who use the keyboard."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

_PASSING: Final = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


def shows_ring(reason: Qt.FocusReason, *, before: bool) -> bool:
    """Return whether a ring is due for a focus that came for ``reason``. ``before`` is the last answer, which comes
    back with a window or after a menu. A key that is pressed later brings the ring in any case."""
    if reason in _PASSING:
        return before
    return reason is not Qt.FocusReason.MouseFocusReason


def reason_of_press(button: QAbstractButton) -> Qt.FocusReason:
    """Return how ``button`` was just pressed. It takes the focus by Tab alone, so keys press it only where it has
    it."""
    return Qt.FocusReason.ShortcutFocusReason if button.hasFocus() else Qt.FocusReason.MouseFocusReason
