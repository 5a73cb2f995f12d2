"""What is typed at once after a command reaches the dialog that the command opens, and is never sent as a message."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QListWidget

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.panel import Panel
from tests.helpers.window import ask, play, type_text, until

NONE, CONTROL, SHIFT = Qt.NoModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
COMMANDS, SEARCH, SETTINGS = (Qt.Key.Key_P, CONTROL | SHIFT), (Qt.Key.Key_K, CONTROL), (Qt.Key.Key_Comma, CONTROL)


def opened(name: str) -> Panel | None:
    """The dialog of this title that is in view."""
    shown = [each for each in QApplication.topLevelWidgets() if isinstance(each, Panel) and each.isVisible()]
    return next((each for each in shown if each.windowTitle() == name), None)


async def active(application: WindowApplication) -> None:
    window = application.panes.window
    window.activateWindow()
    await until(window.isActiveWindow)


def assert_nothing_sent(application: WindowApplication) -> None:
    assert application.panes.composer.text() == ""
    assert len(application.panes.transcript.entries) == 2


@pytest.mark.parametrize("keys", [COMMANDS, SEARCH])
@pytest.mark.parametrize("is_after_settings", [False, True])
def test_a_word_and_enter_typed_at_once_are_for_the_palette(
    tmp_path: Path, keys: tuple[Qt.Key, Qt.KeyboardModifier], is_after_settings: bool
) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        panes = application.panes
        editor = panes.composer.editor
        await active(application)
        editor.setFocus()
        if is_after_settings:
            panes.commands.trigger("app.settings")
            await until(lambda: opened("Settings"))
            settings = opened("Settings")
            assert settings is not None
            await until(settings.isActiveWindow)
            QTest.keyClick(settings, Qt.Key.Key_Escape)
        before = panes.theme.tokens.background
        QTest.keyClick(editor, *keys)
        palette = application.bindings.search.palette
        assert palette is not None
        type_text(application, "switch theme")
        QTest.keyClick(editor, Qt.Key.Key_N, CONTROL)
        assert palette.field.text() == ("> switch theme" if keys == COMMANDS else "switch theme")
        assert application.threads.thread_id is not None, "no command of the window behind"
        QTest.keyClick(editor, Qt.Key.Key_Return)
        assert application.bindings.search.palette is None
        assert panes.theme.tokens.background != before
        assert_nothing_sent(application)
        type_text(application, "on")
        assert panes.composer.text() == "on", "the palette has closed: what follows is for the window again"

    play(AppPaths.find(tmp_path / "data"), script)


def test_the_key_that_closes_settings_may_be_followed_at_once(tmp_path: Path) -> None:
    """Keys that the system had given to the closed dialog are for the window behind it."""

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        application.panes.commands.trigger("app.settings")
        await until(lambda: opened("Settings"))
        settings = opened("Settings")
        assert settings is not None
        QTest.keyClick(settings, Qt.Key.Key_Escape)
        QTest.keyClick(settings, *COMMANDS)
        QTest.keyClicks(settings, "theme")
        palette = application.bindings.search.palette
        assert palette is not None and palette.field.text() == "> theme"
        assert_nothing_sent(application)

    play(AppPaths.find(tmp_path / "data"), script)


def test_settings_asked_for_again_are_shown_once(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        application.panes.commands.trigger("app.settings")
        settings = opened("Settings")
        assert settings is not None
        application.panes.commands.trigger("app.shortcuts")
        dialogs = [each for each in QApplication.topLevelWidgets() if each.windowTitle() == "Settings"]
        assert [each for each in dialogs if each.isVisible()] == [settings]
        pages = settings.findChild(QListWidget, "settingsPages")
        assert isinstance(pages, QListWidget) and pages.currentItem().text() == "Shortcuts"
        settings.reject()
        application.panes.commands.trigger("app.settings")
        assert opened("Settings") not in (None, settings)

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_word_and_enter_typed_at_once_are_for_the_settings(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        editor = application.panes.composer.editor
        editor.setFocus()
        QTest.keyClick(editor, *SETTINGS)
        settings = opened("Settings")
        assert settings is not None
        type_text(application, "usage")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        pages = settings.findChild(QListWidget)
        assert isinstance(pages, QListWidget)
        await until(lambda: pages.currentItem().text() == "Usage and limits")
        assert_nothing_sent(application)

    play(AppPaths.find(tmp_path / "data"), script)


def test_nothing_is_watched_once_the_dialog_has_the_keyboard(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        application.panes.commands.trigger("app.settings")
        settings = opened("Settings")
        assert settings is not None
        await until(settings.isActiveWindow)
        type_text(application, "for the window")
        assert application.panes.composer.text() == "for the window"

    play(AppPaths.find(tmp_path / "data"), script)


def _press(application: WindowApplication, name: str) -> None:
    button = application.panes.window.findChild(QAbstractButton, name)
    assert button is not None and button.isVisible() and button.isEnabled(), name
    button.click()


@pytest.mark.parametrize("early", ["settingsButton", "app.settings", "newThreadButton", "go.search"])
def test_what_is_pressed_before_the_data_is_open_is_done_then(tmp_path: Path, early: str) -> None:
    paths = AppPaths.find(tmp_path / "data")

    async def leave_open(application: WindowApplication) -> None:
        await ask(application, "hello")

    async def script(application: WindowApplication) -> None:
        assert not application.started.done()
        if early.endswith("Button"):
            _press(application, early)
        else:
            assert application.panes.commands.trigger(early)
        await application.services()
        if early == "newThreadButton":
            await until(lambda: application.threads.has_shown and application.threads.thread_id is None)
        elif early == "go.search":
            await until(lambda: application.bindings.search.palette)
        else:
            await until(lambda: opened("Settings"))

    play(paths, leave_open)
    play(paths, script)
