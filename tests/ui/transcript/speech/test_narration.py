"""What is said of an answer: its start and end always, what it says on request, never a word at a time."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Status
from chatdesk.core.rendering.blocks import Rule
from chatdesk.ui.transcript.messages.notices import Retry
from chatdesk.ui.transcript.speech.names import code_name, table_name, text_name, time_of
from chatdesk.ui.transcript.speech.narration import ReadAloud, spoken
from chatdesk.ui.transcript.view import TranscriptView

from tests.ui.transcript.conftest import World, make_message, make_thread  # isort: skip

_ANSWER = (
    "# Plan\n\nFirst **this**. Then `that`.\n\n- one thing\n- another. Really!\n\n"
    "```python\nprint(1)\nprint(2)\n```\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n$$x$$\n\n![cat](https://a.example/c.png)\n\n"
    "---\n\nThe end"
)
_SENTENCES = [
    "Plan",
    "First this.",
    "Then that.",
    "bullet one thing",
    "bullet another.",
    "Really!",
    "Code, python, 2 lines",
    "Table, 2 columns, 1 row",
    "Formula x",
    "Image, cat",
    "The end",
]


def answer(view: TranscriptView, *, step: int, status: Status = Status.COMPLETE, error: str | None = None) -> None:
    view.conversation.add_message(make_message(1, "", status=Status.PENDING))
    for start in range(0, len(_ANSWER), step):
        view.conversation.append_text("m1", 0, "text", _ANSWER[start : start + step])
        view.parts.conversation.feeds.show_frame()
    view.conversation.change_message(make_message(1, _ANSWER, status=status, error=error))
    QApplication.processEvents()


@pytest.fixture
def view(world: World) -> TranscriptView:
    made = world.open(make_thread(1))
    made.said = []
    made.announced.connect(made.said.append)
    return made


@pytest.mark.parametrize(
    ("mode", "between"), [("off", []), ("end", _SENTENCES), ("sentences", _SENTENCES)], ids=["off", "end", "sentences"]
)
def test_an_answer_is_read_as_asked(view: TranscriptView, mode: ReadAloud, between: list[str]) -> None:
    view.set_reading(mode)
    answer(view, step=10)
    assert view.said == ["test-model is answering", *between, "test-model has answered"]


def test_sentences_come_while_the_answer_grows_and_not_before_they_end(view: TranscriptView) -> None:
    view.set_reading("sentences")
    view.conversation.add_message(make_message(1, "", status=Status.PENDING))
    heard = []
    for delta in ("One sen", "tence. And", " another", "\n\nNew paragraph"):
        view.conversation.append_text("m1", 0, "text", delta)
        view.parts.conversation.feeds.show_frame()
        heard.append(list(view.said[1:]))
    assert heard == [[], ["One sentence."], ["One sentence."], ["One sentence.", "And another"]]


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (Status.STOPPED, None, "The answer was stopped"),
        (Status.ERROR, "No network.", "No network."),
        (Status.INTERRUPTED, None, "The answer is not complete"),
    ],
)
def test_how_it_ended_is_said(view: TranscriptView, status: Status, error: str | None, sentence: str) -> None:
    answer(view, step=50, status=status, error=error)
    assert view.said[-1] == sentence


def test_an_answer_that_streams_in_a_thread_just_opened_is_announced_once(world: World) -> None:
    thread = make_thread(1)
    thread.messages.append(make_message(1, "Some", status=Status.STREAMING))
    view = world.open(thread)
    said: list[str] = []
    view.announced.connect(said.append)
    view.show_thread("t")
    view.reload_from("m1")
    view.conversation.change_message(make_message(1, "Some text", status=Status.COMPLETE))
    assert said == ["test-model is answering", "test-model has answered"]


def test_the_reason_for_a_waiting_answer_is_announced(view: TranscriptView) -> None:
    view.conversation.add_message(make_message(1, "", status=Status.PENDING))
    view.conversation.progress.set_retry("m1", Retry("Too many requests.", attempt=2, due_ms=Clock().now_ms() + 60_000))
    assert view.said[1:] == ["Too many requests."]


def test_names_of_things() -> None:
    assert code_name("", "") == "Code, 0 lines"
    assert code_name("c" * 100, "x\n") == f"Code, {'c' * 40}, 1 line"
    assert table_name(1, 12, first=12, total=30) == "Table, 1 column, rows 13 to 24 of 30"
    assert text_name("x", "3.") == "3. x"
    assert time_of(0) == ""
    assert spoken(Rule(), 0, is_complete=True) == ([], 0)
