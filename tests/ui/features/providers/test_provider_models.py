"""The table in which a person says what they know of models: by keys, by mouse, with what cannot be taken."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.model_info import ModelInfo, ModelOverrides
from chatdesk.ui.features.providers.model_table import Column, ModelLine
from chatdesk.ui.features.providers.provider_models import ProviderModels
from chatdesk.ui.theme.theme import Theme
from tests.gallery.provider_samples import model_lines

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dialog(qapp: QApplication, qtbot: QtBot) -> ProviderModels:
    made = ProviderModels(Theme(qapp, preference="light"), "Team gateway", model_lines())
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.open()
    return made


def _cell(dialog: ProviderModels, model: str, column: Column) -> QModelIndex:
    rows = dialog.rows
    place = next(row for row in range(rows.rowCount()) if rows.index(row, Column.MODEL).data() == model)
    return rows.index(place, column)


def _type(dialog: ProviderModels, index: QModelIndex | QPersistentModelIndex, text: str, qtbot: QtBot) -> None:
    """As a person does: the keys begin to change the cell, Enter ends it."""
    dialog.table.setFocus()
    dialog.table.setCurrentIndex(index)
    qtbot.keyClick(dialog.table, Qt.Key.Key_F2)
    (editor,) = [each for each in dialog.table.viewport().findChildren(QLineEdit) if each.isVisible()]
    editor.clear()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not any(each.isVisible() for each in dialog.table.viewport().findChildren(QLineEdit)))
    assert dialog.isVisible(), "Enter ends the change, it does not save"


def _saved(dialog: ProviderModels, qtbot: QtBot) -> tuple[dict[str, ModelOverrides], dict[str, str], tuple[str, ...]]:
    with qtbot.waitSignal(dialog.saved) as saved:
        qtbot.mouseClick(dialog.save_button, LEFT)
    said, names, added = saved.args
    return said, names, added


def test_known_values_are_shown_and_only_changed_ones_saved(dialog: ProviderModels, qtbot: QtBot) -> None:
    assert _cell(dialog, "gpt-5.4-mini", Column.CONTEXT).data() == "400,000"
    assert _cell(dialog, "gpt-5.4-mini", Column.OUTPUT).data() == "4.5"
    assert _cell(dialog, "swift-small", Column.IMAGES).data(Qt.ItemDataRole.AccessibleTextRole) == (
        "Sees images: not known"
    )
    said, names, added = _saved(dialog, qtbot)
    assert said == {
        "gemma-3-27b-it-qat-q4_0-gguf": ModelOverrides(context_window=16_384, input_price=0.0, output_price=0.0),
        "old-model": ModelOverrides(is_hidden=True),
    }
    assert (names, added) == ({"gemma-3-27b-it-qat-q4_0-gguf": "The one at home"}, ())


def test_ticks_and_figures_are_taken_by_keys(dialog: ProviderModels, qtbot: QtBot) -> None:
    dialog.table.setFocus()
    dialog.table.setCurrentIndex(_cell(dialog, "swift-small", Column.IMAGES))
    qtbot.keyClick(dialog.table, Qt.Key.Key_Space)
    dialog.table.setCurrentIndex(_cell(dialog, "o3-mini", Column.OFFERED))
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    _type(dialog, _cell(dialog, "swift-small", Column.CONTEXT), "128k", qtbot)
    _type(dialog, _cell(dialog, "swift-small", Column.INPUT), "$0,5", qtbot)
    _type(dialog, _cell(dialog, "swift-small", Column.OUTPUT), "2", qtbot)
    _type(dialog, _cell(dialog, "swift-small", Column.NAME), "  My  swift ", qtbot)
    said, names, _added = _saved(dialog, qtbot)
    assert said["swift-small"] == ModelOverrides(
        sees_images=True, context_window=128_000, input_price=0.5, output_price=2.0
    )
    assert said["o3-mini"].is_hidden
    assert names["swift-small"] == "My swift"


def test_a_tick_taken_back_says_nothing_any_more(dialog: ProviderModels, qtbot: QtBot) -> None:
    dialog.table.setFocus()
    dialog.table.setCurrentIndex(_cell(dialog, "o3-mini", Column.IMAGES))
    qtbot.keyClick(dialog.table, Qt.Key.Key_Space)
    assert dialog.rows.lines[1].said.sees_images is True
    qtbot.keyClick(dialog.table, Qt.Key.Key_Space)
    _type(dialog, _cell(dialog, "gemma-3-27b-it-qat-q4_0-gguf", Column.CONTEXT), "", qtbot)
    said, _names, _added = _saved(dialog, qtbot)
    assert "o3-mini" not in said
    assert said["gemma-3-27b-it-qat-q4_0-gguf"].context_window is None


def test_an_invalid_figure_is_refused_and_the_old_one_stays(dialog: ProviderModels, qtbot: QtBot) -> None:
    _type(dialog, _cell(dialog, "o3-mini", Column.CONTEXT), "plenty", qtbot)
    problem = dialog.findChild(QLabel, "panelProblem")
    assert problem is not None
    assert problem.text() == "o3-mini: Type a number of tokens, such as 32000 or 128k."
    assert _cell(dialog, "o3-mini", Column.CONTEXT).data() == "200,000"
    _type(dialog, _cell(dialog, "o3-mini", Column.CONTEXT), "64k", qtbot)
    assert not problem.isVisible()


def test_a_search_leaves_out_and_forgets_nothing(dialog: ProviderModels, qtbot: QtBot) -> None:
    qtbot.keyClicks(dialog.search, "home gguf")
    assert dialog.rows.rowCount() == 1
    dialog.table.setCurrentIndex(dialog.rows.index(0, Column.OFFERED))
    qtbot.keyClick(dialog.table, Qt.Key.Key_Space)
    dialog.search.clear()
    assert dialog.rows.rowCount() == 5
    said, _names, _added = _saved(dialog, qtbot)
    assert said["gemma-3-27b-it-qat-q4_0-gguf"].is_hidden


def test_a_missing_model_is_added_by_its_id(dialog: ProviderModels, qtbot: QtBot) -> None:
    info = ModelInfo("tiny", "tiny", 32_000, 1000)
    dialog.addRequested.connect(lambda model: dialog.add_line(ModelLine(model, model, info)))
    qtbot.keyClicks(dialog.new, "tiny")
    qtbot.keyClick(dialog.new, Qt.Key.Key_Return)
    assert dialog.isVisible(), "Enter adds, it does not save"
    assert dialog.table.currentIndex().siblingAtColumn(Column.MODEL).data() == "tiny"
    _said, _names, added = _saved(dialog, qtbot)
    assert added == ("tiny",)


def test_a_list_that_is_fetched_again_keeps_what_was_typed(dialog: ProviderModels, qtbot: QtBot) -> None:
    _type(dialog, _cell(dialog, "o3-mini", Column.CONTEXT), "64k", qtbot)
    with qtbot.waitSignal(dialog.refreshRequested):
        qtbot.mouseClick(dialog.findChild(QPushButton, "providerModelsRefresh"), LEFT)
    dialog.show_lines([*model_lines()[1:3], ModelLine("new", "New", ModelInfo("", "", 8000, 1000))])
    assert [line.id for line in dialog.rows.lines][:3] == ["o3-mini", "swift-small", "new"]
    assert _cell(dialog, "o3-mini", Column.CONTEXT).data() == "64,000"
    assert _cell(dialog, "old-model", Column.OFFERED).data(Qt.ItemDataRole.CheckStateRole) is Qt.CheckState.Unchecked
