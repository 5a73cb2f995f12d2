"""What destroys something is written in the colour that says so."""

from __future__ import annotations

from PySide6.QtGui import QAction, QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme.qt_icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.danger_menu import DangerMenu


def _colours(image: QImage, action: QAction, menu: DangerMenu) -> set[str]:
    area = menu.actionGeometry(action)
    xs, ys = range(area.left(), area.right()), range(area.top(), area.bottom())
    return {image.pixelColor(x, y).name() for x in xs for y in ys}


def test_the_words_of_a_dangerous_row_are_red_and_only_they(qapp: QApplication, qtbot: QtBot) -> None:
    theme = Theme(qapp, preference="light")
    theme.apply()
    danger = QColor("#c00000")
    menu = DangerMenu(danger, theme.colour("selected"), theme.colour("card"))
    qtbot.addWidget(menu)
    copy, delete, erase = menu.addAction("Copy"), menu.addAction("MMMMMM"), menu.addAction("MMMMMM")
    for action in menu.actions():
        action.setIcon(icon("trash-2", "grey"))
    for action in (delete, erase):
        menu.mark_danger(action)
    erase.setEnabled(False)
    menu.resize(menu.sizeHint())
    image = menu.grab().toImage()
    assert danger.name() in _colours(image, delete, menu)
    assert theme.colour("text").name() not in _colours(image, delete, menu), "the usual words do not show below"
    assert danger.name() not in _colours(image, copy, menu)
    assert danger.name() not in _colours(image, erase, menu), "what cannot be done is grey as everywhere"
