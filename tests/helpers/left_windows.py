"""Deletes windows that a test left open, and releases the buttons of the mouse that it left pressed."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import Shiboken


def delete_windows(before: Iterable[QWidget]) -> None:
    """Delete the windows that were not there before. Their connections keep them for as long as the process lives, and
    each theme of a later test would style all of them again: after forty tests of the window that took seconds.

    The list of a completer has no parent, but its completer keeps a bare pointer to it and deletes it: deleted here
    first, it ends the process when the window is.
    """
    kept = set(before)
    for window in QApplication.topLevelWidgets():
        if window in kept or not Shiboken.isValid(window) or window.parent() is not None:
            continue
        if window.windowType() is not Qt.WindowType.Popup:
            Shiboken.delete(window)


def release_mouse() -> str:
    """Release the buttons that are pressed, which a later test would drag with; return their names, which may be
    none."""
    pressed = QGuiApplication.mouseButtons()
    if pressed == Qt.MouseButton.NoButton:
        return ""
    window = QWidget()
    for button in (each for each in Qt.MouseButton if each.value and each.value & pressed.value == each.value):
        QTest.mouseRelease(window, button)
    Shiboken.delete(window)
    return pressed.name or str(pressed)
