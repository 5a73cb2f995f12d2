"""Keys that a person changes: what is refused, who loses what, what is stored, and the editor for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTreeWidgetItem, QTreeWidgetItemIterator, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.texts import use_translation
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.command_keys import keys_of_text, refusal, text_of_keys
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.features.settings.shortcuts_editor import ShortcutsEditor
from chatdesk.ui.theme.theme import Theme

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(900, 760)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def registry(window: QWidget) -> CommandRegistry:
    made = CommandRegistry(window, CATALOGUE)
    for command in CATALOGUE:
        made.bind(command.id, lambda: None)
    return made


@pytest.fixture
def editor(qapp: QApplication, window: QWidget, registry: CommandRegistry) -> ShortcutsEditor:
    made = ShortcutsEditor(Theme(qapp, preference="light"), registry)
    made.setParent(window)
    made.resize(window.size())
    made.show()
    return made


def test_no_command_is_cut_by_the_keys_beside_it(
    qapp: QApplication, window: QWidget, registry: CommandRegistry
) -> None:
    use_translation(lambda source, _about, _count: f"{source} or more")
    try:
        made = ShortcutsEditor(Theme(qapp, preference="light"), registry)
        made.setParent(window)
        made.resize(580, 560)  # as on its page
        made.show()
        assert made.tree.columnWidth(0) >= made.tree.sizeHintForColumn(0)
        assert made.tree.columnWidth(1) >= 80
    finally:
        use_translation(None)


def items(editor: ShortcutsEditor) -> list[QTreeWidgetItem]:
    """The rows with commands, which are below headings."""
    found = QTreeWidgetItemIterator(editor.tree)
    rows = []
    while (item := found.value()) is not None:
        rows.append(item)
        found += 1
    return [item for item in rows if item.parent() is not None]


def question(editor: ShortcutsEditor) -> str:
    label = editor.findChild(QLabel, "shortcutsQuestion")
    assert isinstance(label, QLabel)
    return label.text()


def shown(editor: ShortcutsEditor) -> dict[str, tuple[str, str]]:
    return {item.text(0): (item.text(1), item.text(2)) for item in items(editor)}


def select(editor: ShortcutsEditor, name: str) -> None:
    item = next(item for item in items(editor) if item.text(0) == name)
    editor.tree.setCurrentItem(item)


def action_keys(registry: CommandRegistry, command_id: str) -> list[str]:
    action = registry.action(command_id)
    assert action is not None
    return [keys.toString() for keys in action.shortcuts()]


@pytest.mark.parametrize(
    "keys", ["A", "Shift+A", "Return", "Space", "Tab", "Left", "Ctrl+C", "Ctrl+V", "Alt+F4", "", "5"]
)
def test_keys_that_are_needed_elsewhere_are_refused(keys: str) -> None:
    assert refusal(keys).endswith(".")


@pytest.mark.parametrize("keys", ["Ctrl+J", "F5", "Shift+F5", "Alt+Left", "Ctrl+Shift+Space", "Esc", "Ctrl+;"])
def test_other_keys_can_be_taken(keys: str) -> None:
    assert refusal(keys) == ""


@given(st.lists(st.sampled_from(["Ctrl+J", "Ctrl+;", "Ctrl+,", "F5", "Ctrl+Space"]), unique=True, max_size=4))
def test_stored_keys_are_read_back(keys: list[str]) -> None:
    assert keys_of_text(text_of_keys(tuple(keys))) == tuple(keys)


@given(st.text(max_size=80))
def test_any_stored_text_is_keys_or_nothing(text: str) -> None:
    assert len(keys_of_text(text)) <= 4


def test_no_two_commands_of_the_catalogue_have_the_same_keys(registry: CommandRegistry) -> None:
    seen: dict[str, str] = {}
    for command in CATALOGUE:
        for keys in command.shortcuts:
            text = QKeySequence(keys).toString()
            assert text not in seen, (command.id, seen.get(text))
            seen[text] = command.id
            assert refusal(text) == "" or command.id.startswith("edit."), keys


def test_new_keys_are_taken_from_the_command_that_had_them(registry: CommandRegistry, qtbot: QtBot) -> None:
    with qtbot.waitSignal(registry.keys.changed):
        registry.keys.set("go.find", ("Ctrl+N",))
    assert registry.keys.of("thread.new") == ()
    assert action_keys(registry, "thread.new") == []
    assert action_keys(registry, "go.find") == ["Ctrl+N"]
    assert registry.keys.own() == {"thread.new": (), "go.find": ("Ctrl+N",)}
    registry.keys.reset("go.find")
    assert registry.keys.owner_of("Ctrl+N") is None
    registry.keys.reset()
    assert registry.keys.own() == {}
    assert action_keys(registry, "thread.new") == ["Ctrl+N"]


def test_stored_keys_win_and_what_is_unknown_is_left_out(registry: CommandRegistry) -> None:
    registry.keys.use({"no.such": ("Ctrl+J",), "go.find": ("Ctrl+N",), "go.composer": ("Ctrl+N", "F9")})
    assert registry.keys.of("go.find") == ("Ctrl+N",)
    assert registry.keys.of("go.composer") == ("F9",)
    assert registry.keys.of("thread.new") == ()
    registry.keys.use({})
    assert registry.keys.own() == {}
    assert action_keys(registry, "go.find") == ["Ctrl+F"]


def test_the_list_shows_what_keys_do_and_is_narrowed(editor: ShortcutsEditor, qtbot: QtBot) -> None:
    assert shown(editor)["New thread"] == ("Ctrl+N", "")
    assert shown(editor)["Send the message"] == ("Enter", "")
    qtbot.keyClicks(editor.filter, "find in")
    assert list(shown(editor)) == ["Find in thread"]
    editor.filter.setText("ctrl+n")
    assert list(shown(editor)) == ["New thread"]


def test_keys_are_recorded_and_a_conflict_is_said(
    editor: ShortcutsEditor, registry: CommandRegistry, qtbot: QtBot
) -> None:
    select(editor, "Find in thread")
    qtbot.keyClick(editor.tree, Qt.Key.Key_Return)
    assert editor.recorder.isVisible() and editor.recorder.hasFocus()
    qtbot.keyClick(editor.recorder, Qt.Key.Key_N, CTRL)
    assert "belongs to “New thread”" in question(editor)
    assert editor.use_button.text() == "Take over"
    qtbot.mouseClick(editor.use_button, Qt.MouseButton.LeftButton)
    assert not editor.recorder.isVisible()
    assert shown(editor)["Find in thread"] == ("Ctrl+N", "changed")
    assert shown(editor)["New thread"] == ("", "changed")
    assert registry.keys.of("go.find") == ("Ctrl+N",)
    assert editor.tree.hasFocus()
    assert editor.tree.currentItem().text(0) == "Find in thread"


def test_refused_keys_cannot_be_used_and_cancel_changes_nothing(
    editor: ShortcutsEditor, registry: CommandRegistry, qtbot: QtBot
) -> None:
    select(editor, "Find in thread")
    editor.record()
    qtbot.keyClick(editor.recorder, Qt.Key.Key_C, CTRL)
    assert "text field" in question(editor)
    assert not editor.use_button.isEnabled()
    cancel = editor.findChild(QPushButton, "shortcutsCancel")
    assert cancel is not None
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert registry.keys.own() == {}
    assert not editor.recorder.isVisible()


def test_keys_are_taken_away_and_given_back(editor: ShortcutsEditor, registry: CommandRegistry, qtbot: QtBot) -> None:
    select(editor, "Find in thread")
    assert not editor.reset_button.isEnabled() and not editor.reset_all_button.isEnabled()
    qtbot.keyClick(editor.tree, Qt.Key.Key_Delete)
    assert registry.keys.of("go.find") == ()
    assert not editor.remove_button.isEnabled()
    qtbot.mouseClick(editor.reset_button, Qt.MouseButton.LeftButton)
    assert registry.keys.own() == {}
    select(editor, "Send the message")
    assert not editor.change_button.isEnabled()
    editor.record()
    assert not editor.recorder.isVisible()


def test_the_editor_can_be_seen(editor: ShortcutsEditor) -> None:
    editor.record()
    assert not editor.grab().isNull()
