"""The usage page and the dialog for limits, pressed as a person would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pytest
from PySide6.QtCore import QDate, QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDateEdit, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, ScopedRate, UsageLimit
from chatdesk.core.usage.overview import Grouping
from chatdesk.ui.features.usage.chart import axis_values, round_up
from chatdesk.ui.features.usage.figures import short_count
from chatdesk.ui.features.usage.limits import LimitsDialog
from chatdesk.ui.features.usage.page import UsageDialog, UsagePage
from chatdesk.ui.theme.theme import Theme
from tests.gallery.usage_page_samples import build_samples, cells, limits

_TODAY = 20_778
T = TypeVar("T", bound=QWidget)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme(qapp, preference="light")
    theme.apply()
    return theme


def _find(parent: QWidget, kind: type[T], name: str) -> T:
    found = parent.findChild(kind, name)
    assert found is not None
    return found


def _move_pointer(widget: QWidget, point: QPointF) -> None:
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, point, widget.mapToGlobal(point), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(widget, event)


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> Iterator[UsagePage]:
    made = UsagePage(theme, today=_TODAY, first_day=_TODAY - 400)
    dialog = UsageDialog(theme, made)
    qtbot.addWidget(dialog)
    dialog.show()
    made.show_days(*made.days(), dict.fromkeys(Grouping, cells()))
    yield made
    assert dialog is not None  # held on to until here


def test_it_asks_for_the_days_that_are_chosen(page: UsagePage) -> None:
    asked: list[tuple[int, int]] = []
    page.daysRequested.connect(lambda first, last: asked.append((first, last)))
    box = _find(page, QComboBox, "usageRange")
    for index in (0, 2, 3):
        box.setCurrentIndex(index)
    assert asked == [(_TODAY - 6, _TODAY), (_TODAY - 89, _TODAY), (_TODAY - 400, _TODAY)]
    box.setCurrentIndex(4)
    assert asked[-1] == (_TODAY - 29, _TODAY)
    first = _find(page, QDateEdit, "usageFrom")
    assert first.isVisible()
    first.setDate(QDate(2026, 11, 1))
    assert asked[-1] == (_TODAY - 20, _TODAY)
    page.ask()
    assert asked[-1] == asked[-2]


def test_the_table_has_the_same_numbers_as_the_chart(page: UsagePage) -> None:
    _find(page, QPushButton, "usageBy_model").click()
    model = page.table.model()
    names = [model.index(row, 0).data() for row in range(model.rowCount())]
    assert names == ["gpt-4o", "gpt-5.4-mini", "a-model-with-a-long-name:70b", "Total"]
    page.chart.setFocus()
    QTest.keyClick(page.chart, Qt.Key.Key_Home)
    tokens = sum(int(model.index(0, column).data().lstrip("≈").replace(",", "")) for column in (2, 5))
    assert page.chart.current_words == f"gpt-4o: {tokens:,} tokens"
    assert "gpt-4o" in page.chart.accessibleDescription()
    spoken = model.index(2, 7).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "a-model-with-a-long-name:70b, Cost: no price known"
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Model"


def test_where_a_price_is_missing_it_can_be_typed(page: UsagePage) -> None:
    wanted: list[bool] = []
    page.pricesRequested.connect(lambda: wanted.append(True))
    button = _find(page, QPushButton, "usageAddPrices")
    assert button.isVisible()
    assert "No price is known for" in _find(page, QLabel, "usagePageNotes").text()
    button.click()
    assert wanted == [True]
    page.show_days(*page.days(), {})
    assert not button.isVisible()


def test_arrow_keys_and_the_pointer_say_what_a_bar_is(page: UsagePage) -> None:
    chart = page.chart
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_End)
    last = chart.current_words
    assert last.startswith("Sat, 21 Nov 2026: about ")
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert chart.current_words.startswith("Fri, 20 Nov 2026")
    QTest.keyClick(chart, Qt.Key.Key_Right)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart.current_words == last
    _find(page, QPushButton, "usageBy_kind").click()
    _move_pointer(chart, QPointF(200, 40))
    assert chart.current_words.startswith("Answers")
    _move_pointer(chart, QPointF(200, 4))
    assert chart.current_words == ""
    page.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    _find(page, QPushButton, "usageBy_day").click()
    chart.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    assert not chart.grab().isNull()
    QTest.keyClick(chart, Qt.Key.Key_End)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart.current_words.startswith("Fri, 20 Nov 2026")


def test_totals_say_what_is_guessed_and_what_nobody_knows(page: UsagePage) -> None:
    assert _find(page, QLabel, "usageTotal").text().startswith("About ")
    assert "at least $" in _find(page, QLabel, "usageTotal").text()
    assert "estimates" in _find(page, QLabel, "usagePageNotes").text()
    _find(page, QComboBox, "usageMeasure").setCurrentIndex(1)
    assert "cost by day" in page.chart.accessibleName()
    page.show_days(*page.days(), {})
    assert "No requests" in _find(page, QLabel, "usageTotal").text()
    assert not _find(page, QPushButton, "usageCsv").isEnabled()


def test_an_answer_that_comes_too_late_changes_nothing(page: UsagePage) -> None:
    before = _find(page, QLabel, "usageTotal").text()
    page.show_days(1, 2, {})
    assert _find(page, QLabel, "usageTotal").text() == before


def test_buttons_ask_for_the_file_and_the_limits(page: UsagePage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.csvRequested) as asked:
        _find(page, QPushButton, "usageCsv").click()
    assert asked.args == [_TODAY - 29, _TODAY]
    with qtbot.waitSignal(page.limitsRequested):
        _find(page, QPushButton, "usageLimits").click()


def test_every_control_has_a_name(theme: Theme, qtbot: QtBot) -> None:
    for _name, sample in build_samples(theme):
        qtbot.addWidget(sample)
        for kind in (QPushButton, QComboBox, QLineEdit, QDateEdit):
            for control in sample.findChildren(kind):
                if control.objectName().startswith("qt_"):
                    continue
                assert control.accessibleName(), (sample.objectName(), control.objectName())


def _limits_dialog(theme: Theme, qtbot: QtBot) -> LimitsDialog:
    dialog = limits(theme)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_limits_are_given_back_as_they_stand(theme: Theme, qtbot: QtBot) -> None:
    dialog = _limits_dialog(theme, qtbot)
    _find(dialog, QLineEdit, "limit1_hard").setText("250,000")
    _find(dialog, QPushButton, "limit2_remove").click()
    _find(dialog, QPushButton, "limitsAdd").click()
    _find(dialog, QComboBox, "limit3_what").setCurrentText("Project Research")
    _find(dialog, QComboBox, "limit3_kind").setCurrentText("Dollars a month")
    _find(dialog, QLineEdit, "limit3_soft").setText("$2.50")
    with qtbot.waitSignal(dialog.saved) as saved:
        _find(dialog, QPushButton, "limitsSave").click()
    assert saved.args is not None
    assert saved.args[0] == (
        UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, soft=80_000, hard=250_000),
        UsageLimit(
            LimitScope.PROJECT, LimitPeriod.MONTH, LimitUnit.MONEY, soft=2.5, target="p1", label="Project Research"
        ),
    )


def test_a_number_that_is_none_is_said_and_nothing_is_lost(theme: Theme, qtbot: QtBot) -> None:
    dialog = _limits_dialog(theme, qtbot)
    field = _find(dialog, QLineEdit, "limit1_hard")
    field.setText("much")
    with qtbot.assertNotEmitted(dialog.saved):
        _find(dialog, QPushButton, "limitsSave").click()
    problem = _find(dialog, QLabel, "panelProblem")
    assert problem.isVisible()
    assert "much" in problem.text()
    assert field.text() == "much"


def test_all_lines_can_be_removed(theme: Theme, qtbot: QtBot) -> None:
    dialog = _limits_dialog(theme, qtbot)
    for number in (1, 2):
        _find(dialog, QPushButton, f"limit{number}_remove").click()
    assert dialog.limits() == ()


def test_numbers_are_short_and_axes_round() -> None:
    assert [short_count(value) for value in (0, 999, 1_500, 2_000_000, 3e9)] == ["0", "999", "1.5k", "2M", "3B"]
    assert [round_up(value) for value in (0, 1, 3, 7, 9, 450)] == [1, 1, 4, 8, 10, 800]


def test_a_rate_of_messages_is_for_a_provider_or_a_project(theme: Theme, qtbot: QtBot) -> None:
    dialog = _limits_dialog(theme, qtbot)
    _find(dialog, QPushButton, "limitsAdd").click()
    line = len(dialog.limits())
    _find(dialog, QComboBox, f"limit{line}_what").setCurrentText("Project Research")
    _find(dialog, QComboBox, f"limit{line}_kind").setCurrentText("Messages")
    assert not _find(dialog, QLineEdit, f"limit{line}_soft").isVisible()
    rate = _find(dialog, QLineEdit, f"limit{line}_hard")
    assert rate.placeholderText() == "20/min"
    rate.setText("20 a minute")
    with qtbot.assertNotEmitted(dialog.saved):
        _find(dialog, QPushButton, "limitsSave").click()
    assert "20 a minute" in _find(dialog, QLabel, "panelProblem").text()
    rate.setText("20/min")
    with qtbot.waitSignal(dialog.saved):
        _find(dialog, QPushButton, "limitsSave").click()
    assert dialog.rates() == (ScopedRate(LimitScope.PROJECT, "p1", "20/min"),)
    assert len(dialog.limits()) == line - 1


def test_no_two_lines_of_the_axis_have_the_same_figure() -> None:
    assert axis_values(80_000, short_count) == (0, 20_000, 40_000, 60_000, 80_000)
    assert axis_values(2, short_count) == (0, 1, 2)
    assert axis_values(1, short_count) == (0, 1)
