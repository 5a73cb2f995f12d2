"""The dialogs about prompts: nothing that was typed is lost, every state has its words, all of it by keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.chat.prompts.prompt_variables import Field, Problem
from chatdesk.core.domain.prompt import (
    LONGEST_TEXT,
    Prompt,
    PromptHead,
    PromptKind,
    PromptSize,
    PromptSource,
    SystemPrompts,
)
from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog
from chatdesk.ui.features.prompts.prompt_form import Written
from chatdesk.ui.features.prompts.prompts_dialog import PromptsDialog
from chatdesk.ui.features.prompts.system_prompt import SystemPromptDialog
from chatdesk.ui.theme.theme import Theme

TEMPLATE, SYSTEM = PromptKind.TEMPLATE, PromptKind.SYSTEM
FIRST = Prompt("1", TEMPLATE, "First", "one", 0, 0)
SECOND = Prompt("2", SYSTEM, "Second", "two", 0, 0)


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> QWidget:
    made = QWidget()
    made.resize(1100, 800)
    qtbot.addWidget(made)
    made.show()
    return made


def _words(dialog: QWidget) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if not label.isHidden())


def _press(dialog: QWidget, name: str) -> None:
    button = dialog.findChild(QPushButton, name)
    assert button is not None
    assert button.isEnabled(), name
    button.click()


def _check_names(dialog: QWidget) -> None:
    for button in dialog.findChildren(QPushButton):
        assert button.objectName(), button.text()
    for field in (*dialog.findChildren(QPlainTextEdit), *dialog.findChildren(QComboBox)):
        assert field.objectName()
        assert field.accessibleName()


# Fields


def _fields_dialog(window: QWidget, theme: Theme, **options: object) -> tuple[PromptFieldsDialog, list[dict[str, str]]]:
    fields = (Field("topic", "topic", "cats"), Field("tone", "tone", "", ("formal", "casual")), Field("a_b", "a_b"))
    made = PromptFieldsDialog(theme, "<b>Name</b>", fields, parent=window, **{"last_values": {}, **options})  # type: ignore[arg-type]
    filled: list[dict[str, str]] = []
    made.filled.connect(filled.append)
    made.open()
    return made, filled


def test_fields_begin_with_their_defaults_and_enter_takes_all(window: QWidget, theme: Theme) -> None:
    dialog, filled = _fields_dialog(window, theme)
    assert dialog.focusWidget() is dialog.field("topic")
    _check_names(dialog)
    QTest.keyClicks(dialog.field("topic"), "dogs")  # the default is selected, so it goes
    QTest.keyClick(dialog.field("topic"), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(dialog.field("topic"), "birds")
    QTest.keyClick(dialog.field("topic"), Qt.Key.Key_Return)
    assert filled == [{"topic": "dogs\nbirds", "tone": "formal", "a_b": ""}]


def test_the_last_values_of_fields_are_offered(window: QWidget, theme: Theme) -> None:
    dialog, filled = _fields_dialog(window, theme, last_values={"topic": "dogs", "tone": "casual", "gone": "x"})
    _press(dialog, "promptFieldsInsert")
    assert filled == [{"topic": "dogs", "tone": "casual", "a_b": ""}]


def test_closing_fills_nothing_in(window: QWidget, theme: Theme) -> None:
    dialog, filled = _fields_dialog(window, theme)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    other, filled_too = _fields_dialog(window, theme)
    _press(other, "promptFieldsCancel")
    assert (filled, filled_too) == ([], [])


def test_a_malformed_template_is_reported(window: QWidget, theme: Theme) -> None:
    dialog, _filled = _fields_dialog(window, theme, problems=[Problem(2, 5, "This {{ is not closed.")])
    assert "Line 2, column 5: This {{ is not closed." in _words(dialog)
    assert "<b>Name</b>" in _words(dialog)


def test_a_huge_paste_into_a_field_is_bounded(window: QWidget, theme: Theme) -> None:
    dialog, _filled = _fields_dialog(window, theme)
    data = QMimeData()
    data.setText("x " * 200_000)
    field = dialog.field("a_b")
    assert isinstance(field, QPlainTextEdit)
    field.insertFromMimeData(data)
    assert len(dialog.values()["a_b"]) == 100_000


# The library


class Library:
    """The dialog with a service that a test plays."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        self.dialog = PromptsDialog(theme, parent=window)
        self.calls: list[tuple[object, ...]] = []
        self.is_closed = False
        for name in ("open", "duplicate", "delete", "restore", "insert", "import", "export", "save"):
            signal = getattr(self.dialog, f"{name}Requested")
            signal.connect(lambda *values, name=name: self.calls.append((name, *values)))
        self.dialog.finished.connect(lambda _result: setattr(self, "is_closed", True))
        self.dialog.show_heads([PromptHead(each.id, each.kind, each.name, each.text) for each in (FIRST, SECOND)])
        self.dialog.open()

    def names(self) -> list[str]:
        return [self.dialog.list.item(row).text() for row in range(self.dialog.list.count())]

    def type(self, text: str) -> None:
        QTest.keyClicks(self.dialog.form.text_field, text)

    def take_calls(self) -> list[tuple[object, ...]]:
        taken, self.calls = self.calls, []
        return taken


