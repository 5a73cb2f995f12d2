"""Where the next questions of threads go."""

from __future__ import annotations

from chatdesk.ui.features.chat.next_questions import NextQuestions
from chatdesk.ui.window.window_state import NextQuestion

_SMALL = ("one", "small")
_LARGE = ("two", "large")


def _has(provider: str) -> bool:
    return provider != "gone"


def test_a_choice_is_for_one_thread() -> None:
    questions, changed = NextQuestions(), []
    questions.changed.connect(changed.append)
    questions.compare("t", (_SMALL, _LARGE))
    questions.compare("t", [_SMALL, _LARGE])
    assert questions.of("t").models == (_SMALL, _LARGE)
    assert questions.of("u") == questions.of(None) == NextQuestion()
    questions.compare("t", ())
    assert questions.all() == {}
    assert changed == ["t", "t"]


def test_a_thread_takes_over_what_was_chosen_for_the_new_chat() -> None:
    questions = NextQuestions()
    questions.choose_first("a")
    questions.compare(None, (_SMALL, _LARGE))
    questions.adopt("t")
    assert questions.all() == {"t": NextQuestion((_SMALL, _LARGE))}
    questions.adopt("u")
    assert "u" not in questions.all()


def test_models_of_providers_that_are_gone_do_not_come_back() -> None:
    questions = NextQuestions()
    before = {"t": NextQuestion((_SMALL, _LARGE)), "u": NextQuestion((_SMALL, ("gone", "small")), once_id="a")}
    questions.restore(before, has=_has)
    assert questions.all() == {"t": before["t"], "u": NextQuestion(once_id="a")}


def test_a_choice_since_the_start_has_precedence() -> None:
    questions = NextQuestions()
    questions.ask_once("t", "new")
    questions.restore({"t": NextQuestion(once_id="old")}, has=_has)
    assert questions.of("t").once_id == "new"
