"""Lines of text begin where the window's do, and each is read in the direction of its own letters."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.painting import draw_line
from tests.helpers.painted_words import ink_of

LEFT, RIGHT = Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft


class Line(QWidget):
    def __init__(self, text: str, direction: Qt.LayoutDirection) -> None:
        super().__init__()
        self.text = text
        self.setLayoutDirection(direction)
        self.resize(300, 30)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_line(painter, QRectF(self.rect()), self.text, self.layoutDirection())


def ends_with_dots(widget: QWidget, *, is_at_right: bool = True) -> bool:
    """Return whether the dots of "HHH…" are at this end: there, nothing is as high as a letter."""
    image = widget.grab().toImage()
    ink = ink_of(image)
    part = ink.width() // 6
    end = QRect(ink.right() - part + 1 if is_at_right else ink.left(), 0, part, image.height())
    return 0 < ink_of(image, end).height() < ink.height() // 2


@pytest.mark.usefixtures("qapp")
def test_a_line_stands_at_its_side_and_reads_the_same_in_both() -> None:
    lines = [Line("HHH…", direction) for direction in (LEFT, RIGHT)]
    inks = [ink_of(line.grab().toImage()) for line in lines]
    assert inks[0].left() < 5 and inks[0].right() < 150
    assert inks[1].right() > 290 and inks[1].left() > 150
    assert all(map(ends_with_dots, lines))


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("direction", [LEFT, RIGHT])
def test_a_line_from_right_to_left_ends_at_the_left_in_both(direction: Qt.LayoutDirection) -> None:
    assert ends_with_dots(Line("\u05e9\u05e9\u05e9…", direction), is_at_right=False)


@pytest.mark.parametrize("direction", [LEFT, RIGHT])
def test_a_cut_title_ends_with_its_ellipsis(qapp: QApplication, qtbot: QtBot, direction: Qt.LayoutDirection) -> None:
    label = ElidedLabel(Theme(qapp, preference="light"), "H" * 100)
    qtbot.addWidget(label)
    label.setLayoutDirection(direction)
    label.resize(60, 24)
    assert label.is_elided()
    assert ends_with_dots(label)
