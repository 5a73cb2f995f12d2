"""The parameters dialog: what the model has, what holds where nothing is set, words at the field that is wrong."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.model_info import Ability, ModelInfo
from chatdesk.core.domain.parameters import Parameters
from chatdesk.ui.features.chat.parameters import ParametersDialog, RangeField, Scope
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.theme.theme import Theme

ALL = ModelInfo("m", "Model M", 1000, 100, abilities=frozenset(Ability))
THINKS = ModelInfo("t", "Model T", 1000, 100, abilities=frozenset({Ability.REASONING}))


def _dialog(
    qapp: QApplication,
    qtbot: QtBot,
    own: Parameters = Parameters(),  # noqa: B008 - frozen
    wider: Parameters = Parameters(),  # noqa: B008 - frozen
    *,
    info: ModelInfo = ALL,
    scope: Scope = "thread",
) -> ParametersDialog:
    dialog = ParametersDialog(Theme(qapp), own, wider, info=info, scope=scope, name="Research")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def _row(dialog: ParametersDialog, name: str) -> SettingsRow:
    [row] = [each for each in dialog.findChildren(SettingsRow) if each.field.objectName() == f"parameter_{name}"]
    return row


def _line(dialog: ParametersDialog, name: str) -> QLineEdit:
    field = _row(dialog, name).field
    assert isinstance(field, QLineEdit)
    return field


def _problem(dialog: ParametersDialog, name: str) -> str:
    return _row(dialog, name).findChild(QLabel, "settingsProblem").text()


def test_only_what_the_model_has_is_offered(qapp: QApplication, qtbot: QtBot) -> None:
    names = ("temperature", "top_p", "answer_length", "reasoning_effort", "stop")
    assert _dialog(qapp, qtbot).shown == names
    thinking = _dialog(qapp, qtbot, info=THINKS)
    assert thinking.shown == ("answer_length", "reasoning_effort")
    said = [label.text() for label in thinking.findChildren(QLabel)]
    assert any("Model T has no temperature, top-p or stop words." in text for text in said)


def test_a_parameter_that_a_model_may_have_is_offered(qapp: QApplication, qtbot: QtBot) -> None:
    unclear = ModelInfo("u", "Model U", 1000, 100, unclear=frozenset(Ability))
    assert _dialog(qapp, qtbot, info=unclear).shown == _dialog(qapp, qtbot).shown


def test_each_field_names_the_value_that_it_follows(qapp: QApplication, qtbot: QtBot) -> None:
    wider = Parameters(temperature=0.5, reasoning_effort="low", stop=("END", "STOP"))
    dialog = _dialog(qapp, qtbot, Parameters(top_p=0.9), wider)
    assert _line(dialog, "temperature").placeholderText() == "Same as the project: 0.5"
    assert "as the project: 0.5" in _line(dialog, "temperature").accessibleDescription()
    assert _line(dialog, "top_p").text() == "0.9"
    assert _line(dialog, "answer_length").placeholderText() == "Up to 100"
    box = _row(dialog, "reasoning_effort").field
    assert isinstance(box, QComboBox) and box.currentText() == "Same as the project: Low"
    lines = _row(dialog, "stop").field
    assert isinstance(lines, QPlainTextEdit) and lines.placeholderText() == "Same as the project: END, STOP"


@pytest.mark.parametrize("words", ["Wie in der Vorgabe", "Igual ao projeto: 0,75"])
def test_the_followed_value_fits_beside_its_slider(qapp: QApplication, qtbot: QtBot, words: str) -> None:
    Theme(qapp).apply()
    field = RangeField("", words, most=1.0, resting=1.0)
    row = SettingsRow("Top-p", "", field)
    qtbot.addWidget(row)
    row.resize(572, 60)
    row.show()
    assert field.line.contentsRect().width() >= field.line.fontMetrics().horizontalAdvance(words)
    assert field.slider.width() >= 80
    assert not field.line.toolTip(), "with one the test of long words would not look"


def test_saving_gives_what_was_typed(qapp: QApplication, qtbot: QtBot) -> None:
    dialog = _dialog(qapp, qtbot, Parameters(top_p=0.9))
    _line(dialog, "temperature").setText(" 0,7 ")
    _line(dialog, "top_p").clear()
    _line(dialog, "answer_length").setText("2000")
    box, lines = _row(dialog, "reasoning_effort").field, _row(dialog, "stop").field
    assert isinstance(box, QComboBox) and isinstance(lines, QPlainTextEdit)
    box.setCurrentIndex(box.findData("high"))
    lines.setPlainText("END\n\n two words ")
    with qtbot.waitSignal(dialog.saved) as caught:
        dialog.findChild(QPushButton, "parametersSave").click()
    assert caught.args == [Parameters(0.7, None, 2000, "high", ("END", " two words "))]
    assert not dialog.isVisible()


def test_a_parameter_that_the_model_lacks_stays_unchanged(qapp: QApplication, qtbot: QtBot) -> None:
    dialog = _dialog(qapp, qtbot, Parameters(temperature=0.3, stop=("X",)), info=THINKS, scope="project")
    _line(dialog, "answer_length").setText("50")
    with qtbot.waitSignal(dialog.saved) as caught:
        assert dialog.apply()
    assert caught.args == [Parameters(temperature=0.3, answer_length=50, stop=("X",))]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("temperature", "hot", "Temperature must be a number, such as 0.7."),
        ("temperature", "3", "between 0 and 2"),
        ("temperature", "nan", "must be a number"),
        ("top_p", "-1", "between 0 and 1"),
        ("answer_length", "1.5", "must be a whole number"),
        ("answer_length", "0", "between 1 and 10,000,000"),
        ("stop", "a\nb\nc\nd\ne", "at most 4 stop words"),
    ],
)
def test_an_invalid_value_is_explained_at_its_field(
    qapp: QApplication, qtbot: QtBot, name: str, text: str, words: str
) -> None:
    dialog = _dialog(qapp, qtbot)
    field = _row(dialog, name).field
    assert isinstance(field, QLineEdit | QPlainTextEdit)
    field.setText(text) if isinstance(field, QLineEdit) else field.setPlainText(text)
    with qtbot.assertNotEmitted(dialog.saved):
        dialog.findChild(QPushButton, "parametersSave").click()
    assert dialog.isVisible()
    assert words in _problem(dialog, name)
    assert words in field.accessibleDescription()
    assert dialog.focusWidget() is field
    field.clear()
    assert dialog.apply()
    assert _problem(dialog, name) == ""
    assert words not in field.accessibleDescription()


def test_sliders_are_named_like_their_fields(qapp: QApplication, qtbot: QtBot) -> None:
    sliders = _dialog(qapp, qtbot).findChildren(QSlider)
    assert [each.accessibleName() for each in sliders] == ["Temperature", "Top-p"]


def test_reset_empties_every_field(qapp: QApplication, qtbot: QtBot) -> None:
    dialog = _dialog(qapp, qtbot, Parameters(0.1, 0.2, 3, "high", ("x",)), scope="project")
    assert dialog.windowTitle() == "Parameters of the project Research"
    dialog.findChild(QPushButton, "parametersReset").click()
    with qtbot.waitSignal(dialog.saved) as caught:
        dialog.apply()
    assert caught.args == [Parameters()]


def test_it_is_used_by_keys_alone(qapp: QApplication, qtbot: QtBot) -> None:
    dialog = _dialog(qapp, qtbot)
    assert dialog.focusWidget() is _line(dialog, "temperature")
    qtbot.keyClicks(_line(dialog, "temperature"), "1")
    for expected in ("top_p", "answer_length", "reasoning_effort", "stop"):
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        assert dialog.focusWidget() is _row(dialog, expected).field
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    assert isinstance(dialog.focusWidget(), QPushButton)
    _line(dialog, "temperature").setFocus()
    with qtbot.waitSignal(dialog.saved) as caught:
        qtbot.keyClick(_line(dialog, "temperature"), Qt.Key.Key_Return)
    assert caught.args == [Parameters(temperature=1.0)]
