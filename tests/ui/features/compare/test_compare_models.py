"""Choosing the models that are asked at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.compare.compare_models import CompareModelsDialog
from chatdesk.ui.theme.theme import Theme

LONG = "maker/a-model-whose-name-is-much-longer-than-any-dialog-that-one-would-want-to-look-at-" + "x" * 60
MODELS = [("openai", "OpenAI", [("gpt-4o", "gpt-4o"), ("o3", "o3")]), ("router", "Router", [(LONG, LONG)])]


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    yield made
    made.deleteLater()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(900, 640)
    qtbot.addWidget(made)
    made.show()
    return made


def opened(
    theme: Theme, window: QWidget, *, current: list[tuple[str, str]], is_comparing: bool = False
) -> CompareModelsDialog:
    dialog = CompareModelsDialog(theme, MODELS, current, is_comparing=is_comparing, parent=window)
    dialog.open()
    return dialog


def box(dialog: CompareModelsDialog, name: str) -> QCheckBox:
    return next(each for each in dialog.findChildren(QCheckBox) if each.accessibleName() == name)


def test_the_model_that_answers_now_is_ticked_and_one_more_is_enough(
    theme: Theme, window: QWidget, qtbot: QtBot
) -> None:
    dialog = opened(theme, window, current=[("openai", "gpt-4o")])
    assert box(dialog, "gpt-4o of OpenAI").isChecked()
    assert not dialog.accept_button.isEnabled()
    assert dialog.findChild(QPushButton, "compareNone").isHidden(), "there is nothing to stop"
    box(dialog, "o3 of OpenAI").click()
    qtbot.waitUntil(lambda: not dialog.is_unread)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert chosen.args == [[("openai", "gpt-4o"), ("openai", "o3")]]


@pytest.mark.parametrize("is_comparing", [False, True])
def test_enter_compares_where_two_are_ticked_already(
    theme: Theme, window: QWidget, qtbot: QtBot, is_comparing: bool
) -> None:
    ticked = [("openai", "gpt-4o"), ("openai", "o3")]
    dialog = opened(theme, window, current=ticked, is_comparing=is_comparing)
    first = dialog.search if is_comparing else dialog.accept_button
    qtbot.waitUntil(lambda: dialog.focusWidget() is first)
    dialog.reject()


def test_a_click_anywhere_in_its_row_ticks_a_model(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    dialog = opened(theme, window, current=[])
    row = box(dialog, "o3 of OpenAI")
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.rect().center())
    assert row.isChecked()
    assert row.width() > 300


def test_models_that_a_server_tells_later_come_into_the_open_dialog(
    theme: Theme, window: QWidget, qtbot: QtBot
) -> None:
    dialog = opened(theme, window, current=[("openai", "gpt-4o")])
    box(dialog, "o3 of OpenAI").setFocus()
    dialog.show_models([*MODELS, ("local", "Local", [("tiny", "tiny")])])
    assert dialog.focusWidget() is box(dialog, "o3 of OpenAI")
    assert dialog.selected() == [("openai", "gpt-4o")]
    qtbot.waitUntil(lambda: box(dialog, "tiny of Local").isVisible())
    box(dialog, "tiny of Local").click()
    assert dialog.accept_button.isEnabled()
    dialog.show_models([MODELS[0]])
    assert dialog.selected() == [("openai", "gpt-4o")]
    assert not dialog.accept_button.isEnabled(), "the other model is gone"


def test_models_that_are_known_late_are_ticked_until_a_person_ticks(theme: Theme, window: QWidget) -> None:
    dialog = opened(theme, window, current=[])
    both = [("openai", "gpt-4o"), ("openai", "o3")]
    dialog.show_models(MODELS, both)
    assert dialog.selected() == both
    box(dialog, "o3 of OpenAI").click()
    dialog.show_models(MODELS, both)
    assert dialog.selected() == both[:1]
    dialog.reject()


def test_comparing_can_be_stopped_here(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    dialog = opened(theme, window, current=[("openai", "gpt-4o"), ("openai", "o3")], is_comparing=True)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        qtbot.mouseClick(dialog.findChild(QPushButton, "compareNone"), Qt.MouseButton.LeftButton)
    assert chosen.args == [[]]


def test_models_are_found_by_their_words_and_those_of_their_provider(
    theme: Theme, window: QWidget, qtbot: QtBot
) -> None:
    dialog = opened(theme, window, current=[])

    def shown() -> list[str]:
        return [each.accessibleName() for each in dialog.findChildren(QCheckBox) if each.isVisible()]

    qtbot.keyClicks(dialog.search, "openai 4o")
    assert shown() == ["gpt-4o of OpenAI"]
    dialog.search.setText("router")
    assert shown() == [f"{LONG} of Router"]
    dialog.search.clear()
    assert len(shown()) == 3


def test_a_long_name_is_cut_and_its_tooltip_has_all_of_it(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    dialog = opened(theme, window, current=[])
    long = box(dialog, f"{LONG} of Router")
    qtbot.waitUntil(lambda: "…" in long.text())
    scroll = dialog.findChild(QScrollArea)
    assert scroll.horizontalScrollBar().maximum() == 0
    assert long.text().startswith("maker/") and long.text().endswith("xxx")
    assert LONG in long.toolTip().replace("\n", "")
