"""The jump to a date, by keyboard and by mouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.chat.jump_to_date import JumpToDateDialog
from chatdesk.ui.theme.theme import Theme

_DAY_MS = 86_400_000
_START_MS = int(datetime(2026, 3, 1, 12).timestamp() * 1000)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    yield made
    made.deleteLater()


def _date(theme: Theme, qtbot: QtBot) -> tuple[JumpToDateDialog, list[int]]:
    dialog = JumpToDateDialog(
        theme, first_ms=_START_MS, last_ms=_START_MS + 60 * _DAY_MS, current_ms=_START_MS + 5 * _DAY_MS
    )
    chosen: list[int] = []
    dialog.dayChosen.connect(chosen.append)
    dialog.open()
    return dialog, chosen


def test_a_typed_date_is_gone_to_by_enter(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _date(theme, qtbot)
    assert dialog.focusWidget() is dialog.field
    assert dialog.field.date() == QDate(2026, 3, 6)
    dialog.field.setDate(QDate(2026, 3, 20))
    assert dialog.calendar.selectedDate() == QDate(2026, 3, 20)
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert [datetime.fromtimestamp(each / 1000) for each in chosen] == [datetime(2026, 3, 20)]


def test_a_day_of_the_calendar_goes_into_the_field(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _date(theme, qtbot)
    dialog.calendar.setSelectedDate(QDate(2026, 4, 2))
    assert dialog.field.date() == QDate(2026, 4, 2)
    dialog.findChild(QPushButton, "goToDateButton").click()
    assert [datetime.fromtimestamp(each / 1000) for each in chosen] == [datetime(2026, 4, 2)]


def test_every_button_of_the_calendar_has_a_name(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _date(theme, qtbot)
    buttons = dialog.calendar.findChildren(QToolButton)
    names = [QAccessible.queryAccessibleInterface(each).text(QAccessible.Text.Name) for each in buttons]
    assert {"Previous month", "Next month"} < set(names)
    assert all(names)


def test_only_days_of_the_thread_can_be_chosen(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _date(theme, qtbot)
    dialog.field.setDate(QDate(2030, 1, 1))
    assert dialog.field.date() == QDate(2026, 4, 30)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert chosen == []


def test_all_weeks_of_the_calendar_are_seen_whatever_the_text_size(theme: Theme, qtbot: QtBot) -> None:
    theme.apply()
    for scale in (0.8, 1.0, 2.0):
        theme.set_scale(scale)
        dialog, _chosen = _date(theme, qtbot)
        days = dialog.calendar.findChild(QTableView)
        assert days is not None
        QApplication.processEvents()
        rows_px = sum(days.rowHeight(row) for row in range(days.model().rowCount()))
        assert rows_px <= days.viewport().height()
        assert days.rowHeight(1) >= days.fontMetrics().height()
        dialog.reject()


def test_the_date_does_not_touch_the_border_of_its_field(theme: Theme, qtbot: QtBot) -> None:
    dialog, _chosen = _date(theme, qtbot)
    margins = dialog.field.lineEdit().textMargins()
    assert min(margins.left(), margins.right()) >= theme.tokens.space.s
    assert dialog.field.text() == "2026-03-06"
    dialog.reject()


def test_a_thread_of_one_day_names_it_once(theme: Theme, qtbot: QtBot) -> None:
    dialog = JumpToDateDialog(theme, first_ms=_START_MS, last_ms=_START_MS, current_ms=_START_MS)
    qtbot.addWidget(dialog)
    assert dialog.accessibleDescription().count("2026") == 1
