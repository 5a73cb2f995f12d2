"""What the pointer was on when a dialog opened is no longer marked once the dialog has closed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton, PillButton
from tests.gallery import sidebar_samples
from tests.gallery.transcript_samples import build_view, sample_answer

_MADE = {
    "button": lambda theme: IconButton(theme, "x", name="Close", object_name="close"),
    "pill": lambda theme: PillButton(theme, "Edit", object_name="edit"),
    "threads": lambda theme: sidebar_samples.build_sidebar(
        theme, [sidebar_samples.make_thread(number, "Thread") for number in range(30)]
    ),
    "transcript": lambda theme: build_view(theme, *sample_answer()[1:]),
}


@pytest.mark.parametrize("kind", _MADE)
@pytest.mark.parametrize("ends_by", ["click", "Esc"])
def test_nothing_stays_marked(qtbot: QtBot, qapp: QApplication, kind: str, ends_by: str) -> None:
    theme = Theme(qapp, preference="light")
    theme.apply()
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    marked = _MADE[kind](theme)
    marked.setFixedSize(280, 500)
    row.addWidget(marked)
    row.addWidget(QLabel(), 1)
    window.resize(1000, 600)
    window.show()
    qtbot.waitExposed(window)
    before = marked.grab().toImage()
    at = QPoint(140, 250) if kind != "threads" else QPoint(140, 160)
    QTest.mouseMove(window, marked.mapTo(window, at))
    qtbot.waitUntil(marked.underMouse)
    hovered = marked.grab().toImage()
    panel = Panel(theme, "A dialog", parent=window)
    panel.resize(300, 200)
    close = QPushButton("Close", panel)
    close.clicked.connect(panel.accept)
    panel.open()
    qtbot.waitUntil(lambda: not marked.underMouse())
    QTest.mouseMove(panel, QPoint(10, 10))
    if ends_by == "Esc":
        QTest.keyClick(panel, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(close, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.isVisible())
    assert marked.grab().toImage() == before != hovered
