"""Compared answers: columns that hear only of their own message, and are below each other where it is narrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.ui.features.compare.view import CompareView
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.items.text_item import WaitingItem
from chatdesk.ui.transcript.messages.notices import Retry
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.waiting import stays_in_window

QUESTION = Message("q", "t", None, Role.USER, Status.COMPLETE, 0, 0)


class _NoBlocks:
    """Nothing is ever rendered: text is shown as it came."""

    def request(self, _text: str, _on_done: Callable[..., None], *, is_answer: bool) -> _NoBlocks:
        return self

    def open_stream(self, _on_update: Callable[..., None]) -> _NoBlocks:
        return self

    def append(self, _delta: str) -> None: ...

    def cancel(self) -> None: ...


@pytest.fixture
def view(qapp: QApplication, qtbot: QtBot) -> CompareView:
    theme = Theme(qapp)
    made = CompareView(theme, lambda fetch: TranscriptView(fetch, _NoBlocks(), theme), live=lambda message: message)
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    made.show_answers(QUESTION, [_answer("a"), _answer("b")])
    qtbot.waitUntil(lambda: all(len(column.view.entries) == 1 for column in made.columns))
    return made


def _answer(name: str, status: Status = Status.STREAMING) -> Message:
    return Message(
        name, "t", "q", Role.ASSISTANT, status, 0, 7, model=f"model {name}", version_index=1, version_count=2
    )


def test_each_column_shows_its_answer_alone(view: CompareView) -> None:
    shown = [column.view.entries[0].message for column in view.columns]
    assert [(message.id, message.position, message.version_count) for message in shown] == [("a", 0, 1), ("b", 0, 1)]
    assert view.columns[0].stop_button.accessibleName() == "Stop the answer of model a"


@pytest.mark.parametrize("width", [320, 480, 1000])
@pytest.mark.parametrize("words", ["Back", "Retour", "Zurückgehen zur Liste"])
def test_the_way_back_is_read_whole_beside_a_long_question(
    view: CompareView, qtbot: QtBot, width: int, words: str
) -> None:
    view.back_button.setText(words)
    view.show_answers(replace(QUESTION, parts=(Part("p", "q", 0, PartType.TEXT, {"text": "Why so? " * 30}),)), [])
    view.resize(width, 600)
    assert view.width() == width
    view.layout().activate()  # type: ignore[union-attr]
    assert view.back_button.width() == view.back_button.sizeHint().width()
    bubble = view.findChild(QLabel, "comparedQuestion")
    assert bubble is not None and bubble.geometry().right() < view.width()


def test_news_reach_the_column_that_they_are_for(view: CompareView) -> None:
    view.append_text("a", 0, "text", "hello")
    view.set_retry("b", Retry("Waiting.", attempt=2, due_ms=Clock().now_ms() + 60_000))
    view.append_text("other", 0, "text", "not here")
    view.set_retry("other", Retry("not here", attempt=2, due_ms=Clock().now_ms() + 60_000))
    view.change_message(_answer("other"))
    first, second = view.columns
    assert first.view.entries[0].text == "hello" and second.view.entries[0].text == ""
    view.change_message(_answer("b", Status.STOPPED))
    assert first.stop_button.isVisible() and not second.stop_button.isVisible()


def test_an_answer_that_is_tried_again_is_waited_for_from_then_on(view: CompareView) -> None:
    view.record_request("a", 5_000)
    view.record_request("other", 5_000)
    (waiting,) = (item for item in view.columns[0].view.entries[0].items if isinstance(item, WaitingItem))
    assert waiting.since_ms == 5_000


def test_keeping_stopping_and_leaving_are_said(view: CompareView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.keepRequested) as kept:
        view.columns[1].keep_button.click()
    with qtbot.waitSignal(view.stopRequested) as stopped:
        view.columns[0].stop_button.click()
    with qtbot.waitSignal(view.closed):
        view.back_button.click()
    with qtbot.waitSignal(view.closed):
        qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert (kept.args, stopped.args) == (["b"], ["a"])


def test_answers_of_one_model_are_told_apart_by_their_versions(view: CompareView) -> None:
    twice = [replace(_answer(each), model="one", version_index=place) for place, each in ((1, "a"), (2, "b"))]
    view.show_answers(QUESTION, [*twice, _answer("c")])
    assert [column.keep_button.accessibleName() for column in view.columns] == [
        "Keep the answer of one, Version 1 of 2",
        "Keep the answer of one, Version 2 of 2",
        "Keep the answer of model c",
    ]
    assert len({column.accessibleName() for column in view.columns}) == 3


def test_a_failure_that_said_nothing_cannot_be_kept(view: CompareView) -> None:
    words = Part("p", "a", 0, PartType.TEXT, {"text": "Half an answer"})
    view.change_message(replace(_answer("a", Status.ERROR), parts=(words,)))
    view.change_message(_answer("b", Status.ERROR))
    assert [column.keep_button.isVisible() for column in view.columns] == [True, False]


def test_columns_stand_below_each_other_where_it_is_narrow(view: CompareView, qtbot: QtBot) -> None:
    first, second = view.columns
    qtbot.waitUntil(lambda: first.y() == second.y() and first.x() < second.x())
    view.resize(420, 600)
    qtbot.waitUntil(lambda: first.y() < second.y() and first.x() == second.x())


def test_another_comparison_takes_the_place_of_the_first(view: CompareView) -> None:
    long = replace(QUESTION, parts=())
    view.show_answers(long, [_answer("c")])
    assert [column.answer.id for column in view.columns] == ["c"]


def test_finished_answers_are_shown_from_their_beginnings(view: CompareView, qtbot: QtBot) -> None:
    long = "A line.\n\n" * 200
    parts = {name: Part(f"p{name}", name, 0, PartType.TEXT, {"text": long}) for name in "ab"}
    answers = [replace(_answer(name, Status.COMPLETE), parts=(parts[name],)) for name in "ab"]
    view.show_answers(QUESTION, answers)
    qtbot.waitUntil(lambda: all(len(column.view.entries) == 1 for column in view.columns))
    for column in view.columns:
        bar = column.view.verticalScrollBar()
        assert bar.maximum() > 0
        assert bar.value() == 0


def test_written_answers_are_as_high_as_the_longest_of_them(view: CompareView, qtbot: QtBot) -> None:
    full = view.columns[0].height()
    assert view.columns[0].whole_height is None  # still written
    for name, lines in (("a", 2), ("b", 5)):
        text = "\n\n".join(["A line."] * lines)
        part = Part(f"part {name}", name, 0, PartType.TEXT, {"text": text})
        view.change_message(replace(_answer(name, Status.COMPLETE), parts=(part,)))
    qtbot.waitUntil(lambda: view.columns[0].height() < full)
    heights = {column.height() for column in view.columns}
    assert heights == {max(column.whole_height or 0 for column in view.columns)}
    view.change_message(_answer("a"))
    qtbot.waitUntil(lambda: view.columns[0].height() == full)


def test_an_answer_longer_than_the_window_keeps_all_the_room(view: CompareView, qtbot: QtBot) -> None:
    part = Part("long", "a", 0, PartType.TEXT, {"text": "\n\n".join(["A line."] * 200)})
    full = view.columns[0].height()
    for name in ("a", "b"):
        parts = (part,) if name == "a" else ()
        view.change_message(replace(_answer(name, Status.COMPLETE), parts=parts))
    stays_in_window(qtbot, lambda: {column.height() for column in view.columns} == {full}, for_s=0.1)
