"""The settings that name a model: chosen from the list, the one of new threads with its provider."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.settings.schema import all_settings
from chatdesk.ui.features.settings.model_fields import ModelField
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from tests.helpers.settings_pages import row_of

MODELS = [("openai", "OpenAI", [("gpt-5.4", "GPT-5.4")]), ("box", "Box", [("maker/tiny:8b", "Tiny")])]


def _dialog(qapp: QApplication, qtbot: QtBot, **values: object) -> SettingsDialog:
    defaults = {each.name: each.default for each in all_settings()}
    dialog = SettingsDialog(Theme(qapp, preference="light"), {**defaults, **values}, models=MODELS)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show_page("Providers")
    dialog.open()
    return dialog


def _field(dialog: SettingsDialog, name: str) -> ModelField:
    field = row_of(dialog, name).field
    assert isinstance(field, ModelField)
    return field


def _choose(field: ModelField, words: str, qtbot: QtBot) -> None:
    field.click()
    chooser = field.findChild(ModelChooser)
    assert chooser is not None
    qtbot.keyClicks(chooser.search, words)
    qtbot.keyClick(chooser.search, Qt.Key.Key_Return)


def _applied(dialog: SettingsDialog) -> dict[str, object]:
    """What the dialog gives from now on."""
    changes: dict[str, object] = {}
    dialog.applied.connect(changes.update)
    return changes


def test_the_model_of_new_threads_is_chosen_with_its_provider(qapp: QApplication, qtbot: QtBot) -> None:
    dialog = _dialog(qapp, qtbot)
    applied = _applied(dialog)
    field = _field(dialog, "provider")
    assert row_of(dialog, "openai_model").field is field
    _choose(field, "tiny", qtbot)
    assert field.text() == "Tiny (Box)"
    assert applied == {"provider": "box", "openai_model": "maker/tiny:8b"}


@pytest.mark.parametrize(
    ("provider", "model", "text"),
    [
        ("auto", "", "The first provider that is ready"),
        ("openai", "", "OpenAI, its own choice"),
        ("auto", "gone", "gone"),
        ("box", "gone", "gone (box)"),
    ],
)
def test_the_stored_model_stays_until_another_is_chosen(
    qapp: QApplication, qtbot: QtBot, provider: str, model: str, text: str
) -> None:
    dialog = _dialog(qapp, qtbot, provider=provider, openai_model=model)
    assert _field(dialog, "provider").text() == text
    applied: list[object] = []
    dialog.applied.connect(applied.append)
    assert dialog.apply()
    assert applied == []


def test_the_models_for_tasks_and_for_pictures_are_chosen_and_taken_back(qapp: QApplication, qtbot: QtBot) -> None:
    dialog = _dialog(qapp, qtbot, image_model="openai/gpt-5.4")
    applied = _applied(dialog)
    _choose(_field(dialog, "task_model"), "tiny", qtbot)
    pictures = _field(dialog, "image_model")
    assert pictures.text() == "GPT-5.4 (OpenAI)"
    pictures.click()
    chooser = pictures.findChild(ModelChooser)
    assert chooser is not None
    qtbot.keyClick(chooser.search, Qt.Key.Key_PageUp)
    qtbot.keyClick(chooser.search, Qt.Key.Key_Return)
    assert pictures.text() == "None"
    assert applied == {"task_model": "box/maker/tiny:8b", "image_model": ""}


def test_a_variable_that_names_the_model_closes_the_field(qapp: QApplication, qtbot: QtBot) -> None:
    defaults = {each.name: each.default for each in all_settings()}
    dialog = SettingsDialog(Theme(qapp, preference="light"), defaults, models=MODELS, fixed=frozenset({"openai_model"}))
    qtbot.addWidget(dialog)
    assert not row_of(dialog, "provider").field.isEnabled()
