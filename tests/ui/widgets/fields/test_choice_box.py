from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QWidget
from pytestqt.qtbot import QtBot

import chatdesk
from chatdesk.core.settings.schema import PAGES, all_settings
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from tests.helpers.seen_focus import labels_of
from tests.helpers.settings_pages import shown_page


def _shown(qtbot: QtBot, box: ChoiceBox, *others: QWidget) -> QWidget:
    parent = QWidget()
    row = QHBoxLayout(parent)
    for each in (*others, box):
        row.addWidget(each)
    qtbot.addWidget(parent)
    parent.show()
    return parent


def _box() -> ChoiceBox:
    box = named(ChoiceBox(), "colour", "Colour")
    box.addItem("Red")
    return box


def test_a_box_is_named_by_its_name_and_not_by_its_value(qtbot: QtBot) -> None:
    box = _box()
    _parent = _shown(qtbot, box)
    assert labels_of(box) == ["Colour"]
    box.setAccessibleName("Ink")
    assert labels_of(box) == ["Ink"]


def test_a_box_with_a_label_in_sight_is_named_once(qtbot: QtBot) -> None:
    box, label = _box(), QLabel("Colour of the pen")
    label.setBuddy(box)
    _parent = _shown(qtbot, box, label)
    assert labels_of(box) == ["Colour of the pen"]


def test_a_box_keeps_its_name_where_it_is_moved(qtbot: QtBot) -> None:
    box, elsewhere = _box(), QWidget()
    _parent = _shown(qtbot, box)
    QHBoxLayout(elsewhere).addWidget(box)
    qtbot.addWidget(elsewhere)
    elsewhere.show()
    assert labels_of(box) == ["Colour"]


def test_no_combo_box_is_made_without_a_name() -> None:
    root = Path(chatdesk.__file__).parent
    made = [str(path) for path in root.rglob("*.py") if re.search(r"\bQComboBox\(", path.read_text("utf-8"))]
    assert [Path(each).name for each in made] == []
    derived = [path for path in root.rglob("*.py") if re.search(r"\(QComboBox\):", path.read_text("utf-8"))]
    assert [path.name for path in derived] == ["choice_box.py"]


@pytest.mark.parametrize("page", PAGES)
def test_each_choice_of_the_settings_is_named(qtbot: QtBot, qapp: QApplication, page: str) -> None:
    dialog = SettingsDialog(Theme(qapp, preference="light"), {each.name: each.default for each in all_settings()})
    qtbot.addWidget(dialog)
    dialog.show()
    boxes = shown_page(dialog, page).findChildren(ChoiceBox)
    qapp.processEvents()
    assert [labels_of(box) for box in boxes] == [[box.accessibleName()] for box in boxes]
