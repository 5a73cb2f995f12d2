"""Says something to a screen reader without moving the focus. Nobody else does."""

from __future__ import annotations

from PySide6 import QtGui  # QAccessible is built when something is first announced
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import shown


def announce(widget: QWidget, text: str, *, is_assertive: bool = False) -> bool:
    """Speak ``text`` politely, or at once when it must not be missed. False when nobody listens."""
    if not text or not QtGui.QAccessible.isActive():
        return False
    made = getattr(QtGui, "QAccessibleAnnouncementEvent", None)
    if made is None:  # PySide before 6.10 has no announcements; an alert is the nearest thing
        QtGui.QAccessible.updateAccessibility(QtGui.QAccessibleEvent(widget, QtGui.QAccessible.Event.Alert))
        return True
    event = made(widget, shown(text))
    if is_assertive:
        event.setPoliteness(QtGui.QAccessible.AnnouncementPoliteness.Assertive)
    QtGui.QAccessible.updateAccessibility(event)
    return True