@pytest.fixture
def library(window: QWidget, theme: Theme) -> Library:
    return Library(window, theme)


def test_prompts_are_found_and_filtered(library: Library) -> None:
    _check_names(library.dialog)
    assert library.names() == ["First", "Second"]
    QTest.keyClicks(library.dialog.search, "tw")
    assert library.names() == ["Second"]
    QTest.keyClicks(library.dialog.search, "x")
    assert library.names() == ["No prompt matches."]
    library.dialog.search.clear()
    library.dialog.shown_box.setCurrentText("Templates")
    assert library.names() == ["First"]


def test_a_row_opens_its_prompt(library: Library) -> None:
    library.dialog.list.setCurrentRow(1)
    assert library.take_calls() == [("open", "2")]
    library.dialog.show_prompt(SECOND)
    written = library.dialog.form.written()
    assert (written.kind, written.name, written.text) == (SYSTEM, "Second", "two")
    assert library.dialog.prompt_id == "2"
    assert not library.dialog.insert_button.isVisible()
    assert "each time it is sent" in _words(library.dialog)
    library.dialog.list.setCurrentRow(1)
    assert library.take_calls() == []


def test_a_large_library_is_listed_in_part(library: Library) -> None:
    library.dialog.show_heads([PromptHead(str(n), TEMPLATE, f"Number {n}", "x") for n in range(1_000)])
    assert library.names()[-1] == "800 more: type part of a name."
    library.dialog.search.setText("number 999")
    assert library.names() == ["Number 999"]


def test_a_very_long_line_is_held_in_pieces_and_given_back_whole(library: Library) -> None:
    text = "x" * 50_000
    library.dialog.show_prompt(replace(FIRST, text=text))
    assert library.dialog.form.text_field.document().blockCount() > 10
    assert library.dialog.form.written().text == text
    QTest.keyClick(library.dialog, Qt.Key.Key_Escape)
    assert library.is_closed
    assert library.take_calls() == []


def test_typed_text_is_stored_when_typing_pauses(library: Library, qtbot: QtBot) -> None:
    library.dialog.show_prompt(FIRST)
    library.type("!")
    qtbot.waitUntil(lambda: bool(library.calls))
    assert library.take_calls() == [("save", "1", Written(TEMPLATE, "First", "!one"))]
    library.type("?")
    library.dialog.saved(replace(FIRST, text="!one"))
    qtbot.waitUntil(lambda: bool(library.calls))
    assert library.take_calls() == [("save", "1", Written(TEMPLATE, "First", "!?one"))]


def test_going_elsewhere_stores_first(library: Library) -> None:
    library.dialog.show_prompt(FIRST)
    library.type("!")
    library.dialog.list.setCurrentRow(1)
    assert library.take_calls() == [("save", "1", Written(TEMPLATE, "First", "!one"))]
    library.dialog.saved(replace(FIRST, text="!one"))
    assert library.take_calls() == [("open", "2")]


