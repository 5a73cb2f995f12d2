"""The quick window for a program for assistive technology."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.quick.quick_window import QuickWindow
from chatdesk.ui.theme.theme import Theme


def test_it_is_a_dialog_with_a_name(qapp: QApplication, qtbot: QtBot) -> None:
    window = QuickWindow(Theme(qapp, preference="light"), lambda: pytest.fail("nothing was asked"))
    qtbot.addWidget(window)
    interface = QAccessible.queryAccessibleInterface(window)
    assert interface.role() is QAccessible.Role.Dialog
    assert interface.text(QAccessible.Text.Name) == "Quick question"
