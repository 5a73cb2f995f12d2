"""The list of a thread's questions and the jump to a date, by keyboard and by mouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from time import thread_time

import pytest
from PySide6.QtCore import QDate, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.outline import Question
from chatdesk.ui.dialogs.jump_to_date import JumpToDateDialog
from chatdesk.ui.dialogs.outline import OutlineDialog
from chatdesk.ui.theme.theme import Theme

_DAY_MS = 86_400_000
_START_MS = int(datetime(2026, 3, 1, 12).timestamp() * 1000)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    yield made
    made.deleteLater()


def _questions(count: int, start: int = 0) -> list[Question]:
    return [
        Question(f"m{at}", 2 * at, _START_MS + at * 60_000, f"What about number {at}?")
        for at in range(start, start + count)
    ]


def _outline(theme: Theme, qtbot: QtBot, *, position: int = 0, count: int = 40) -> tuple[OutlineDialog, list[str]]:
    dialog = OutlineDialog(theme, position=position)
    chosen: list[str] = []
    dialog.questionChosen.connect(chosen.append)
    dialog.add(_questions(count), is_last=True)
    dialog.open()
    return dialog, chosen


def _current(dialog: OutlineDialog) -> str:
    return dialog.questions.question(dialog.list.currentIndex().row()).message_id


def test_the_question_that_is_read_is_current_and_enter_goes_there(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _outline(theme, qtbot, position=21)
    assert _current(dialog) == "m10"
    assert dialog.focusWidget() is dialog.field
    QTest.keyClick(dialog.field, Qt.Key.Key_Down)
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert chosen == ["m11"]
    assert not dialog.isVisible()


def test_typing_narrows_the_list_and_emptying_it_returns_to_the_place(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _outline(theme, qtbot, position=21)
    QTest.keyClicks(dialog.field, "3 NUMBER")
    assert dialog.count.text() == "13 of 40"
    assert _current(dialog) == "m3"
    dialog.field.clear()
    assert dialog.count.text() == "40 questions"
    assert _current(dialog) == "m10"
    QTest.keyClicks(dialog.field, "nowhere")
    assert not dialog.go_button.isEnabled()
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert chosen == []
    dialog.reject()


def test_a_click_and_the_button_go_to_the_question(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _outline(theme, qtbot)
    area = dialog.list.visualRect(dialog.questions.index(2, 0))
    QTest.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=area.center() + QPoint(1, 1))
    dialog.go_button.click()
    assert chosen == ["m2"]


def test_what_comes_later_does_not_move_a_person_who_has_moved(theme: Theme, qtbot: QtBot) -> None:
    dialog = OutlineDialog(theme, position=1_000)
    assert dialog.count.text() == "Reading the thread…"
    dialog.add(_questions(10), is_last=False)
    assert dialog.count.text() == "10 questions…"
    assert _current(dialog) == "m9"
    dialog.add(_questions(10, 10), is_last=False)
    assert _current(dialog) == "m19"
    QTest.keyClick(dialog.field, Qt.Key.Key_Up)
    dialog.add(_questions(10, 20), is_last=True)
    assert _current(dialog) == "m18"
    assert dialog.count.text() == "30 questions"
    dialog.reject()


def test_an_empty_thread_says_so(theme: Theme, qtbot: QtBot) -> None:
    dialog = OutlineDialog(theme)
    dialog.add([], is_last=True)
    assert dialog.count.text() == "No question has been asked yet."
    assert not dialog.go_button.isEnabled()
    dialog.reject()


def test_rows_are_named_for_a_screen_reader(theme: Theme, qtbot: QtBot) -> None:
    dialog = OutlineDialog(theme)
    dialog.add([*_questions(1), Question("x", 2, _START_MS, "")], is_last=True)
    first, second = (dialog.questions.index(row, 0) for row in (0, 1))
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == "What about number 0?, 1 Mar 2026, 12:00"
    assert second.data() == "Without text\n1 Mar 2026, 12:00"
    assert dialog.list.accessibleName() == "Questions"
    assert dialog.field.accessibleName() == "Filter the questions"
    dialog.reject()


def test_fifty_thousand_questions_stay_fluid(theme: Theme, qtbot: QtBot) -> None:
    dialog, _ = _outline(theme, qtbot, position=60_000, count=1)
    slices = []
    for start in range(1, 50_000, 500):
        questions = _questions(500, start)
        began = thread_time()
        dialog.add(questions, is_last=False)
        slices.append(thread_time() - began)
    began = thread_time()
    QTest.keyClicks(dialog.field, "4")
    filtered = thread_time() - began
    assert dialog.questions.rowCount() > 10_000
    assert sorted(slices)[len(slices) // 2] < 0.02
    assert filtered < 0.2
    dialog.reject()


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
    dialog.go_button.click()
    assert [datetime.fromtimestamp(each / 1000) for each in chosen] == [datetime(2026, 4, 2)]


def test_only_days_of_the_thread_can_be_chosen(theme: Theme, qtbot: QtBot) -> None:
    dialog, chosen = _date(theme, qtbot)
    dialog.field.setDate(QDate(2030, 1, 1))
    assert dialog.field.date() == QDate(2026, 4, 30)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert chosen == []
