"""The field that has a folder: typed, chosen, shown to the letter, and removed, by keys too."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.library.folder_field import FolderField


def test_a_folder_is_chosen_and_removed(qtbot: QtBot, tmp_path: Path) -> None:
    field = FolderField(None, name="Folder of the project", object_name="projectFolder")
    qtbot.addWidget(field)
    field.show()
    assert field.line.text() == "" and not field.remove_button.isEnabled() and not field.is_changed
    qtbot.keyClick(field.choose_button, Qt.Key.Key_Space)
    dialog = field.findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "a\u202eb"))
    dialog.reject()
    assert field.folder == tmp_path / "a\u202eb" and field.is_changed
    assert field.line.text().endswith("a⟦U+202E⟧b")
    qtbot.keyClick(field.remove_button, Qt.Key.Key_Space)
    assert field.folder is None and not field.is_changed and field.focusWidget() is field.choose_button
    assert [each.accessibleName() for each in (field.line, field.choose_button, field.remove_button)] == [
        "Folder of the project",
        "Choose: Folder of the project",
        "Remove: Folder of the project",
    ]


@pytest.mark.parametrize(
    ("typed", "folder"),
    [
        ("/srv/work", Path("/srv/work")),
        (' "/srv/my work" ', Path("/srv/my work")),
        ("file:///srv/my%20work", Path("/srv/my work")),
        ("~/work", Path.home() / "work"),
        ("  ", None),
    ],
)
def test_a_folder_is_typed_or_pasted(qtbot: QtBot, typed: str, folder: Path | None) -> None:
    field = FolderField(Path("/srv/before"), name="Folder of the project", object_name="projectFolder")
    qtbot.addWidget(field)
    field.show()
    field.line.selectAll()
    qtbot.keyClicks(field.line, typed)
    assert field.folder == folder and field.is_changed
    assert field.remove_button.isEnabled() == (folder is not None)


def test_a_folder_is_offered_for_a_check_when_its_field_is_left_and_not_before(qtbot: QtBot) -> None:
    field = FolderField(None, name="Folder of the project", object_name="projectFolder")
    qtbot.addWidget(field)
    field.show()
    entered: list[Path | None] = []
    field.entered.connect(entered.append)
    qtbot.keyClicks(field.line, "/srv/work")
    assert entered == []
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert entered == [Path("/srv/work")]
    qtbot.keyClick(field.remove_button, Qt.Key.Key_Space)
    assert entered[-1] is None
