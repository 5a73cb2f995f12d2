"""Where a key can be is asked when there is a key: the keyring takes time and memory that others do not need."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from chatdesk.ui.features.providers.provider_form import ProviderForm
from chatdesk.ui.theme.theme import Theme
from tests.gallery.provider_samples import NO_KEYRING

KEYRING = replace(NO_KEYRING, has_keyring=True, keyring="SecretService")
KEY = "gsk_" + "a1" * 20


class Seen:
    def __init__(self, fields: ProviderForm) -> None:
        self.wanted = 0
        self.connected: list[str] = []
        fields.keyStateWanted.connect(self._on_wanted)
        fields.testRequested.connect(lambda _profile, key: self.connected.append(key))

    def _on_wanted(self) -> None:
        self.wanted += 1


@pytest.fixture
def fields(qapp: QApplication, qtbot: QtBot) -> ProviderForm:
    made = ProviderForm(Theme(qapp, preference="light"))
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def seen(fields: ProviderForm) -> Seen:
    return Seen(fields)


def _paste(fields: ProviderForm, key: str, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText(key)
    fields.key.field.setFocus()
    QTest.keyClick(fields.key.field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: fields.key.field.isVisible())  # the one of the vendor that was told by the key


def test_the_place_of_keys_is_asked_once_and_not_before_there_is_one(fields: ProviderForm, seen: Seen) -> None:
    fields.focus_first_field()
    assert seen.wanted == 0
    QTest.keyClicks(fields.key.field, "sk-1")
    assert seen.wanted == 1


def test_a_pasted_key_connects_as_soon_as_its_place_is_known(fields: ProviderForm, seen: Seen, qtbot: QtBot) -> None:
    _paste(fields, KEY, qtbot)
    assert fields.vendor.currentText() == "Groq"
    assert (seen.wanted, seen.connected) == (1, [])
    fields.show_key_state(KEYRING)
    assert seen.connected == [KEY]
    fields.show_key_state(KEYRING)
    assert seen.connected == [KEY]


def test_a_press_of_connect_waits_for_the_place(fields: ProviderForm, seen: Seen) -> None:
    QTest.keyClicks(fields.key.field, "sk-typed-by-hand")
    fields.test_button.click()
    assert seen.connected == []
    fields.show_key_state(KEYRING)
    assert seen.connected == ["sk-typed-by-hand"]


def test_without_a_keyring_the_person_says_first_where_the_key_goes(
    fields: ProviderForm, seen: Seen, qtbot: QtBot
) -> None:
    _paste(fields, KEY, qtbot)
    fields.show_key_state(NO_KEYRING)
    assert seen.connected == []
    assert fields.key.place_box.isVisible()
    fields.test_button.click()
    assert seen.connected == [KEY]


def test_a_key_that_changed_meanwhile_is_not_sent(fields: ProviderForm, seen: Seen, qtbot: QtBot) -> None:
    _paste(fields, KEY, qtbot)
    QTest.keyClick(fields.key.field, Qt.Key.Key_Backspace)
    fields.show_key_state(KEYRING)
    assert seen.connected == []
    fields.test_button.click()
    assert seen.connected == [KEY[:-1]]


def test_presets_are_offered_and_a_server_of_ones_own_has_the_name_of_its_host(
    fields: ProviderForm, qtbot: QtBot
) -> None:
    labels = [fields.vendor.itemText(place) for place in range(fields.vendor.count())]
    assert {"OpenAI", "Anthropic", "OpenRouter", "Ollama", "Own server"} <= set(labels)
    fields.vendor.setCurrentIndex(labels.index("Own server"))
    fields.address.setText("gate.example:8080")
    with qtbot.waitSignal(fields.testRequested) as connected:
        fields.test_button.click()
    assert (connected.args[0].label, connected.args[0].base_url) == ("gate.example", "https://gate.example:8080/v1")


def test_a_server_of_ones_own_is_one_click_away(fields: ProviderForm, qtbot: QtBot) -> None:
    fields.show()
    qtbot.mouseClick(fields.own_button, Qt.MouseButton.LeftButton)
    assert fields.vendor.currentText() == "Own server"
    assert fields.focusWidget() is fields.address
    assert fields.own_button.isHidden()
    fields.vendor.setCurrentIndex(0)
    assert fields.own_button.isVisible()


@pytest.mark.parametrize("scale", [1.0, 1.25, 2.0])
def test_in_a_narrow_column_nothing_is_cut(qapp: QApplication, qtbot: QtBot, scale: float) -> None:
    fields = ProviderForm(Theme(qapp, preference="light", scale=scale))
    column = QScrollArea()  # as the first screen has it: it gives no widget less room than it needs
    qtbot.addWidget(column)
    column.setWidgetResizable(True)
    column.setWidget(fields)
    column.resize(round(360 * scale), 400)
    column.show()
    qtbot.waitUntil(fields.test_button.isVisible)
    assert column.horizontalScrollBar().maximum() == 0
    for widget in (fields.vendor, fields.own_button, fields.key, fields.test_button):
        assert widget.geometry().right() < fields.width()
