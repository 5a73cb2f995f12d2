"""The page of memories, by keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.memory import MOST_MEMORIES, Memory, MemoryOrigin
from chatdesk.ui.features.memory.edit_memory_dialog import EditMemoryDialog
from chatdesk.ui.features.memory.memories_dialog import MemoriesDialog, MemoryProvider
from chatdesk.ui.theme.theme import Theme

_TEA = Memory("a", "I drink tea.", None, MemoryOrigin.PERSON, "", "m", False, 1, 1, "t")
_UNITS = Memory("b", "Use metric units.", "p", MemoryOrigin.IMPORT, "ChatGPT", None, False, 1, 1)
_GONE = Memory("c", "My cat is called Ada.", "q", MemoryOrigin.PROPOSAL, "", "n", False, 1, 1)
_ALL = (_TEA, _UNITS, _GONE)
_PROJECTS = {"p": "Research", "q": "Home", "r": "Garden"}


@pytest.fixture
def dialog(theme: Theme, qtbot: QtBot) -> MemoriesDialog:
    made = MemoriesDialog(theme)
    qtbot.addWidget(made)
    made.show_state(is_on=True)
    made.show_memories(_ALL, _PROJECTS)
    made.open()
    return made


def _texts(dialog: MemoriesDialog) -> list[str]:
    return [each.text for each in dialog.rows.shown]


def _row(dialog: MemoriesDialog, row: int) -> str:
    return str(dialog.rows.data(dialog.rows.index(row)))


def _heard(signal: object) -> list[object]:
    heard: list[object] = []
    signal.connect(heard.append)  # type: ignore[attr-defined]
    return heard


def test_each_row_says_where_its_memory_is_for_and_comes_from(dialog: MemoriesDialog) -> None:
    assert _row(dialog, 0).startswith("I drink tea.\nEverywhere · written by you · ")
    assert _row(dialog, 1).startswith("Use metric units.\nResearch · imported from ChatGPT · ")
    assert "Home · proposed below an answer · its message is gone · " in _row(dialog, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"goes_with_source": True}, "erased with its message"),
        ({"is_resting": True}, "not sent: what it belongs to is in the trash"),
        ({"project_id": "p"}, "not sent: the project is shared"),
        ({"project_id": "unknown"}, "A project without a name"),
        ({"origin": MemoryOrigin.IMPORT}, " · imported · "),
        ({"origin": MemoryOrigin.SELECTION}, "selected in a message"),
        ({"origin": MemoryOrigin.PROGRAM}, "from another program"),
        ({"updated_at": 2**70}, "written by you"),
    ],
)
def test_what_holds_a_memory_back_is_said(dialog: MemoriesDialog, changes: dict[str, object], words: str) -> None:
    dialog.show_memories([replace(_TEA, **changes)], _PROJECTS, shared={"p"})  # type: ignore[arg-type]
    assert words in _row(dialog, 0)


def test_words_and_a_project_narrow_the_list(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    qtbot.keyClicks(dialog.search, "UNITS use")
    assert _texts(dialog) == ["Use metric units."]
    dialog.search.setText("nothing like it")
    assert not _texts(dialog) and dialog.none.isVisible() and dialog.none.text() == "No memory matches."
    dialog.search.clear()
    assert [dialog.place.itemText(at) for at in range(dialog.place.count())] == [
        "All memories", "Everywhere", "Home", "Research",
    ]  # fmt: skip
    for wanted in (["I drink tea."], ["My cat is called Ada."], ["Use metric units."]):
        qtbot.keyClick(dialog.place, Qt.Key.Key_Down)
        assert _texts(dialog) == wanted
    dialog.show_memories((_UNITS,), _PROJECTS)
    assert dialog.place.currentText() == "Research" and _texts(dialog) == ["Use metric units."]
    dialog.show_memories((), _PROJECTS)
    assert dialog.place.currentText() == "All memories" and dialog.none.text() == "Nothing is remembered yet."


def test_keys_edit_delete_and_undo(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    edited, deleted = _heard(dialog.editRequested), _heard(dialog.deleteRequested)
    undone: list[bool] = []
    dialog.undoRequested.connect(lambda: undone.append(True))
    dialog.list.setFocus()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Return)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Delete)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert edited == ["b"] and deleted == [("b",)] and undone == [True]
    dialog.show_memories((_TEA, _GONE), _PROJECTS)
    assert dialog.list.currentIndex().row() == 1
    qtbot.keyClick(dialog.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert not dialog.edit_button.isEnabled() and not dialog.message_button.isEnabled()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert deleted[-1] == ("a", "c")


def test_delete_in_the_search_deletes_no_memory(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    deleted = _heard(dialog.deleteRequested)
    dialog.search.setFocus()
    qtbot.keyClicks(dialog.search, "tea")
    qtbot.keyClick(dialog.search, Qt.Key.Key_Delete)
    assert not deleted


def test_what_the_search_hides_is_not_deleted_with_all(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    deleted = _heard(dialog.deleteRequested)
    dialog.list.setFocus()
    qtbot.keyClick(dialog.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    dialog.search.setText("tea")
    qtbot.keyClick(dialog.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert deleted == [("a",)]


def test_several_stay_chosen_while_the_list_changes(dialog: MemoriesDialog) -> None:
    rows, select = dialog.rows, QItemSelectionModel.SelectionFlag.Select
    dialog.list.selectionModel().select(rows.index(2), select)
    deleted = _heard(dialog.deleteRequested)
    dialog.show_memories((replace(_UNITS, id="new"), *_ALL), _PROJECTS)
    dialog.delete_button.click()
    assert deleted == [("a", "c")]


def test_off_says_what_it_means_and_leaves_seeing_and_deleting(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    edited, switched = _heard(dialog.editRequested), _heard(dialog.switched)
    dialog.show_state(is_on=False)
    assert not switched and "nothing is kept or sent" in dialog.state.text() and "turn it on" in dialog.state.text()
    assert not dialog.edit_button.isEnabled() and not dialog.add_memory_button.isEnabled()
    assert dialog.delete_button.isEnabled() and dialog.switch.isEnabled()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Return)
    assert not edited
    qtbot.keyClick(dialog.switch, Qt.Key.Key_Space)
    assert switched == [True]
    dialog.show_state(is_on=False, is_fixed=True)
    assert not dialog.switch.isEnabled() and "turn it on" not in dialog.state.text()


def test_the_message_can_be_shown_only_while_it_is_there(dialog: MemoriesDialog) -> None:
    wanted = _heard(dialog.messageRequested)
    for row, is_there in enumerate((True, False, False)):
        dialog.list.setCurrentIndex(dialog.rows.index(row))
        assert dialog.message_button.isEnabled() is is_there
    dialog.choose("a")
    dialog.message_button.click()
    assert wanted == ["a"]


def test_choosing_a_memory_lifts_the_search(dialog: MemoriesDialog) -> None:
    dialog.search.setText("tea")
    dialog.choose("c")
    assert not dialog.search.text() and dialog.rows.shown[dialog.list.currentIndex().row()].id == "c"
    dialog.choose("gone meanwhile")
    assert dialog.rows.shown[dialog.list.currentIndex().row()].id == "c"


def test_nothing_chosen_has_nothing_to_press(dialog: MemoriesDialog) -> None:
    dialog.show_memories((), {})
    buttons = (dialog.edit_button, dialog.message_button, dialog.delete_button)
    assert not any(each.isEnabled() for each in buttons) and dialog.add_memory_button.isEnabled()


def test_providers_are_ticked_by_space_and_none_at_first(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    chosen: list[tuple[str, bool]] = []
    dialog.providerChosen.connect(lambda name, is_allowed: chosen.append((name, is_allowed)))
    one = MemoryProvider("openai", "OpenAI", "https://api.openai.com/v1", is_allowed=False)
    moved = MemoryProvider("own", "Own", "http://elsewhere.example", is_allowed=False, asks_again=True)
    dialog.show_providers((one, moved))
    assert not chosen and all(
        dialog.providers.item(row).checkState() is Qt.CheckState.Unchecked for row in range(dialog.providers.count())
    )
    assert dialog.providers.item(0).text() == "OpenAI — https://api.openai.com/v1"
    assert "new address" in dialog.providers.item(1).text()
    qtbot.keyClick(dialog.providers, Qt.Key.Key_Space)
    dialog.show_providers((replace(one, is_allowed=True), moved))
    qtbot.keyClick(dialog.providers, Qt.Key.Key_Space)
    assert chosen == [("openai", True), ("openai", False)]


def test_a_deletion_offers_undo_until_it_is_undone(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    undone: list[bool] = []
    dialog.undoRequested.connect(lambda: undone.append(True))
    dialog.show_problem("It failed before.")
    dialog.show_notice("Deleted: “I drink tea.”", can_undo=True)
    assert dialog.notice.isVisible() and not dialog.problem.isVisible()
    button = dialog.notice.findChild(QPushButton, "bannerAction")
    assert button is not None
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert undone == [True]
    dialog.show_notice("", can_undo=False)
    assert not dialog.notice.isVisible()
    dialog.show_notice("2 memories written", can_undo=False)
    assert not button.isVisible()


def test_hostile_words_are_plain_and_spelt_out(dialog: MemoriesDialog) -> None:
    text = "<img src='file:///etc/passwd'>\u202egnitirw " + "long " * 60
    hostile = Memory("h", text, "p", MemoryOrigin.IMPORT, "\u202e<b>x</b>" * 50, None, False, 1, 1)
    dialog.show_memories((hostile,), {"p": "\u202e<h1>P"})
    shown = _row(dialog, 0)
    assert "\u202e" not in shown and "⟦U+202E⟧" in shown and "<img" in shown and shown.count("\n") == 1
    assert dialog.rows.data(dialog.rows.index(0), Qt.ItemDataRole.ToolTipRole) is None
    assert dialog.whole.isVisible() and dialog.whole.textFormat() is Qt.TextFormat.PlainText
    assert "\u202e" not in dialog.whole.text() + "".join(dialog.place.itemText(at) for at in range(3))
    dialog.show_providers((MemoryProvider("x", "\u202eOpenAI", "https://\u202ex", is_allowed=False),))
    assert "\u202e" not in dialog.providers.item(0).text()


def test_as_many_as_are_kept_are_shown_and_searched(dialog: MemoriesDialog) -> None:
    dialog.show_memories([replace(_TEA, id=str(at), text=f"Fact {at}.") for at in range(MOST_MEMORIES)], {})
    dialog.search.setText("fact 99")
    assert len(_texts(dialog)) == 19


def test_all_parts_have_names_and_tab_reaches_them(dialog: MemoriesDialog, qtbot: QtBot) -> None:
    dialog.show_providers((MemoryProvider("x", "X", "", is_allowed=False),))
    wanted = [
        dialog.switch, dialog.search, dialog.place, dialog.list, dialog.add_memory_button, dialog.edit_button,
        dialog.message_button, dialog.delete_button, dialog.providers,
    ]  # fmt: skip
    assert all(each.accessibleName() for each in wanted)
    dialog.activateWindow()
    dialog.switch.setFocus()
    reached = []
    for _ in range(30):
        focused = QApplication.focusWidget()
        if focused in wanted and focused not in reached:
            reached.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert reached == wanted


def test_editing_hands_over_what_was_chosen(theme: Theme, qtbot: QtBot) -> None:
    memory = replace(_TEA, project_id="p")
    dialog = EditMemoryDialog(theme, memory, _PROJECTS)
    qtbot.addWidget(dialog)
    saved: list[tuple[str, object, bool]] = []
    dialog.saved.connect(lambda *values: saved.append(values))
    dialog.open()
    assert dialog.text.written() == "I drink tea." and dialog.place.currentText() == "Research"
    assert dialog.erase.isVisible() and not dialog.unsaved()
    qtbot.keyClick(dialog.text, Qt.Key.Key_End)
    qtbot.keyClicks(dialog.text, " Always.")
    qtbot.keyClick(dialog.erase, Qt.Key.Key_Space)
    qtbot.keyClick(dialog.place, Qt.Key.Key_Home)
    qtbot.keyClick(dialog.text, Qt.Key.Key_Return)
    assert saved == [("I drink tea. Always.", None, True)] and dialog.isVisible()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible() and "not saved" in dialog.problem.text()


def test_a_new_one_has_no_message_to_go_with(theme: Theme, qtbot: QtBot) -> None:
    dialog = EditMemoryDialog(theme, None, _PROJECTS)
    qtbot.addWidget(dialog)
    dialog.open()
    assert not dialog.erase.isVisible() and dialog.place.currentText() == "Everywhere" and not dialog.text.written()
