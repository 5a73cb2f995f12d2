"""A part of the screen is chosen with the mouse and with keys, and has the pixels that was there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPixmap
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.quick.region_chooser import RegionChooser

RED, GREEN = QColor("#ff0000"), QColor("#00ff00")


def _chooser(qtbot: QtBot, ratio: float = 1.0) -> tuple[RegionChooser, list[QPixmap | None]]:
    """The screen is red, with a green square at 100, 50 that is 40 wide."""
    screen = QGuiApplication.primaryScreen()
    picture = QPixmap(screen.geometry().size() * ratio)
    picture.fill(RED)
    painter = QPainter(picture)
    painter.fillRect(QRect(QPoint(100, 50) * ratio, QPoint(139, 89) * ratio), GREEN)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    chooser, chosen = RegionChooser(screen, picture), []
    qtbot.addWidget(chooser)
    chooser.finished.connect(chosen.append)
    chooser.start()
    qtbot.waitExposed(chooser)
    return chooser, chosen


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_a_part_is_drawn_with_the_mouse(qtbot: QtBot, ratio: float) -> None:
    chooser, chosen = _chooser(qtbot, ratio)
    QTest.mousePress(chooser, Qt.MouseButton.LeftButton, pos=QPoint(100, 50))
    QTest.mouseMove(chooser, QPoint(120, 70))
    QTest.mouseRelease(chooser, Qt.MouseButton.LeftButton, pos=QPoint(129, 79))
    (picture,) = chosen
    assert picture is not None
    assert (picture.width(), picture.height()) == (30 * ratio, 30 * ratio)
    image = picture.toImage()
    corners = [(0, 0), (image.width() - 1, image.height() - 1)]
    assert [image.pixelColor(*corner) for corner in corners] == [GREEN, GREEN]


def test_a_click_draws_nothing_and_enter_takes_the_whole_screen(qtbot: QtBot) -> None:
    chooser, chosen = _chooser(qtbot)
    QTest.mouseClick(chooser, Qt.MouseButton.LeftButton, pos=QPoint(100, 50))
    assert chosen == []
    QTest.keyClick(chooser, Qt.Key.Key_Return)
    (picture,) = chosen
    assert picture is not None
    assert picture.size() == chooser.screen().geometry().size()


def test_the_frame_is_sized_and_moved_with_keys_and_stays_on_the_screen(qtbot: QtBot) -> None:
    chooser, chosen = _chooser(qtbot)
    whole = QRect(chooser.region)
    shift, alt = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
    QTest.keyClick(chooser, Qt.Key.Key_Left, shift)
    QTest.keyClick(chooser, Qt.Key.Key_Up, shift)
    QTest.keyClick(chooser, Qt.Key.Key_Up, shift | alt)
    assert chooser.region == whole.adjusted(0, 0, -20, -21)
    for _ in range(5):
        QTest.keyClick(chooser, Qt.Key.Key_Right)
        QTest.keyClick(chooser, Qt.Key.Key_Down)
    assert chooser.region.bottomRight() == whole.bottomRight()
    assert chooser.region.size() == whole.adjusted(0, 0, -20, -21).size()
    QTest.keyClick(chooser, Qt.Key.Key_Return)
    assert chosen[0] is not None


@pytest.mark.parametrize("leave", ["key", "button"])
def test_leaving_takes_nothing(qtbot: QtBot, leave: str) -> None:
    chooser, chosen = _chooser(qtbot)
    if leave == "key":
        QTest.keyClick(chooser, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(chooser, Qt.MouseButton.RightButton)
    QTest.keyClick(chooser, Qt.Key.Key_Return)
    assert chosen == [None]


def test_it_says_what_it_is_and_what_the_keys_do(qtbot: QtBot) -> None:
    chooser, _chosen = _chooser(qtbot)
    assert chooser.accessibleName() == "Choose a part of the screen"
    assert "Esc leaves" in chooser.accessibleDescription()
