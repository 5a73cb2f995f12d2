from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.accessibility.assistance import show_checked
from chatdesk.ui.theme.theme import Preference, Theme
from chatdesk.ui.widgets.fields.switch import Switch
from tests.ui.transcript.test_transcript_context_marks import contrast

LOOKS: tuple[Preference, ...] = ("light", "dark", "light-contrast", "dark-contrast")


def _switch(theme: Theme, qtbot: QtBot) -> Switch:
    switch = Switch(theme)
    switch.setAccessibleName("Start when you log in")
    qtbot.addWidget(switch)
    switch.resize(switch.sizeHint())
    return switch


def _drawn(switch: Switch, theme: Theme) -> QImage:
    image = QImage(switch.size(), QImage.Format.Format_RGB32)
    image.fill(theme.colour("background"))
    switch.render(image, QPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
    return image


def _knob(switch: Switch, theme: Theme, *, is_at_start: bool) -> str:
    image = _drawn(switch, theme)
    return image.pixelColor(10 if is_at_start else 26, switch.height() // 2).name()


@pytest.mark.parametrize("preference", LOOKS)
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_its_knob_shows_on_and_off_in_every_look(
    qapp: QApplication, qtbot: QtBot, preference: Preference, direction: Qt.LayoutDirection
) -> None:
    theme = Theme(qapp, preference=preference)
    switch = _switch(theme, qtbot)
    switch.setLayoutDirection(direction)
    starts_left = direction is Qt.LayoutDirection.LeftToRight
    assert (
        contrast(_knob(switch, theme, is_at_start=starts_left), _knob(switch, theme, is_at_start=not starts_left)) >= 3
    )
    switch.setChecked(True)
    on, ground = _knob(switch, theme, is_at_start=not starts_left), _knob(switch, theme, is_at_start=starts_left)
    assert contrast(on, ground) >= 3 and contrast(ground, theme.colour("background").name()) >= 3


def test_it_is_36_by_20_and_hit_within_28(qapp: QApplication, qtbot: QtBot) -> None:
    theme = Theme(qapp, preference="light")
    switch = _switch(theme, qtbot)
    assert (switch.width(), switch.height()) == (36, 28)
    ground = theme.colour("background").name()
    switch.setChecked(True)
    drawn = [_drawn(switch, theme).pixelColor(18, y).name() != ground for y in range(28)]
    assert drawn == [False] * 4 + [True] * 20 + [False] * 4
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(2, 27))
    assert not switch.isChecked()
    theme.set_touched(True)
    assert switch.sizeHint().height() == switch.sizeHint().width() == 44


@pytest.mark.parametrize("way", ["key", "click", "toggle"])
def test_each_way_of_switching_is_told_and_what_is_shown_is_not(qapp: QApplication, qtbot: QtBot, way: str) -> None:
    theme = Theme(qapp, preference="light")
    switch = _switch(theme, qtbot)
    heard: list[bool] = []
    switch.toggled.connect(heard.append)
    if way == "key":
        QTest.keyClick(switch, Qt.Key.Key_Space)
    elif way == "click":
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
    else:
        interface = QAccessible.queryAccessibleInterface(switch)
        assert interface.text(QAccessible.Text.Name) == "Start when you log in"
        interface.actionInterface().doAction("Toggle")
    assert heard == [True]
    show_checked(switch, False)
    assert heard == [True] and not switch.isChecked()
