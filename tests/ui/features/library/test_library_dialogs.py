"""The dialogs about projects and tags, pressed as a person would."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.thread import Project, Tag
from chatdesk.ui.features.library.library_binding import MoveThreadsDialog
from chatdesk.ui.features.library.project import ProjectDialog
from chatdesk.ui.features.library.project_chooser import ChooserEntry
from chatdesk.ui.features.library.tags import TagListDialog, ThreadTagsDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import PROJECT_COLOURS

_MODELS = [("openai", "OpenAI", [("gpt-4o", "GPT-4o")])]
_TAGS = [Tag("a", "reading", 0, 12), Tag("b", "to do", 0, 1), Tag("c", "R&D", 0, 0)]


def project(**changes: object) -> Project:
    fields: dict[str, object] = {
        "id": "p",
        "name": "Research",
        "colour": "#5B7DB1",
        "system_prompt": "",
        "provider": None,
        "model": None,
        "created_at": 0,
        "last_chat_at": None,
    }
    return Project(**(fields | changes))  # type: ignore[arg-type]


def test_a_project_with_a_wrong_folder_stays_open_and_says_so(theme: Theme, qtbot: QtBot) -> None:
    dialog = ProjectDialog(theme, project(), models=_MODELS)
    qtbot.addWidget(dialog)
    dialog.open()
    saved: list[str] = []
    dialog.saved.connect(lambda name, *_others: saved.append(name))
    for _press in range(2):
        qtbot.keyClick(dialog.name_field, Qt.Key.Key_Return)
    assert saved == ["Research"] and dialog.isVisible(), "it is looked at once, and the dialog waits"
    dialog.show_folder_problem("There is no folder /srv/work.")
    assert dialog.problem.text() == "There is no folder /srv/work." and dialog.save_button.isEnabled()


def test_a_new_project_has_the_rarest_colour(theme: Theme, qtbot: QtBot) -> None:
    colours = list(PROJECT_COLOURS.values())
    for in_use, expected in (((), 0), (colours[:1], 1), ([*colours, colours[0]], 1)):
        dialog = ProjectDialog(theme, None, colours_in_use=in_use)
        qtbot.addWidget(dialog)
        assert dialog.colour() == colours[expected]


def test_a_new_project_needs_a_name_and_takes_colour_and_model(theme: Theme, qtbot: QtBot) -> None:
    dialog = ProjectDialog(theme, None, models=_MODELS)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.save_button.isEnabled()
    with qtbot.assertNotEmitted(dialog.saved):
        qtbot.keyClick(dialog.name_field, Qt.Key.Key_Return)
    qtbot.keyClicks(dialog.name_field, "Work")
    names = [button.accessibleName() for button in dialog.swatches.buttons()]
    assert names == list(PROJECT_COLOURS)
    qtbot.mouseClick(dialog.swatches.buttons()[5], Qt.MouseButton.LeftButton)
    dialog.model_box.setCurrentIndex(1)
    assert not dialog.grab().isNull()
    assert dialog.instructions is not None
    qtbot.keyClicks(dialog.instructions, "Be brief.")
    with qtbot.waitSignal(dialog.saved) as saved:
        qtbot.keyClick(dialog.name_field, Qt.Key.Key_Return)
    assert saved.args == ["Work", PROJECT_COLOURS["Red"], "openai", "gpt-4o", "Be brief."]


def test_a_colour_and_a_model_from_elsewhere_are_kept(theme: Theme, qtbot: QtBot) -> None:
    dialog = ProjectDialog(theme, project(provider="gone", model="old-model"), models=_MODELS)
    qtbot.addWidget(dialog)
    assert len(dialog.swatches.buttons()) == len(PROJECT_COLOURS) + 1
    assert dialog.model_box.currentText() == "old-model · gone"
    with qtbot.waitSignal(dialog.saved) as saved:
        dialog.save_button.click()
    assert saved.args == ["Research", "#5B7DB1", "gone", "old-model", ""]
    known = ProjectDialog(theme, project(provider="openai", model="gpt-4o"), models=_MODELS)
    qtbot.addWidget(known)
    assert known.model_box.currentText() == "GPT-4o · OpenAI"


def test_the_last_project_offers_neither_archive_nor_trash(theme: Theme, qtbot: QtBot) -> None:
    dialog = ProjectDialog(theme, project(), is_last=True)
    qtbot.addWidget(dialog)
    for name in ("projectArchive", "projectDelete"):
        button = dialog.findChild(QPushButton, name)
        assert not button.isEnabled()
        assert "last project" in button.toolTip()
    archived = ProjectDialog(theme, project(archived_at=1), is_last=True)
    qtbot.addWidget(archived)
    assert archived.findChild(QPushButton, "projectArchive").isEnabled()


@pytest.mark.parametrize(
    ("button", "signal"),
    [
        ("projectPrompt", "systemPromptRequested"),
        ("projectArchive", "archiveRequested"),
        ("projectDelete", "deleteRequested"),
    ],
)
def test_other_wishes_come_after_the_dialog_has_closed(theme: Theme, qtbot: QtBot, button: str, signal: str) -> None:
    dialog = ProjectDialog(theme, project(), has_system_prompt=True)
    qtbot.addWidget(dialog)
    dialog.show()
    with qtbot.waitSignal(getattr(dialog, signal)), qtbot.assertNotEmitted(dialog.saved):
        dialog.findChild(QPushButton, button).click()
    assert not dialog.isVisible()


def test_only_touched_tags_change(theme: Theme, qtbot: QtBot) -> None:
    dialog = ThreadTagsDialog(theme, "3 threads", _TAGS, counts={"a": 3, "b": 1}, total=3)
    qtbot.addWidget(dialog)
    boxes = {box.accessibleName(): box for box in dialog.findChildren(QCheckBox)}
    assert boxes["to do"].checkState() is Qt.CheckState.PartiallyChecked
    boxes["reading"].click()
    qtbot.keyClicks(dialog.field, "r&d")
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)
    assert boxes["R&D"].isChecked()
    qtbot.keyClicks(dialog.field, " # later ")
    with qtbot.waitSignal(dialog.decided) as decided:
        dialog.findChild(QPushButton, "tagsSave").click()
    assert decided.args == [["R&D", "later"], ["a"]]


def test_nothing_is_decided_without_a_change(theme: Theme, qtbot: QtBot) -> None:
    dialog = ThreadTagsDialog(theme, "A thread", _TAGS, counts={}, total=1)
    qtbot.addWidget(dialog)
    with qtbot.assertNotEmitted(dialog.decided):
        qtbot.keyClick(dialog.field, Qt.Key.Key_Return)


def test_all_tags_are_shown_renamed_and_deleted(theme: Theme, qtbot: QtBot) -> None:
    dialog = TagListDialog(theme, _TAGS)
    qtbot.addWidget(dialog)
    with qtbot.waitSignal(dialog.renamed) as renamed:
        dialog.list.item(1).setText("  to   be done ")
    assert renamed.args == ["b", "to be done"]
    with qtbot.assertNotEmitted(dialog.renamed):
        dialog.list.item(0).setText("   ")
    assert dialog.list.item(0).text() == "reading"
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.show_button.click()
    assert chosen.args == ["a"]
    other = TagListDialog(theme, _TAGS)
    qtbot.addWidget(other)
    other.list.setCurrentRow(2)
    with qtbot.waitSignal(other.deleted) as deleted:
        other.delete_button.click()
    assert deleted.args == ["c"]
    empty = TagListDialog(theme, [])
    qtbot.addWidget(empty)
    assert not empty.show_button.isEnabled()


def test_a_project_to_move_to_is_chosen_by_its_name(theme: Theme, qtbot: QtBot) -> None:
    entries = [ChooserEntry("project", "Work", "w", "#0B7A75"), ChooserEntry("project", "Home", "h", "#B45A1E")]
    dialog = MoveThreadsDialog(theme, "2 threads", entries)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.keyClicks(dialog.chooser.field, "ho")
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.keyClick(dialog.chooser.field, Qt.Key.Key_Return)
    assert chosen.args == ["h"]
    assert not dialog.isVisible()
