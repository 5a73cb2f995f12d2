"""The legend of the context: names beside their colours and figures at the other side, also from right to left."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.context import ContextReport, ContextTotals
from chatdesk.core.domain.knowledge import EnclosedPassages, ListedPassage, PassagePlace
from chatdesk.ui.features.inspector.context_tab import ContextBar, ContextTab
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 320


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_names_stand_beside_their_colours(qapp: QApplication, qtbot: QtBot, direction: Qt.LayoutDirection) -> None:
    theme = Theme(qapp, preference="light")
    theme.apply()
    bar = ContextBar(theme)
    qtbot.addWidget(bar)
    qapp.setLayoutDirection(direction)
    try:
        _check(bar, direction)
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def _check(bar: ContextBar, direction: Qt.LayoutDirection) -> None:
    totals = ContextTotals(window=32_000, recent=263, reserved=4_096)
    bar.show_report(ContextReport("thread", "offline", "demo", totals, 4))
    bar.resize(_WIDTH_PX, bar.sizeHint().height())
    image = bar.grab().toImage()
    foot = range(image.height() - 20, image.height() - 4)  # Room for the answer
    ground = image.pixelColor(_WIDTH_PX // 2, image.height() - 1)

    def has_ink(left: int, right: int) -> bool:
        columns = (
            range(left, right)
            if direction is Qt.LayoutDirection.LeftToRight
            else range(_WIDTH_PX - right, _WIDTH_PX - left)
        )
        return any(image.pixelColor(x, y) != ground for x in columns for y in foot)

    assert has_ink(0, 10), "the colour"
    assert has_ink(50, 110), "the name"
    assert not has_ink(170, 250)
    assert has_ink(_WIDTH_PX - 40, _WIDTH_PX), "the figure"


@pytest.mark.parametrize("height_px", [320, 640, 1200])
def test_no_list_is_cut_where_the_window_is_low(qapp: QApplication, qtbot: QtBot, height_px: int) -> None:
    theme = Theme(qapp, preference="light")
    theme.apply()
    tab = ContextTab(theme, lambda _below: None)
    qtbot.addWidget(tab)
    found = tuple(ListedPassage(PassagePlace("s", f"{at}.md"), "A long name " * 9) for at in range(9))
    totals = ContextTotals(32_000, 4_096, 100, 100, 100, 100, 100, 100, 100)
    tab.show_report(ContextReport("t", "offline", "demo", totals, 4, found=EnclosedPassages("", rows=found)))
    tab.resize(_WIDTH_PX, height_px)
    tab.show()
    files, messages = tab.found.list, tab.list
    assert files.height() >= 4 * files.sizeHintForRow(0) and messages.height() >= 100
    assert tab.found.geometry().bottom() < messages.geometry().top()
    tab.found.leave_button.setFocus()
    tab.found.leave_button.focusNextChild()  # as Tab does
    assert 0 <= messages.mapTo(tab, messages.rect().topLeft()).y() < height_px - 100
