"""Dialogs as a person uses them: by keys, by clicks, and never waited for."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.notice import AboutDialog, NoticeDialog
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.sidebar.project_badge import ProjectBadge
from chatdesk.ui.theme.theme import Theme
from tests.helpers.settings_pages import row_of

HOSTILE = "<img src='file:///etc/passwd'> & <b>bold</b>"


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> QWidget:
    made = QWidget()
    made.resize(900, 640)
    qtbot.addWidget(made)
    made.show()
    return made


def _shade(window: QWidget) -> QWidget | None:
    return next((each for each in window.findChildren(QWidget, "dialogShade") if each.isVisible()), None)


def test_an_open_dialog_dims_the_window_until_it_closes(window: QWidget, theme: Theme, qtbot: QtBot) -> None:
    dialog = AboutDialog(theme, parent=window)
    dialog.open()
    assert _shade(window) is not None
    assert _shade(window).geometry() == window.rect()
    assert not window.grab().isNull()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert _shade(window) is None


def test_a_window_dimmed_ahead_of_its_dialog_is_dimmed_once(window: QWidget, theme: Theme) -> None:
    dialog = AboutDialog(theme, parent=window)
    dialog.dim()
    shade = _shade(window)
    assert shade is not None and not dialog.isVisible()
    dialog.open()
    assert [each for each in window.findChildren(QWidget, "dialogShade") if each.isVisible()] == [shade]
    assert window.frameGeometry().contains(dialog.frameGeometry().center())
    dialog.reject()
    assert _shade(window) is None


def test_a_window_dimmed_for_a_dialog_that_is_not_shown_is_clear_again(window: QWidget, theme: Theme) -> None:
    dialog = AboutDialog(theme, parent=window)
    dialog.dim()
    dialog.undim()
    assert _shade(window) is None
    dialog.deleteLater()


@pytest.mark.parametrize(("press", "answer"), [("confirmYes", True), ("confirmNo", False), (None, False)])
def test_a_question_is_answered_once(
    window: QWidget, theme: Theme, qtbot: QtBot, press: str | None, answer: bool
) -> None:
    dialog = ConfirmDialog(theme, "Delete?", HOSTILE, yes_text="Delete", is_dangerous=True, parent=window)
    answers: list[bool] = []
    dialog.answered.connect(answers.append)
    dialog.open()
    assert dialog.focusWidget() is dialog.findChild(QPushButton, "confirmNo")
    if press is None:
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    else:
        qtbot.waitUntil(lambda: not dialog.is_unread)
        qtbot.mouseClick(dialog.findChild(QPushButton, press), Qt.MouseButton.LeftButton)
    assert answers == [answer]


def test_dialogs_show_text_as_it_stands(window: QWidget, theme: Theme) -> None:
    notice = NoticeDialog(theme, "A title", HOSTILE, parent=window)
    confirm = ConfirmDialog(theme, HOSTILE, "why", yes_text="Yes", parent=window)
    for dialog in (notice, confirm):
        labels = [label for label in dialog.findChildren(QLabel) if label.text() == HOSTILE]
        assert len(labels) == 1
        assert labels[0].textFormat() is Qt.TextFormat.PlainText


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_every_dialog_fits_into_a_small_window(window: QWidget, theme: Theme, scale: float) -> None:
    theme.set_scale(scale)
    registry = CommandRegistry(window, CATALOGUE)
    registry.bind("thread.new", lambda: None)
    values = {"theme": "system", "text_scale": 1.0, "provider": "auto", "openai_model": ""}
    dialogs: list[Panel] = [
        AboutDialog(theme, parent=window),
        SettingsDialog(theme, values, parent=window),
    ]
    for dialog in dialogs:
        dialog.open()
        assert dialog.width() <= window.width()
        assert dialog.height() <= window.height()
        assert dialog.accessibleName()
        assert not dialog.grab().isNull()
        dialog.reject()
    about = AboutDialog(theme, parent=window)
    about.open()
    assert any("ChatDesk" in label.text() for label in about.findChildren(QLabel))
    about.reject()


def test_a_setting_that_a_variable_decides_cannot_be_changed(window: QWidget, theme: Theme) -> None:
    values = {"theme": "dark", "openai_model": "tiny"}
    dialog = SettingsDialog(theme, values, fixed=frozenset({"openai_model"}), parent=window)
    assert not row_of(dialog, "openai_model").field.isEnabled()
    shown = [label.text() for label in dialog.findChildren(QLabel)]
    assert any("CHATDESK_MODEL" in text for text in shown)


def test_tab_reaches_what_a_page_was_filled_with_before_the_buttons(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    dialog = SettingsDialog(theme, {"theme": "system"}, parent=window)
    content = QWidget()
    column = QVBoxLayout(content)
    for name in ("first", "second"):
        button = QPushButton(name)
        button.setObjectName(name)
        column.addWidget(button)
    dialog.open()
    dialog.fill_page("Team sync", lambda: content)
    dialog.show_page("Team sync")
    qtbot.waitUntil(content.isVisible)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.findChild(QListWidget, "settingsPages").setFocus()
    reached = []
    for _ in range(4):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget().objectName())
    assert reached == ["first", "second", "settingsClose", "settingsSearch"]
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.focusWidget().objectName() == "settingsClose"
    dialog.reject()


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize(("colour", "fill"), [("#336699", "#336699"), ("javascript:", None), ("#zzz", None)])
def test_the_project_badge_shows_its_colour_or_the_accent(
    theme: Theme, qtbot: QtBot, direction: Qt.LayoutDirection, colour: str, fill: str | None
) -> None:
    badge = ProjectBadge(theme)
    qtbot.addWidget(badge)
    badge.setLayoutDirection(direction)
    badge.resize(200, 24)
    assert not badge.grab().isNull()  # before it has a project there is nothing to draw
    badge.set_project(HOSTILE, colour)
    assert badge.accessibleName() == f"Project {HOSTILE}"
    assert badge.sizeHint().height() == 28
    image = badge.grab().toImage()
    left = 2 if direction is Qt.LayoutDirection.LeftToRight else 197
    place = QPoint(round(left * image.devicePixelRatio()), image.height() // 2)
    wanted = QColor(fill) if fill else theme.colour("accent")
    assert image.pixelColor(place).name() == wanted.name()
