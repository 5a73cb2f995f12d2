from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QPushButton, QVBoxLayout
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.key_field import KeyField

KEY = "sk-not-a-key-0000"


@pytest.fixture
def field(qapp: QApplication, qtbot: QtBot) -> KeyField:
    made = KeyField(Theme(qapp, preference="light"), name="API key of OpenAI", object_name="key")
    qtbot.addWidget(made)
    made.show()
    return made


def test_the_eye_shows_what_was_pasted(field: KeyField, qtbot: QtBot) -> None:
    assert not field.eye.isVisible()
    field.insert(KEY)
    assert field.echoMode() is QLineEdit.EchoMode.Password
    qtbot.mouseClick(field.eye, Qt.MouseButton.LeftButton)
    assert (field.echoMode(), field.eye.accessibleName()) == (QLineEdit.EchoMode.Normal, "Hide the key")
    field.clear()
    assert field.echoMode() is QLineEdit.EchoMode.Password
    assert not field.eye.isVisible()


def test_a_paste_is_told_and_typing_is_not(field: KeyField, qtbot: QtBot) -> None:
    pasted: list[str] = []
    field.pasted.connect(pasted.append)
    qtbot.keyClicks(field, KEY)
    assert pasted == []
    field.clear()
    QApplication.clipboard().setText(f"  {KEY}\n")
    qtbot.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert pasted == [KEY]
    field.clear()
    field.paste()
    assert pasted == [KEY, KEY], "from the menu as well"


def test_enter_submits_the_key_and_presses_no_button_of_the_dialog(qapp: QApplication, qtbot: QtBot) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    column = QVBoxLayout(dialog)
    field = KeyField(Theme(qapp, preference="light"), name="API key", object_name="key")
    button = QPushButton("Save")
    button.setDefault(True)
    column.addWidget(field)
    column.addWidget(button)
    pressed: list[bool] = []
    button.clicked.connect(pressed.append)
    dialog.show()
    field.setFocus()
    field.setText(KEY)
    with qtbot.waitSignal(field.submitted) as submitted:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert (submitted.args, pressed) == ([KEY], [])
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    assert dialog.isVisible()


def test_text_copied_along_with_a_key_is_left_out(field: KeyField) -> None:
    field.setText(f"export OPENAI_API_KEY='{KEY}'")
    assert field.key() == KEY
