"""The list of a thread's questions, by keyboard and by mouse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from time import thread_time

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.thread import Question
from chatdesk.ui.features.inspector.questions_tab import QuestionsTab
from chatdesk.ui.theme.theme import Theme

_START_MS = int(datetime(2026, 3, 1, 12).timestamp() * 1000)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.apply()  # another test may have left its own size of text
    yield made
    made.deleteLater()


def _questions(count: int, start: int = 0) -> list[Question]:
    return [
        Question(f"m{at}", 2 * at, _START_MS + at * 60_000, f"What about number {at}?")
        for at in range(start, start + count)
    ]


def _tab(theme: Theme, qtbot: QtBot, *, position: int = 0, count: int = 40) -> tuple[QuestionsTab, list[str]]:
    tab = QuestionsTab(theme)
    qtbot.addWidget(tab)
    tab.resize(300, 500)
    chosen: list[str] = []
    tab.questionChosen.connect(chosen.append)
    tab.reset(position=position)
    tab.add(_questions(count), is_last=True)
    tab.show()
    tab.setFocus()
    return tab, chosen


def _current(tab: QuestionsTab) -> str:
    return tab.questions.question(tab.list.currentIndex().row()).message_id


def test_the_question_that_is_read_is_current_and_enter_goes_there_again_and_again(theme: Theme, qtbot: QtBot) -> None:
    tab, chosen = _tab(theme, qtbot, position=21)
    assert _current(tab) == "m10"
    assert tab.focusWidget() is tab.field
    QTest.keyClick(tab.field, Qt.Key.Key_Down)
    QTest.keyClick(tab.field, Qt.Key.Key_Return)
    QTest.keyClick(tab.field, Qt.Key.Key_Down)
    QTest.keyClick(tab.field, Qt.Key.Key_Return)
    assert chosen == ["m11", "m12"]
    assert tab.isVisible()


def test_a_row_has_room_for_the_question_and_for_when_it_was_asked(theme: Theme, qtbot: QtBot) -> None:
    tab, _chosen = _tab(theme, qtbot)
    row = tab.list.visualRect(tab.questions.index(0, 0))
    assert tab.questions.index(0, 0).data().count("\n") == 1
    assert row.height() >= 2 * tab.list.fontMetrics().lineSpacing() + 2 * (theme.tokens.space.s - 2 + 2)


def test_typing_asks_for_others_of_which_the_first_is_current(theme: Theme, qtbot: QtBot) -> None:
    tab, chosen = _tab(theme, qtbot, position=21)
    asked: list[str] = []
    tab.filterChanged.connect(asked.append)
    QTest.keyClicks(tab.field, "30")
    assert asked == ["3", "30"]
    tab.reset(position=21)
    assert tab.count.text() == "Reading the thread…"
    tab.add([], is_last=False)
    tab.add(_questions(2, 30), is_last=True)
    assert (_current(tab), tab.count.text()) == ("m30", "2 questions")
    tab.reset(position=21)
    tab.add([], is_last=True)
    assert tab.count.text() == "No question contains these words."
    QTest.keyClick(tab.field, Qt.Key.Key_Return)
    assert chosen == []


def test_a_click_goes_to_the_question(theme: Theme, qtbot: QtBot) -> None:
    tab, chosen = _tab(theme, qtbot)
    area = tab.list.visualRect(tab.questions.index(2, 0))
    QTest.mouseClick(tab.list.viewport(), Qt.MouseButton.LeftButton, pos=area.center() + QPoint(1, 1))
    assert chosen == ["m2"]


def test_later_questions_do_not_move_a_person_who_has_moved(theme: Theme, qtbot: QtBot) -> None:
    tab, _chosen = _tab(theme, qtbot, position=1_000, count=0)
    tab.add(_questions(10), is_last=False)
    assert tab.count.text() == "10 questions…"
    assert _current(tab) == "m9"
    tab.add(_questions(10, 10), is_last=False)
    assert _current(tab) == "m19"
    QTest.keyClick(tab.field, Qt.Key.Key_Up)
    tab.add(_questions(10, 20), is_last=True)
    assert _current(tab) == "m18"
    assert tab.count.text() == "30 questions"


def test_an_empty_thread_says_so(theme: Theme, qtbot: QtBot) -> None:
    tab, _chosen = _tab(theme, qtbot, count=0)
    assert tab.count.text() == "No question has been asked yet."


def test_rows_are_named_for_a_screen_reader(theme: Theme, qtbot: QtBot) -> None:
    tab, _chosen = _tab(theme, qtbot, count=1)
    tab.add([Question("x", 2, _START_MS, "")], is_last=True)
    first, second = (tab.questions.index(row, 0) for row in (0, 1))
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == "What about number 0?, 1 Mar 2026, 12:00"
    assert second.data() == "Without text\n1 Mar 2026, 12:00"
    assert tab.list.accessibleName() == "Questions"
    assert tab.field.accessibleName() == "Filter the questions"


def test_fifty_thousand_questions_stay_fluid(theme: Theme, qtbot: QtBot) -> None:
    tab, _ = _tab(theme, qtbot, position=60_000, count=1)
    slices = []
    for start in range(1, 50_000, 500):
        questions = _questions(500, start)
        began = thread_time()
        tab.add(questions, is_last=False)
        slices.append(thread_time() - began)
    assert sorted(slices)[len(slices) // 2] < 0.02
