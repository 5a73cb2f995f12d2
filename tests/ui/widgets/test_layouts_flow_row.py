"""Buttons that do not fit beside each other are below each other."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.widgets.layouts import FlowRow


@pytest.fixture
def box(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    row = FlowRow(8)
    for text in ("Copy text", "Copy to a private project", "Try again", "Forget"):
        row.addWidget(QPushButton(text))
    made.setLayout(row)
    return made


def shown(box: QWidget, width: int) -> list[QPushButton]:
    box.resize(width, box.layout().heightForWidth(width))
    box.show()
    box.layout().activate()
    return [each for each in box.findChildren(QPushButton) if each.isVisible()]


def test_with_room_all_stand_in_one_row(box: QWidget) -> None:
    buttons = shown(box, box.layout().sizeHint().width())
    assert len({each.y() for each in buttons}) == 1
    assert [each.x() for each in buttons] == sorted(each.x() for each in buttons)


def test_without_room_they_go_on_below_and_none_is_cut(box: QWidget) -> None:
    width = box.layout().minimumSize().width()
    buttons = shown(box, width)
    assert len({each.y() for each in buttons}) > 2
    assert all(each.geometry().right() < width for each in buttons)
    assert max(each.geometry().bottom() for each in buttons) < box.height()


def test_from_right_to_left_the_first_stands_on_the_right(box: QWidget) -> None:
    box.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    buttons = shown(box, box.layout().sizeHint().width() + 60)
    assert buttons[0].geometry().right() == box.width() - 1
    assert buttons[0].x() > buttons[1].x()


def test_hidden_buttons_take_no_room(box: QWidget) -> None:
    layout = box.layout()
    everything = layout.sizeHint().width()
    layout.itemAt(1).widget().hide()
    assert layout.sizeHint().width() < everything
    assert layout.itemAt(9) is None
    assert layout.takeAt(9) is None
    taken = layout.takeAt(1)
    assert taken is not None
    assert layout.count() == 3
