"""The dialog of a project's files, by keys."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.knowledge import (
    FileState,
    FoundPassage,
    KnowledgeSource,
    KnownFile,
    Passage,
    Sharing,
    SourceKind,
    SourceStatus,
)
from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog, state_text
from chatdesk.ui.features.knowledge.providers_dialog import FileProvidersDialog
from chatdesk.ui.theme.theme import Theme

_FOLDER = KnowledgeSource("a", "p", SourceKind.FOLDER, "/srv/handbook")
_PAGE = KnowledgeSource("b", "p", SourceKind.PAGE, "https://docs.example/leave")
_STATUSES = (SourceStatus(_FOLDER, read=3, waiting=2, unreadable=1), SourceStatus(_PAGE, read=1))
_FILE = KnownFile(1, "a", "leave.pdf", FileState.READ, mime="application/pdf")


def _passage(at: int, text: str, page: int) -> FoundPassage:
    return FoundPassage(at, _FILE, _FOLDER, at, Passage(at * 100, at * 100 + len(text), text, page))


def _opened(theme: Theme, qtbot: QtBot) -> ProjectFilesDialog:
    dialog = ProjectFilesDialog(theme, "Research")
    qtbot.addWidget(dialog)
    dialog.show_sources(_STATUSES)
    dialog.open()
    return dialog


def test_a_typed_place_is_added_with_enter_and_only_then_forgotten(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    added: list[str] = []
    dialog.addRequested.connect(added.append)
    qtbot.keyClick(dialog.place, Qt.Key.Key_Return)
    qtbot.keyClicks(dialog.place, ' "/srv/more" ')
    qtbot.keyClick(dialog.place, Qt.Key.Key_Return)
    assert added == ["/srv/more"] and dialog.isVisible() and dialog.place.text()
    dialog.clear_place()
    assert not dialog.place.text() and not dialog.problem.text()


def test_the_buttons_act_on_the_chosen_source(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    done: list[object] = []
    dialog.removeRequested.connect(done.append)
    dialog.readAgainRequested.connect(done.append)
    dialog.pauseRequested.connect(lambda name, is_paused: done.append((name, is_paused)))
    dialog.list.setCurrentRow(1)
    for button in (dialog.pause_button, dialog.again_button, dialog.remove_button):
        qtbot.keyClick(button, Qt.Key.Key_Space)
    assert done == [("b", True), "b", "b"]
    dialog.show_sources((_STATUSES[0], replace(_STATUSES[1], source=replace(_PAGE, is_paused=True))))
    assert dialog.list.currentRow() == 1 and dialog.pause_button.text() == "Go on reading"
    qtbot.keyClick(dialog.pause_button, Qt.Key.Key_Space)
    assert done[-1] == ("b", False)


def test_what_the_team_gets_is_chosen_only_for_what_is_ones_own(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    assert not dialog.sharing.isVisible()
    dialog.allow_sharing(may_share=True)
    teams = SourceStatus(KnowledgeSource("c", "p", SourceKind.TEAM, "team:Minutes"), read=2)
    dialog.show_sources((*_STATUSES, teams))
    assert dialog.sharing.isVisible() and dialog.sharing.currentData() == Sharing.NAME
    assert dialog.sharing_note.isVisible() and "provider" in dialog.sharing_note.text()
    chosen: list[object] = []
    dialog.sharingChosen.connect(lambda name, sharing: chosen.append((name, sharing)))
    qtbot.keyClick(dialog.sharing, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.sharing, Qt.Key.Key_Up)
    assert chosen == [("a", Sharing.TEXT), ("a", Sharing.NAME)]
    dialog.list.setCurrentRow(2)
    assert not dialog.sharing.isVisible() and not dialog.sharing_note.isVisible()
    assert not dialog.remove_button.isEnabled()
    assert dialog.list.currentItem().text() == "Minutes\nshared by the team · 2 files read"


def test_a_provider_is_unticked_by_keys_and_ticked_again(theme: Theme, qtbot: QtBot) -> None:
    dialog = FileProvidersDialog(theme, {"a": "Ada's server", "b": "Other\u202e"}, frozenset(("b",)))
    qtbot.addWidget(dialog)
    said: list[object] = []
    dialog.ticked.connect(lambda name, gets: said.append((name, gets)))
    dialog.open()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Space)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Space)
    assert said == [("a", False), ("b", True)]
    assert "\u202e" not in dialog.list.item(1).text()


def test_without_sources_there_is_nothing_to_press(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    dialog.show_sources(())
    assert not any(each.isEnabled() for each in (dialog.pause_button, dialog.again_button, dialog.remove_button))
    assert dialog.list.count() == 0


def test_files_that_cannot_be_read_are_named_for_the_chosen_source_alone(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    files = [KnownFile(at, "a", f"{at}.pdf", FileState.UNREADABLE, problem="It is damaged.") for at in range(25)]
    dialog.show_unreadable("b", files)
    assert not dialog.detail.isVisible()
    dialog.show_unreadable("a", files)
    assert dialog.detail.isVisible() and dialog.detail.text().startswith("0.pdf: It is damaged.")
    assert dialog.detail.text().endswith("and 5 more")
    dialog.list.setCurrentRow(1)
    assert not dialog.detail.isVisible()


def test_a_tried_question_lists_passages_and_opens_one(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    tried: list[str] = []
    opened: list[FoundPassage] = []
    dialog.tried.connect(tried.append)
    dialog.passageRequested.connect(opened.append)
    qtbot.keyClicks(dialog.question, "days off")
    qtbot.keyClick(dialog.question, Qt.Key.Key_Return)
    found = [_passage(1, "Thirty days.", 4), _passage(2, "Illness.", 5)]
    dialog.show_found(found, ["leave.pdf, page 4", "leave.pdf, page 5"])
    assert tried == ["days off"] and dialog.found.isVisible()
    dialog.found.setCurrentRow(1)
    qtbot.keyClick(dialog.found, Qt.Key.Key_Return)
    assert opened == [found[1]] and dialog.isVisible()
    asked: list[tuple[str, str]] = []
    dialog.questionsRequested.connect(lambda *pair: asked.append(pair))
    qtbot.keyClick(dialog.questions_button, Qt.Key.Key_Space)
    dialog.show_found((), ())
    qtbot.keyClick(dialog.questions_button, Qt.Key.Key_Space)
    assert asked == [("days off", "leave.pdf"), ("days off", "")]
    assert not dialog.found.isVisible() and dialog.problem.text() == "Nothing was found."


def test_the_state_of_a_source_is_said_in_words() -> None:
    assert state_text(_STATUSES[0]) == "3 files read · 2 to be read · 1 cannot be read"
    assert state_text(SourceStatus(replace(_FOLDER, problem="It is gone."), read=3)) == "It is gone."
    assert state_text(SourceStatus(replace(_FOLDER, is_paused=True), read=1)) == "1 file read · paused"
    timed = SourceStatus(_FOLDER, read=30, waiting=900, seconds_left=95)
    assert state_text(timed) == "30 files read · 900 to be read · about 2 minutes left"
    assert state_text(SourceStatus(_FOLDER)) == "0 files read · being listed"
    assert state_text(SourceStatus(_PAGE, read=1, read_at=1_763_000_000_000)).startswith("last read 2025-")


def test_what_is_left_out_is_chosen_for_folders_alone(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    asked: list[str] = []
    dialog.exclusionsRequested.connect(asked.append)
    dialog.list.setCurrentRow(1)
    assert not dialog.exclude_button.isEnabled()
    dialog.list.setCurrentRow(0)
    qtbot.keyClick(dialog.exclude_button, Qt.Key.Key_Space)
    assert asked == ["a"]
    dialog.show_sources(())
    assert not dialog.exclude_button.isEnabled()


def test_the_reasons_of_the_chosen_source_are_asked_for_again_as_files_turn_out_unreadable(
    theme: Theme, qtbot: QtBot
) -> None:
    dialog = _opened(theme, qtbot)
    asked: list[str] = []
    dialog.sourceChosen.connect(asked.append)
    folder, page = _STATUSES
    for folder_has, page_has, expected in ((1, 0, []), (2, 0, ["a"]), (2, 1, []), (0, 1, ["a"])):
        asked.clear()
        dialog.show_sources((replace(folder, unreadable=folder_has), replace(page, unreadable=page_has)))
        assert asked == expected, (folder_has, page_has)


def test_what_is_said_about_a_source_is_never_cut(theme: Theme, qtbot: QtBot) -> None:
    dialog = _opened(theme, qtbot)
    one_line = dialog.list.visualItemRect(dialog.list.item(1)).height()
    problem = "It cannot be read: " + "the reason has many words, " * 8
    dialog.show_sources((_STATUSES[0], replace(_STATUSES[1], source=replace(_PAGE, problem=problem))))
    qtbot.waitUntil(lambda: dialog.list.visualItemRect(dialog.list.item(1)).height() > one_line)


def test_a_path_reads_from_its_first_slash_in_a_mirrored_window(theme: Theme, qtbot: QtBot) -> None:
    dialog = ProjectFilesDialog(theme, "Research")
    qtbot.addWidget(dialog)
    dialog.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    dialog.show_sources(_STATUSES)
    assert dialog.list.item(0).text().startswith("\u2066/srv/handbook\u2069\n")
    assert dialog.list.item(0).toolTip() == "/srv/handbook"
