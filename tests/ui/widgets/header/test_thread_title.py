"""A title that comes while one types stays out of the way."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.header.thread_header import ThreadHeader


@pytest.fixture
def header(qapp: QApplication, qtbot: QtBot) -> ThreadHeader:
    header = ThreadHeader(Theme(qapp))
    qtbot.addWidget(header)
    header.set_title("From the text")
    header.show()
    header.start_title_edit()
    return header


def test_typed_text_is_kept_when_the_models_title_comes(header: ThreadHeader, qtbot: QtBot) -> None:
    qtbot.keyClicks(header.title.field, "Mine")
    header.set_title("From the model", keeps_edit=True)
    assert header.title.is_editing and header.title.field.text() == "Mine"
    with qtbot.waitSignal(header.titleEdited) as caught:
        qtbot.keyClick(header.title.field, Qt.Key.Key_Return)
    assert caught.args == ["Mine"]


def test_an_untouched_field_does_not_take_the_model_s_title_back(header: ThreadHeader, qtbot: QtBot) -> None:
    header.set_title("From the model", keeps_edit=True)
    with qtbot.assertNotEmitted(header.titleEdited):
        qtbot.keyClick(header.title.field, Qt.Key.Key_Return)
    assert header.title.label.text() == "From the model"


def test_another_thread_ends_the_edit(header: ThreadHeader) -> None:
    header.set_title("Another thread")
    assert not header.title.is_editing


def test_some_words_of_the_title_stay_where_a_long_model_has_little_room(header: ThreadHeader, qtbot: QtBot) -> None:
    header.set_models([("vendor", "Vendor", [("large", "A model with a very long name indeed")])])
    header.set_current("vendor", "large")
    header.set_title("A table of all the planets and their moons")
    header.show()
    header.resize(320, header.height())
    few_words = header.title.label.fontMetrics().horizontalAdvance("A table of")
    qtbot.waitUntil(lambda: header.title.label.width() > few_words)
    header.resize(1200, header.height())
    qtbot.waitUntil(lambda: header.model_picker.width() == header.model_picker.sizeHint().width())
