"""What is in the composer while there is no connection."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.application.network_binding import offline_words
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.theme.theme import Theme

WORDS = "No connection to Somewhere. Your question is kept, and sent when it is back."


@pytest.fixture
def composer(qtbot: QtBot) -> Composer:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    made = Composer(Theme(application))
    qtbot.addWidget(made)
    made.show()
    return made


def notice(composer: Composer) -> str:
    label = composer.findChild(QWidget, "composerNotice")
    return str(label.text())  # type: ignore[union-attr]


def test_it_stands_until_there_is_a_connection(composer: Composer) -> None:
    composer.notice.set_offline(WORDS)
    assert notice(composer) == WORDS
    composer.set_streaming(True)
    composer.set_streaming(False)
    assert notice(composer) == WORDS
    composer.notice.set_offline("")
    assert notice(composer) == ""


def test_it_comes_back_after_a_passing_notice_and_gives_way_to_a_size_that_is_too_large(composer: Composer) -> None:
    composer.notice.set_offline(WORDS)
    composer.notice.show_passing("Copied")
    assert notice(composer) == "Copied"
    composer.notice.show_standing()
    assert notice(composer) == WORDS
    composer.set_size_limit(1000)
    composer.set_text("x" * 2000)
    assert "more than one message can hold" in notice(composer)
    composer.set_text("x")
    assert notice(composer) == WORDS


def test_it_can_still_be_typed_and_sent(composer: Composer) -> None:
    composer.notice.set_offline(WORDS)
    composer.set_text("Another question")
    assert composer.send_button.isEnabled()


@pytest.mark.parametrize(
    ("labels", "waiting", "words"),
    [
        ([], 0, ""),
        (["OpenAI"], 1, "No connection to OpenAI. Your question is kept, and sent when it is back."),
        (["OpenAI"], 3, "No connection to OpenAI. 3 questions are kept, and sent when it is back."),
        (["OpenAI", "Groq"], 0, "No connection to OpenAI and Groq. Your questions are kept."),
    ],
)
def test_the_words_say_who_and_what_becomes_of_it(labels: list[str], waiting: int, words: str) -> None:
    assert offline_words(labels, waiting) == words