def test_keys_that_were_faster_than_the_other_prompt_are_stored_too(library: Library) -> None:
    library.dialog.show_prompt(FIRST)
    library.dialog.list.setCurrentRow(1)
    library.take_calls()
    library.type("!")
    library.dialog.show_prompt(SECOND)
    assert library.take_calls() == [("save", "1", Written(TEMPLATE, "First", "!one"))]
    assert library.dialog.prompt_id == "1"
    library.dialog.saved(replace(FIRST, text="!one"))
    assert library.dialog.prompt_id == "2"


def test_closing_waits_until_it_is_stored(library: Library) -> None:
    library.dialog.show_prompt(FIRST)
    library.type("!")
    QTest.keyClick(library.dialog, Qt.Key.Key_Escape)
    assert not library.is_closed
    library.take_calls()
    library.type("?")
    library.dialog.saved(replace(FIRST, text="!one"))
    assert library.take_calls() == [("save", "1", Written(TEMPLATE, "First", "!?one"))]
    library.dialog.saved(replace(FIRST, text="!?one"))
    assert library.is_closed


def test_a_failed_save_keeps_the_dialog_and_the_text(library: Library) -> None:
    library.dialog.show_prompt(FIRST)
    library.type("!")
    library.dialog.list.setCurrentRow(1)
    library.dialog.show_failure("The disk is full.")
    assert "The disk is full." in _words(library.dialog)
    assert library.dialog.list.currentRow() == 0
    assert library.dialog.form.written().text == "!one"
    library.take_calls()
    _press(library.dialog, "promptsDone")
    assert library.take_calls() == [("save", "1", Written(TEMPLATE, "First", "!one"))]
    assert not library.is_closed
    library.dialog.saved(FIRST)  # an answer to nothing is ignored later on
    assert library.is_closed


def test_a_new_prompt_gets_its_name_when_it_is_stored(library: Library) -> None:
    _press(library.dialog, "promptsNew")
    assert library.dialog.form.name_field.hasFocus() or library.dialog.focusWidget() is library.dialog.form.name_field
    library.type("Do this")
    _press(library.dialog, "promptsExport")
    assert library.take_calls() == [("save", None, Written(TEMPLATE, "", "Do this"))]
    library.dialog.saved(Prompt("3", TEMPLATE, "Do this", "Do this", 0, 0))
    assert library.take_calls() == [("export",)]
    assert (library.dialog.prompt_id, library.dialog.form.written().name) == ("3", "Do this")


def test_a_blank_one_is_left_without_words(library: Library) -> None:
    _press(library.dialog, "promptsNew")
    library.type("  ")
    _press(library.dialog, "promptsImport")
    assert library.take_calls() == [("import",)]
    QTest.keyClick(library.dialog, Qt.Key.Key_Escape)
    assert library.is_closed


def test_text_from_elsewhere_becomes_a_new_prompt(library: Library) -> None:
    library.dialog.show_prompt(SECOND)
    library.dialog.start_prompt(TEMPLATE, "from the composer")
    assert library.dialog.prompt_id is None
    _press(library.dialog, "promptsDone")
    assert library.take_calls() == [("save", None, Written(TEMPLATE, "", "from the composer"))]


def test_inserting_stores_and_closes(library: Library) -> None:
    library.dialog.show_prompt(FIRST)
    library.type("!")
    _press(library.dialog, "promptsInsert")
    library.dialog.saved(replace(FIRST, text="!one"))
    assert [call[0] for call in library.take_calls()] == ["save", "insert"]
    assert library.is_closed


def test_deleting_offers_the_way_back(library: Library) -> None:
    library.dialog.show_prompt(FIRST)
    _press(library.dialog, "promptsDelete")
    assert library.take_calls() == [("delete", "1")]
    library.dialog.show_deleted("1", "First")
    assert "Deleted: First" in _words(library.dialog)
    assert library.dialog.prompt_id is None
    _press(library.dialog, "promptsRestore")
    assert library.take_calls() == [("restore", "1")]


