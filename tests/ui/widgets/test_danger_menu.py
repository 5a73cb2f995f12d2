"""What destroys something is written in the colour that says so."""

from __future__ import annotations

from itertools import groupby

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.danger_menu import DangerMenu


def _colours(image: QImage, action: QAction, menu: DangerMenu) -> set[str]:
    area = menu.actionGeometry(action)
    xs, ys = range(area.left(), area.right()), range(area.top(), area.bottom())
    return {image.pixelColor(x, y).name() for x in xs for y in ys}


def test_the_words_of_a_dangerous_row_are_red_and_only_they(qapp: QApplication, qtbot: QtBot) -> None:
    theme = Theme(qapp, preference="light")
    theme.apply()
    danger = theme.colour("danger")
    menu = DangerMenu(theme.colour)
    qtbot.addWidget(menu)
    copy, delete, erase = menu.addAction("Copy"), menu.addAction("MMMMMM"), menu.addAction("MMMMMM")
    for action in menu.actions():
        menu.set_icon(action, "copy")
    for action in (delete, erase):
        menu.mark_danger(action)
    erase.setEnabled(False)
    menu.resize(menu.sizeHint())
    image = menu.grab().toImage()
    assert danger.name() in _colours(image, delete, menu)
    assert theme.colour("text").name() not in _colours(image, delete, menu), "the usual words do not show below"
    assert danger.name() not in _colours(image, copy, menu)
    assert danger.name() not in _colours(image, erase, menu), "what cannot be done is grey as everywhere"


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_keys_are_quiet_and_have_room_before_them(
    qapp: QApplication, qtbot: QtBot, direction: Qt.LayoutDirection
) -> None:
    theme = Theme(qapp, preference="light")
    theme.apply()
    menu = DangerMenu(theme.colour)
    menu.setLayoutDirection(direction)
    qtbot.addWidget(menu)
    longest = menu.addAction("Show the questions of this thread")
    longest.setShortcut("Ctrl+Shift+O")
    menu.set_icon(longest, "list")
    menu.addAction("Rename\tF2")
    without = menu.sizeHint().width()
    menu.make_room()
    menu.resize(menu.sizeHint())
    assert menu.width() > without
    image = menu.grab().toImage()
    row = menu.actionGeometry(longest)
    ground = theme.colour("card").name()
    columns = [
        any(image.pixelColor(x, y).name() != ground for y in range(row.top() + 3, row.bottom() - 3))
        for x in range(row.left() + 6, row.right() - 6)
    ]
    gaps = [len(list(run)) for is_inked, run in groupby(columns) if not is_inked]
    assert max(gaps[1:-1]) >= 24, "the words and the keys are told apart"
    ink = {image.pixelColor(x, y).name() for x in range(row.right()) for y in range(row.top(), row.bottom())}
    assert {theme.colour("text").name(), theme.colour("muted").name()} <= ink
