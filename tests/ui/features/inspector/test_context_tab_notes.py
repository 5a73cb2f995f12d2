"""The list of what the model will see says what of the attachments it will not."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.context import ContextReport, ContextTotals
from chatdesk.ui.features.inspector.context_tab import ContextTab
from chatdesk.ui.theme.theme import Theme


def test_notes_on_attachments_are_shown(qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    tab = ContextTab(Theme(application), lambda _below: None)
    qtbot.addWidget(tab)
    totals = ContextTotals(window=1000, reserved=100)
    tab.show_report(ContextReport("t", "offline", "m", totals, 1, notes=("The image is not sent.",)))
    assert any("The image is not sent." in label.text() for label in tab.findChildren(QLabel))
    tab.show_report(ContextReport("t", "offline", "m", totals, 1))
    assert not any("The image" in label.text() for label in tab.findChildren(QLabel))
