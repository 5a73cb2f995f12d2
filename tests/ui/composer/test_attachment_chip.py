"""A chip shows a picture as sharp as the screen is that its window is on, or moves to."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.ui.composer.attachment_chip import THUMBNAIL_PX, AttachmentChip
from chatdesk.ui.theme.theme import Theme


def test_a_picture_is_sharp_on_a_screen_of_twice_the_scale(qtbot: QtBot, qapp: QApplication) -> None:
    side = 2 * THUMBNAIL_PX
    stripes = QImage(side, side, QImage.Format.Format_RGB32)
    for x in range(side):
        for y in range(side):
            stripes.setPixelColor(x, y, QColor("black" if x % 2 else "white"))
    chip = AttachmentChip(Theme(qapp), "key", "stripes.png")
    qtbot.addWidget(chip)
    chip.show_image(stripes)
    seen = QImage(chip.size() * 2, QImage.Format.Format_RGB32)
    seen.setDevicePixelRatio(2)
    chip.render(seen, QPoint())
    middle = seen.height() // 2
    shades = [seen.pixelColor(x, middle).lightness() for x in range(40, 60)]
    assert {abs(one - other) for one, other in pairwise(shades)} == {255}
