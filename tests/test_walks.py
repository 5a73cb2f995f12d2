"""Walks press keys where a person would: in a window that has the keyboard."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.helpers.walks import has_keyboard


def test_a_dialog_gets_the_keyboard_when_no_window_has_it(qtbot: QtBot) -> None:
    dialog, other = QDialog(), QWidget()
    qtbot.addWidget(dialog)
    qtbot.addWidget(other)
    QVBoxLayout(dialog).addWidget(field := QLineEdit())
    dialog.show()
    qtbot.waitUntil(lambda: has_keyboard(dialog))
    assert QApplication.focusWidget() is field
    other.show()
    qtbot.waitUntil(other.isActiveWindow)
    assert not has_keyboard(dialog)
    other.close()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is None)
    qtbot.waitUntil(lambda: has_keyboard(dialog))
    assert QApplication.focusWidget() is field
