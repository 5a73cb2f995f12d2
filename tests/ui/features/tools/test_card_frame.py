"""A card that asks another question is answered by nobody who cannot have read it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QElapsedTimer, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.tools import Answer, ApprovalRequest, Tool, ToolHints
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.theme.theme import Theme

LEFT = Qt.MouseButton.LeftButton


def _request(number: int) -> ApprovalRequest:
    tool = Tool("server", "Server", f"tool_{number}", "", "", {}, ToolHints(), "")
    return ApprovalRequest(f"request-{number}", "thread", "message", tool, "{}", "https://tools.example", "")


@pytest.fixture
def card(qapp: QApplication, qtbot: QtBot) -> ConsentCard:
    made = ConsentCard(Theme(qapp))
    qtbot.addWidget(made)
    made.show()
    made.show_request(_request(1))
    qtbot.waitUntil(lambda: not made.is_unread)
    return made


def test_a_double_click_allows_one_call(card: ConsentCard, qtbot: QtBot) -> None:
    answers: list[tuple[str, Answer]] = []

    def take(request_id: str, answer: Answer, *_rest: object) -> None:
        answers.append((request_id, answer))
        card.show_request(_request(len(answers) + 1))

    card.answered.connect(take)
    QTest.mouseClick(card.once_button, LEFT)
    QTest.mouseDClick(card.once_button, LEFT)
    assert answers == [("request-1", Answer.ONCE)]
    qtbot.waitUntil(lambda: not card.is_unread)
    QTest.mouseClick(card.once_button, LEFT)
    assert answers[1:] == [("request-2", Answer.ONCE)]


def test_a_refusal_is_taken_at_once_and_so_are_keys(card: ConsentCard) -> None:
    answers: list[Answer] = []
    card.answered.connect(lambda _id, answer, *_rest: answers.append(answer))
    card.show_request(_request(2))
    QTest.mouseClick(card.once_button, LEFT)
    QTest.mouseClick(card.deny_button, LEFT)
    QTest.keyClick(card.once_button, Qt.Key.Key_Space)
    assert answers == [Answer.DENY, Answer.ONCE]


def test_a_burst_of_clicks_allows_one_call(card: ConsentCard) -> None:
    answers: list[str] = []

    def take(request_id: str, *_rest: object) -> None:
        answers.append(request_id)
        card.show_request(_request(len(answers) + 1))

    card.answered.connect(take)
    began = QElapsedTimer()
    began.start()
    while began.elapsed() < 900:  # longer than the card waits after a click that it does not take
        QTest.mouseClick(card.once_button, LEFT)
        QApplication.processEvents()
    assert answers == ["request-1"]


def test_a_key_that_is_held_answers_one_question(card: ConsentCard) -> None:
    answers: list[Answer] = []
    card.answered.connect(lambda _id, answer, *_rest: answers.append(answer))
    for button in (card.once_button, card.deny_button):
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            held = QKeyEvent(kind, Qt.Key.Key_Space, Qt.KeyboardModifier.NoModifier, " ", autorep=True)
            QApplication.sendEvent(button, held)
    assert answers == []
    QTest.keyClick(card.once_button, Qt.Key.Key_Space)
    assert answers == [Answer.ONCE]
