"""A focus ring is for those who use the keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QListWidget, QTabBar, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.usage.chart import UsageChart
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.focus_ring import frame_tab, frame_when_empty, reason_of_press, shows_ring

_REASON = Qt.FocusReason


@pytest.mark.parametrize("before", [True, False])
def test_a_window_that_comes_back_shows_what_it_showed(before: bool) -> None:
    assert shows_ring(_REASON.ActiveWindowFocusReason, before=before) is before
    assert shows_ring(_REASON.PopupFocusReason, before=before) is before
    assert shows_ring(_REASON.TabFocusReason, before=before)
    assert not shows_ring(_REASON.MouseFocusReason, before=before)


def test_a_button_shows_its_ring_once_a_key_is_pressed(qapp: QApplication, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    button = IconButton(Theme(qapp), "x", name="Close", object_name="x", parent=window)
    reasons: list[Qt.FocusReason] = []
    button.clicked.connect(lambda: reasons.append(reason_of_press(button)))
    with qtbot.waitActive(window):
        window.show()
    window.setFocus()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    button.setFocus(_REASON.MouseFocusReason)
    assert not button.shows_ring
    qtbot.keyClick(button, Qt.Key.Key_Return)
    assert button.shows_ring
    assert reasons == [_REASON.MouseFocusReason, _REASON.ShortcutFocusReason]


def test_the_chart_of_usage_has_no_ring_after_a_click(qapp: QApplication, qtbot: QtBot) -> None:
    chart = UsageChart(Theme(qapp))
    qtbot.addWidget(chart)
    chart.resize(400, 200)
    with qtbot.waitActive(chart):
        chart.show()
    chart.clearFocus()
    bare = chart.grab().toImage()
    chart.setFocus(_REASON.MouseFocusReason)
    assert chart.grab().toImage() == bare
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.grab().toImage() != bare


def test_a_list_without_rows_has_a_ring_beside_its_scroll_bar(qapp: QApplication, qtbot: QtBot) -> None:
    rows = QListWidget()
    qtbot.addWidget(rows)
    rows.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
    theme = Theme(qapp, preference="light")
    frame_when_empty(theme, rows)
    rows.resize(300, 200)
    with qtbot.waitActive(rows):
        rows.show()
    rows.clearFocus()
    rows.setFocus(_REASON.MouseFocusReason)
    assert not _ringed(rows, theme)
    qtbot.keyClick(rows, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert not _ringed(rows, theme), "a copy is no walk"
    rows.clearFocus()
    rows.setFocus(_REASON.TabFocusReason)
    edges = rows.viewport().geometry()
    assert _ringed(rows, theme) == {edges.left(), edges.right()}
    rows.addItem("One")
    rows.setCurrentRow(0)
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: not _ringed(rows, theme))


def test_the_ring_of_a_tab_follows_every_change_of_its_place(qapp: QApplication, qtbot: QtBot) -> None:
    tabs = QTabBar()
    qtbot.addWidget(tabs)
    for name in ("Context", "Summary", "Usage", "Tree"):
        tabs.addTab(name)
    tabs.setExpanding(True)
    frame_tab(Theme(qapp), tabs)
    tabs.resize(600, 30)
    with qtbot.waitActive(tabs):
        tabs.show()
    tabs.clearFocus()
    tabs.setFocus(_REASON.TabFocusReason)
    tabs.setCurrentIndex(2)
    (ring,) = (each for each in tabs.findChildren(QWidget) if not isinstance(each, QToolButton))
    changes: tuple[Callable[[], object], ...] = (
        lambda: tabs.resize(300, 30),
        lambda: tabs.resize(700, 40),
        lambda: tabs.setTabText(0, "Context of this thread"),
        lambda: tabs.removeTab(0),
    )
    for change in changes:
        change()
        qtbot.waitUntil(lambda: ring.geometry() == tabs.tabRect(tabs.currentIndex()))


def _ringed(widget: QWidget, theme: Theme) -> set[int]:
    """Where in the middle line a run in the colour of rings begins or ends at an edge."""
    image, middle = widget.grab().toImage(), widget.height() // 2
    inked = [x for x in range(image.width()) if image.pixelColor(x, middle).name() == theme.colour("accent").name()]
    return {min(inked), max(inked)} if inked else set()
