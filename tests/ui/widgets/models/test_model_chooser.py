"""Choosing among many models: searched, marked, liked and chosen by keys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QPixmap, QRegion
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.settings.model_fields import ModelField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from chatdesk.ui.widgets.models.model_picker import ModelPicker
from chatdesk.ui.widgets.models.model_rows import CURRENT_ROLE, rows_of

MODELS = [
    ("router", "Router", [(f"maker{number % 20}/model-{number}", f"Model {number}") for number in range(420)]),
    ("local", "Ollama", [("qwen3:8b", "qwen3:8b"), ("llama3", "Little llama")]),
]
LIKED = {("local", "llama3")}


@pytest.fixture
def picker(theme: Theme, qtbot: QtBot) -> Iterator[ModelPicker]:
    window = QWidget()
    window.resize(600, 500)
    qtbot.addWidget(window)
    made = ModelPicker(theme, parent=window)
    made.set_models(MODELS)
    made.set_liked(LIKED)
    made.set_current("router", "maker7/model-7")
    window.show()
    yield made
    window.close()


def _open(picker: ModelPicker, qtbot: QtBot) -> ModelChooser:
    qtbot.keyClick(picker, Qt.Key.Key_Down)
    chooser = picker.findChild(ModelChooser)
    assert isinstance(chooser, ModelChooser)
    assert chooser.isVisible()
    return chooser


def test_liked_models_come_first_and_each_provider_has_a_heading() -> None:
    rows = rows_of(MODELS, "", LIKED)
    assert [row.label for row in rows if row.is_heading] == ["Favourites", "Router", "Ollama"]
    assert (rows[1].label, rows[1].more) == ("Little llama", "Ollama")
    assert len(rows) == 422 + 3 + 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ollama", ["Little llama", "qwen3:8b", "Little llama"]),
        ("LLAMA little", ["Little llama", "Little llama"]),
        ("maker3/ 223", ["Model 223"]),
        ("nothing like it", []),
    ],
)
def test_every_word_must_stand_somewhere(words: str, found: list[str]) -> None:
    labels = [row.label for row in rows_of(MODELS, words, LIKED) if not row.is_heading]
    assert labels == found


def test_a_model_is_found_by_typing_and_chosen_by_enter(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    marked = chooser.rows.row(chooser.list.currentIndex())
    assert marked is not None
    assert marked.model == "maker7/model-7", "what is used now is marked"
    qtbot.keyClicks(chooser.search, "qwen")
    with qtbot.waitSignal(picker.modelChosen) as chosen:
        qtbot.keyClick(chooser.search, Qt.Key.Key_Return)
    assert chosen.args == ["local", "qwen3:8b"]
    assert not chooser.isVisible()
    assert picker.text() == "qwen3:8b"


def test_the_keys_move_over_headings(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    qtbot.keyClicks(chooser.search, "ollama")
    seen = []
    for _ in range(3):
        row = chooser.rows.row(chooser.list.currentIndex())
        assert row is not None
        seen.append(row.label)
        qtbot.keyClick(chooser.search, Qt.Key.Key_Down)
    assert seen == ["Little llama", "qwen3:8b", "Little llama"]
    assert not chooser.grab().isNull()
    qtbot.keyClick(chooser, Qt.Key.Key_Escape)
    assert not chooser.isVisible()


def test_a_favourite_is_marked_by_a_key(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    with qtbot.waitSignal(picker.likeToggled) as liked:
        qtbot.keyClick(chooser.search, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert liked.args == ["router", "maker7/model-7", True]
    with qtbot.waitSignal(picker.likeToggled) as unliked:
        qtbot.keyClick(chooser.search, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert unliked.args[2] is False
    picker.set_liked(set())
    picker.set_models(MODELS)
    assert chooser.isVisible()
    chooser.close()


def test_words_that_nothing_has_are_said_and_choose_nothing(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    chosen: list[object] = []
    chooser.chosen.connect(lambda *given: chosen.append(given))
    qtbot.keyClicks(chooser.search, "zzz")
    assert chooser.findChild(QLabel, "modelChooserNote").isVisible()
    qtbot.keyClick(chooser.search, Qt.Key.Key_Return)
    qtbot.keyClick(chooser.search, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert chosen == []
    chooser.close()


def test_the_buttons_ask(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    refresh, compare = (chooser.findChild(QAbstractButton, name) for name in ("modelRefresh", "modelCompare"))
    with qtbot.waitSignal(picker.refreshRequested):
        refresh.click()
    with qtbot.waitSignal(picker.compareRequested):
        compare.click()
    assert not chooser.isVisible()


def test_the_current_model_is_ticked(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    ticked = [row.data() for row in map(chooser.rows.index, range(chooser.rows.rowCount())) if row.data(CURRENT_ROLE)]
    assert ticked == ["Model 7  ·  maker7/model-7"]
    chooser.close()


def test_the_first_key_of_the_first_opening_goes_to_the_search(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    assert chooser.focusWidget() is chooser.search
    chooser.close()


def test_compared_models_are_ticked_and_one_click_ends_it(picker: ModelPicker, qtbot: QtBot) -> None:
    chooser = _open(picker, qtbot)
    leave = chooser.findChild(QAbstractButton, "modelStopComparing")
    assert leave.isHidden(), "one model answers"
    chooser.close()
    picker.set_compared([("local", "qwen3:8b"), ("router", "maker7/model-7")])
    picker.set_current("", "Comparing 2 models")
    _open(picker, qtbot)
    ticked = {row.data() for row in map(chooser.rows.index, range(chooser.rows.rowCount())) if row.data(CURRENT_ROLE)}
    assert ticked == {"qwen3:8b", "Model 7  ·  maker7/model-7"}
    assert leave.accessibleName() == "Stop comparing"
    with qtbot.waitSignal(picker.compareLeft):
        leave.click()
    assert not chooser.isVisible()


def test_a_field_of_a_dialog_chooses_a_model_or_none(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    window.resize(600, 500)
    qtbot.addWidget(window)
    field = ModelField(theme, MODELS, name="Titles", object_name="titles", blank="The thread's own", parent=window)
    field.set_value("local/llama3")
    window.show()
    assert (field.text(), field.accessibleName()) == ("Little llama (Ollama)", "Titles: Little llama (Ollama)")
    qtbot.keyClick(field, Qt.Key.Key_Down)
    chooser = field.findChild(ModelChooser)
    qtbot.keyClicks(chooser.search, "qwen")
    with qtbot.waitSignal(field.changed) as changed:
        qtbot.keyClick(chooser.search, Qt.Key.Key_Return)
    assert changed.args == ["local/qwen3:8b"]
    qtbot.keyClick(field, Qt.Key.Key_Return)
    for _ in range(chooser.rows.rowCount()):
        qtbot.keyClick(chooser.search, Qt.Key.Key_Up)
    with qtbot.waitSignal(field.changed) as cleared:
        qtbot.keyClick(chooser.search, Qt.Key.Key_Return)
    assert (cleared.args, field.text()) == ([""], "The thread's own")
    field.set_value("gone/model-1")
    assert field.text() == "model-1 (gone)"


def test_a_letter_among_thousands_of_models_takes_no_time() -> None:
    many = [("r", "R", [(f"maker/model-{number}", f"Model {number}") for number in range(5000)])]
    began = time.process_time()
    rows_of(many, "model", set())
    search_s = time.process_time() - began
    began = time.process_time()
    for number in range(5000):
        f"maker/model-{number} Model {number} R".casefold()
    assert search_s < 20 * (time.process_time() - began) + 0.05


def test_it_has_a_ground_of_its_own_and_round_corners(picker: ModelPicker, theme: Theme, qtbot: QtBot) -> None:
    """What is below a popup that blends must not be seen through it."""
    chooser = _open(picker, qtbot)
    picture = QPixmap(chooser.size())
    picture.fill(QColor("#ff00ff"))
    chooser.render(picture, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    image = picture.toImage()
    assert image.pixelColor(chooser.width() // 2, 3) == theme.colour("card")
    assert image.pixelColor(3, chooser.height() // 2) == theme.colour("card")
    assert image.pixelColor(0, 0) == QColor("#ff00ff"), "the corner is round"


@pytest.mark.parametrize("words", ["Compare models…", "Manage models…", "Add provider…"])
def test_enter_presses_the_button_that_tab_reached(picker: ModelPicker, qtbot: QtBot, words: str) -> None:
    chooser = _open(picker, qtbot)
    pressed = []
    for wish in (picker.compareRequested, picker.manageRequested, picker.addRequested):
        wish.connect(lambda: pressed.append(words))
    button = next(each for each in chooser.findChildren(QAbstractButton) if each.text() == words)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Return)
    assert pressed == [words]
    assert not chooser.isVisible()