def test_an_emptied_prompt_is_refused_or_deleted_or_reverted(library: Library, qtbot: QtBot) -> None:
    library.dialog.show_prompt(FIRST)
    library.dialog.form.text_field.clear()
    qtbot.waitUntil(lambda: not any(timer.isActive() for timer in library.dialog.findChildren(QTimer)))
    assert library.take_calls() == []  # not worth words while one types
    _press(library.dialog, "promptsDone")
    assert library.take_calls() == [("save", "1", Written(TEMPLATE, "First", ""))]
    library.dialog.show_failure("A prompt needs a text.")
    _press(library.dialog, "promptsDelete")
    assert library.take_calls() == [("delete", "1")]
    _press(library.dialog, "promptsRevert")
    assert library.dialog.form.written().text == "one"
    library.dialog.form.text_field.undo()
    assert library.dialog.form.written().text == ""


def test_a_copy_is_asked_for_after_storing(library: Library) -> None:
    library.dialog.show_prompt(FIRST)
    _press(library.dialog, "promptsDuplicate")
    assert library.take_calls() == [("duplicate", "1")]


def test_what_is_odd_is_asked_for_and_shown(library: Library, qtbot: QtBot) -> None:
    asked: list[tuple[str, bool]] = []
    library.dialog.checkRequested.connect(lambda *what: asked.append(what))
    library.dialog.show_prompt(SECOND)
    library.type("{{")
    qtbot.waitUntil(lambda: ("{{two", True) in asked)
    library.dialog.form.show_problems(["Line 1, column 1: not closed."])
    assert "Line 1, column 1" in _words(library.dialog)
    library.dialog.form.show_problems([])
    assert "Line 1, column 1" not in _words(library.dialog)


def test_words_about_files_are_shown(library: Library) -> None:
    library.dialog.show_notice("Added: 2 prompts.")
    assert "Added: 2 prompts." in _words(library.dialog)


# System prompts


PROMPTS = SystemPrompts("t", "p", "Research & more", "", "of the project", "")


class Editor:
    def __init__(
        self, window: QWidget, theme: Theme, prompts: SystemPrompts, source: PromptSource = PromptSource.THREAD
    ) -> None:
        self.dialog = SystemPromptDialog(theme, prompts, source=source, parent=window)
        self.saved: list[dict[PromptSource, str]] = []
        self.is_closed = False
        self.dialog.saveRequested.connect(self.saved.append)
        self.dialog.finished.connect(lambda _result: setattr(self, "is_closed", True))
        self.dialog.open()

    def type(self, text: str) -> None:
        QTest.keyClicks(self.dialog.text_field, text)


def test_it_says_which_one_is_sent(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, PROMPTS)
    _check_names(editor.dialog)
    assert "This thread has none: the project's is sent." in _words(editor.dialog)
    editor.type("x")
    assert "This thread's own system prompt is sent." in _words(editor.dialog)
    editor.dialog.project_button.click()
    assert editor.dialog.text_field.toPlainText() == "of the project"
    assert "Sent in every thread of the project that has none of its own." in _words(editor.dialog)
    editor.dialog.text_field.clear()
    assert "in threads without their own, no system prompt is sent." in _words(editor.dialog)


def test_the_default_is_named_where_it_counts(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, replace(PROMPTS, project="", default="by default"))
    assert "Neither thread nor project has one: the default from the settings is sent." in _words(editor.dialog)


def test_saving_carries_what_changed_at_both_places(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, replace(PROMPTS, thread="a\r\nb"))
    _press(editor.dialog, "systemPromptSave")
    assert (editor.saved, editor.is_closed) == ([], True)  # line ends of the field are no change
    editor = Editor(window, theme, PROMPTS)
    editor.type("own")
    editor.dialog.project_button.click()
    editor.type("now ")
    _press(editor.dialog, "systemPromptSave")
    assert editor.saved == [{PromptSource.THREAD: "own", PromptSource.PROJECT: "now of the project"}]
    assert not editor.is_closed
    editor.dialog.show_failure("The disk is full.")
    assert "The disk is full." in _words(editor.dialog)
    _press(editor.dialog, "systemPromptSave")
    assert len(editor.saved) == 2
    editor.dialog.close_saved()
    assert editor.is_closed


