"""The dialog of the kept questions, by keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.kept_question import KeptQuestion
from chatdesk.ui.features.knowledge.questions_dialog import QuestionsDialog
from chatdesk.ui.theme.theme import Theme

_FIRST = KeptQuestion("a", "p", "How many days off?", "leave.md", 1, 4)
_SECOND = KeptQuestion("b", "p", "Who pays?", "insurance\u202e.docx", 0)


def _opened(theme: Theme, qtbot: QtBot) -> QuestionsDialog:
    dialog = QuestionsDialog(theme)
    qtbot.addWidget(dialog)
    dialog.show_questions((_FIRST, _SECOND))
    dialog.open()
    return dialog


def test_a_question_is_added_with_enter_once_its_file_is_named(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    added: list[tuple[str, str]] = []
    dialog.keepRequested.connect(lambda *pair: added.append(pair))
    qtbot.keyClick(dialog.question, Qt.Key.Key_Return)
    qtbot.keyClicks(dialog.question, " Where? ")
    qtbot.keyClick(dialog.question, Qt.Key.Key_Return)
    assert not added and dialog.focusWidget() is dialog.file
    qtbot.keyClicks(dialog.file, "map.pdf")
    qtbot.keyClick(dialog.file, Qt.Key.Key_Return)
    assert added == [("Where?", "map.pdf")] and dialog.isVisible() and dialog.question.text()
    dialog.clear_fields()
    assert not dialog.question.text() and not dialog.file.text() and dialog.focusWidget() is dialog.question


def test_each_says_what_was_found_and_what_was_before(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    assert dialog.list.item(0).text() == "How many days off?\nleave.md · found at place 1 (before: at place 4)"
    assert dialog.list.item(1).text().endswith("· not found") and "\u202e" not in dialog.list.item(1).text()
    assert dialog.summary.text() == "1 of 2 among the first five"


def test_the_chosen_question_is_removed_and_the_next_one_chosen(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    removed: list[str] = []
    dialog.removeRequested.connect(removed.append)
    dialog.list.setFocus()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.remove_button, Qt.Key.Key_Space)
    dialog.show_questions((_FIRST,))
    qtbot.keyClick(dialog.remove_button, Qt.Key.Key_Space)
    assert removed == ["b", "a"]
    dialog.show_questions(())
    assert not dialog.remove_button.isEnabled() and not dialog.run_button.isEnabled() and not dialog.summary.text()


def test_a_run_is_asked_for_once_until_it_has_ended(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    runs: list[None] = []
    dialog.runRequested.connect(lambda: runs.append(None))
    qtbot.keyClick(dialog.run_button, Qt.Key.Key_Space)
    assert len(runs) == 1 and not dialog.run_button.isEnabled() and dialog.focusWidget() is dialog.list
    dialog.show_run((_FIRST,))
    assert dialog.run_button.isEnabled() and dialog.summary.text() == "1 of 1 among the first five"
    qtbot.keyClick(dialog.run_button, Qt.Key.Key_Space)
    dialog.end_run()
    assert len(runs) == 2 and dialog.run_button.isEnabled()


def test_what_was_tried_is_suggested_and_no_reason_to_warn(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    dialog.suggest("Where?", "map.pdf")
    assert (dialog.question.text(), dialog.file.text()) == ("Where?", "map.pdf") and not dialog.unsaved()
    dialog.suggest("Where?", "")
    assert dialog.focusWidget() is dialog.file
