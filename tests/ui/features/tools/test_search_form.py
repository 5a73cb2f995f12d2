"""The form of the web search: what it shows for each engine, its test and its key, by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.core.tools.web_search.choice import SearchCheck, SearchChoice, SearchEngine, SearchStep
from chatdesk.ui.dialogs.marks import CheckSteps
from chatdesk.ui.features.tools.search_form import SearchForm, search_words
from chatdesk.ui.theme.theme import Theme
from tests.helpers.check_steps import shown_steps


@pytest.fixture
def form(qapp: QApplication, qtbot: QtBot) -> SearchForm:
    made = SearchForm(Theme(qapp, preference="light"), SearchChoice(), frozenset((SearchEngine.TAVILY,)))
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.open()
    return made


def _choose(form: SearchForm, engine: SearchEngine | None) -> None:
    form.engine.setCurrentIndex(form.engine.findData(engine))


def _shown(form: SearchForm) -> set[str]:
    named = {"address": form.address, "key": form.key, "forget": form.forget_button}
    links = {each.value: link for each, link in form.links.items()}
    return {name for name, widget in {**named, **links}.items() if widget.isVisible()}


def test_each_engine_asks_for_what_it_needs(form: SearchForm) -> None:
    assert (_shown(form), form.test_button.isEnabled()) == (set(), False)
    for engine, shown in (
        (SearchEngine.SEARXNG, {"address"}),
        (SearchEngine.BRAVE, {"key", "brave"}),
        (SearchEngine.TAVILY, {"key", "forget"}),
    ):
        _choose(form, engine)
        assert (_shown(form), form.test_button.isEnabled()) == (shown, True)
    assert "A key is kept" in form.key.placeholderText() and "A key is kept" in form.key.accessibleDescription()
    _choose(form, SearchEngine.BRAVE)
    assert form.key.placeholderText() == form.key.accessibleDescription() == "Paste the key"


def test_a_key_that_was_typed_for_one_is_not_sent_to_the_other(form: SearchForm, qtbot: QtBot) -> None:
    _choose(form, SearchEngine.BRAVE)
    qtbot.keyClicks(form.key, "key-of-brave")
    _choose(form, SearchEngine.TAVILY)
    with qtbot.waitSignal(form.testRequested) as asked:
        form.test_button.click()
    assert asked.args == [SearchChoice(SearchEngine.TAVILY), ""]


def test_enter_saves_from_each_field(form: SearchForm, qtbot: QtBot) -> None:
    _choose(form, SearchEngine.SEARXNG)
    form.address.setFocus()
    qtbot.keyClicks(form.address, "searx.example.org")
    with qtbot.waitSignal(form.saved) as saved:
        qtbot.keyClick(form.address, Qt.Key.Key_Return)
    assert saved.args == [SearchChoice(SearchEngine.SEARXNG, "searx.example.org"), ""]
    form.show_problem("The address cannot be used.")
    assert not form.is_busy and form.address.hasFocus()
    _choose(form, SearchEngine.BRAVE)
    assert not form.problem.isVisible()
    qtbot.keyClicks(form.key, "key-1")
    with qtbot.waitSignal(form.saved) as saved:
        qtbot.keyClick(form.key, Qt.Key.Key_Return)
    assert saved.args == [SearchChoice(SearchEngine.BRAVE), "key-1"]


def test_a_test_is_told_step_by_step(form: SearchForm) -> None:
    _choose(form, SearchEngine.BRAVE)
    form.test_button.setFocus()
    form.test_button.click()
    assert form.is_busy and not form.save_button.isEnabled()
    cancel: Any = form.findChild(QPushButton, "searchCancel")
    assert cancel.isEnabled()
    steps: Any = form.findChild(CheckSteps, "searchSteps")
    form.show_check(SearchCheck(SearchStep.REACHED, True, "Not encrypted."))
    assert form.is_busy
    form.show_check(SearchCheck(SearchStep.ALLOWED, False, "It does not take this key."))
    results = [(True, "It answers: Not encrypted."), (False, "Lets ChatDesk search: It does not take this key.")]
    assert shown_steps(steps) == results
    assert not form.is_busy and form.test_button.hasFocus()
    _choose(form, SearchEngine.TAVILY)
    assert shown_steps(steps) == [] and steps.isHidden()


def test_a_kept_key_is_forgotten(form: SearchForm, qtbot: QtBot) -> None:
    _choose(form, SearchEngine.TAVILY)
    with qtbot.waitSignal(form.forgetRequested) as asked:
        form.forget_button.click()
    assert asked.args == [SearchEngine.TAVILY]
    form.forget_key(SearchEngine.TAVILY)
    assert _shown(form) == {"key", "tavily"} and form.key.hasFocus()


def test_everything_has_a_name(form: SearchForm) -> None:
    for widget in (form.engine, form.address, form.key, form.test_button, form.save_button, form.forget_button):
        assert widget.accessibleName()


def test_the_row_says_what_the_web_is_searched_with() -> None:
    assert "only read pages" in search_words(SearchChoice(), "")
    searx = SearchChoice(SearchEngine.SEARXNG, "https://searx.example.org/x")
    assert "SearXNG at https://searx.example.org." in search_words(searx, "https://searx.example.org")
    assert search_words(SearchChoice(SearchEngine.BRAVE), "https://x").endswith("Searches with Brave Search.")