def test_the_first_escape_says_what_the_second_loses(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, PROMPTS)
    editor.type("own")
    QTest.keyClick(editor.dialog, Qt.Key.Key_Escape)
    assert not editor.is_closed
    assert "is not saved" in editor.dialog.problem.text()
    editor.type("!")
    QTest.keyClick(editor.dialog, Qt.Key.Key_Escape)
    assert not editor.is_closed
    QTest.keyClick(editor.dialog, Qt.Key.Key_Escape)
    assert editor.is_closed
    untouched = Editor(window, theme, PROMPTS)
    QTest.keyClick(untouched.dialog, Qt.Key.Key_Escape)
    assert untouched.is_closed


def test_cancel_is_one_press(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, PROMPTS)
    editor.type("own")
    _press(editor.dialog, "systemPromptCancel")
    assert editor.is_closed
    assert editor.saved == []


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (PromptSize(1, 1000, is_estimate=False), "1 token of the 1,000"),
        (PromptSize(1200, 8000, is_estimate=True), "About 1,200 tokens of the 8,000"),
        (PromptSize(9000, 8000, is_estimate=False), "9,000 tokens: it leaves no room for a message"),
    ],
)
def test_the_size_has_words(window: QWidget, theme: Theme, size: PromptSize, says: str) -> None:
    editor = Editor(window, theme, PROMPTS)
    editor.dialog.show_size(size)
    assert says in _words(editor.dialog)


def test_edits_are_told_when_the_typing_pauses(window: QWidget, theme: Theme, qtbot: QtBot) -> None:
    editor = Editor(window, theme, PROMPTS)
    with qtbot.waitSignal(editor.dialog.edited) as told:
        editor.type("own")
    assert told.args == ["own"]
    editor.dialog.show_problems(["Line 1, column 1: odd."])
    assert "Line 1, column 1: odd." in _words(editor.dialog)


def test_one_of_the_library_takes_the_place_and_can_be_undone(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, PROMPTS)
    assert not editor.dialog.choose_button.isEnabled()
    asked: list[str] = []
    editor.dialog.libraryRequested.connect(asked.append)
    editor.dialog.show_library([PromptHead("2", SYSTEM, "Second & last", "two")])
    (action,) = editor.dialog.choose_button.menu().actions()
    assert action.text() == "Second && last"
    action.trigger()
    assert asked == ["2"]
    editor.type("own")
    editor.dialog.use_text("two")
    assert editor.dialog.text_field.toPlainText() == "two"
    editor.dialog.text_field.undo()
    assert editor.dialog.text_field.toPlainText() == "own"
    editor.dialog.show_library([])
    assert not editor.dialog.choose_button.isEnabled()


def test_it_can_be_kept_in_the_library(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, PROMPTS)
    assert not editor.dialog.keep_button.isEnabled()
    kept: list[str] = []
    editor.dialog.keepRequested.connect(kept.append)
    editor.type("own")
    _press(editor.dialog, "systemPromptKeep")
    assert kept == ["own"]
    editor.dialog.show_notice("Saved to the library: own")
    assert "Saved to the library: own" in _words(editor.dialog)


def test_without_a_thread_there_is_the_project_alone(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, replace(PROMPTS, thread_id=None), PromptSource.PROJECT)
    assert editor.dialog.thread_button.isHidden()
    assert editor.dialog.source is PromptSource.PROJECT
    assert editor.dialog.text_field.toPlainText() == "of the project"


def test_a_huge_paste_is_bounded(window: QWidget, theme: Theme) -> None:
    editor = Editor(window, theme, PROMPTS)
    data = QMimeData()
    data.setText("word " * 100_000)
    editor.dialog.text_field.insertFromMimeData(data)
    assert len(editor.dialog.text_field.written()) == LONGEST_TEXT
