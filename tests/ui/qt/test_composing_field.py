"""A word that an input method composes stands alone in every field that has a placeholder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QImage, QInputMethodEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from pytestqt.qtbot import QtBot

from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.features.chat.parameters import StopLines
from chatdesk.ui.features.settings.settings_fields import TextLines
from chatdesk.ui.theme.theme import Theme

_FIELDS: dict[str, Callable[[Theme], QPlainTextEdit]] = {
    "composer": lambda _theme: TextEditor(),
    "dialogs": lambda theme: TextField(theme, name="x", object_name="x", most=100),
    "parameters": lambda _theme: StopLines(),
    "settings": lambda _theme: TextLines("", ""),
}


def _picture(field: QPlainTextEdit) -> QImage:
    field.setCursorWidth(0)  # it blinks
    return field.viewport().grab().toImage()


@pytest.mark.parametrize("name", _FIELDS)
def test_a_word_that_is_composed_is_not_drawn_over_the_placeholder(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    field = _FIELDS[name](Theme(qapp, preference="light"))
    qtbot.addWidget(field)
    field.resize(400, 80)
    empty = _picture(field)
    field.setPlaceholderText("What to write here, in a row of words")
    with_placeholder = _picture(field)
    assert with_placeholder != empty
    QApplication.sendEvent(field, QInputMethodEvent("nihon", []))
    composing = _picture(field)
    field.setPlaceholderText("")
    assert _picture(field) == composing
    field.setPlaceholderText("What to write here, in a row of words")
    QApplication.sendEvent(field, QInputMethodEvent("", []))
    assert _picture(field) == with_placeholder
