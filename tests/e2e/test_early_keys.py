"""What is typed at once after a command reaches the dialog that the command opens, and is never sent as a message."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListWidget, QWidget

from chatdesk.core.domain.prompt import PromptHead
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.composer.prompt_menu import PromptMenu
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.qt.early_keys import EarlyKeys
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


def test_settings_asked_for_again_at_once_leave_the_window_clear(tmp_path: Path) -> None:
    """The first request is given up, at whatever step of opening it is."""

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        for turns in range(8):
            application.panes.commands.trigger("app.settings")
            for _ in range(turns):
                await asyncio.sleep(0)
            application.panes.commands.trigger("app.settings")
            await until(lambda: opened("Settings"))
            settings = opened("Settings")
            assert settings is not None
            settings.reject()
            await until(lambda: opened("Settings") is None)
            shades = application.panes.window.findChildren(QWidget, "dialogShade")
            assert not [each for each in shades if each.isVisible()], turns

    play(AppPaths.find(tmp_path / "data"), script)


def test_making_a_dialog_shows_no_events_to_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that come in the next turn are held as always."""
    seen: list[str] = []
    handled = EarlyKeys.eventFilter

    def counted(keys: EarlyKeys, watched: QObject, event: QEvent) -> bool:
        seen.append(watched.objectName())
        return handled(keys, watched, event)

    monkeypatch.setattr(EarlyKeys, "eventFilter", counted)

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        early = EarlyKeys()
        early.set_base(application.panes.window, lambda _keys: False)
        async with asyncio.TaskGroup() as tasks:
            early.run(lambda: early.follow(tasks.create_task(asyncio.sleep(0))))
            with early.looking_away():
                QTest.keyClick(application.panes.window, Qt.Key.Key_Shift)
            assert not seen
            QTest.keyClick(application.panes.window, Qt.Key.Key_Shift)
            assert seen

    play(AppPaths.find(tmp_path / "data"), script)


def test_keys_wait_for_settings_that_are_still_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        monkeypatch.delitem(sys.modules, "chatdesk.ui.features.settings.settings_dialog", raising=False)
        QApplication.setKeyboardInputInterval(-1)  # as if each letter came too late to belong to the one before
        editor = application.panes.composer.editor
        QTest.keyClick(editor, *SETTINGS)
        assert opened("Settings") is None
        type_text(application, "usage")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        assert_nothing_sent(application)
        await until(lambda: opened("Settings"))
        settings = opened("Settings")
        assert settings is not None
        pages = settings.findChild(QListWidget)
        assert isinstance(pages, QListWidget)
        await until(lambda: pages.currentItem().text() == "Usage and limits")
        assert_nothing_sent(application)

    interval = QApplication.keyboardInputInterval()
    try:
        play(AppPaths.find(tmp_path / "data"), script)
    finally:
        QApplication.setKeyboardInputInterval(interval)


@pytest.mark.parametrize("command", ["prompt.library", "tag.manage", "app.usage", "project.new", "app.import"])
def test_no_dialog_lets_keys_go_to_the_composer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    shown: list[QWidget] = []
    opened_for_real = EarlyKeys.opened

    def note(keys: EarlyKeys, dialog: QWidget) -> None:
        shown.append(dialog)
        opened_for_real(keys, dialog)

    monkeypatch.setattr(EarlyKeys, "opened", note)

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        application.panes.commands.trigger(command)
        type_text(application, "prompts")
        QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_Return)
        assert_nothing_sent(application)
        await until(lambda: shown)
        assert_nothing_sent(application)

    play(AppPaths.find(tmp_path / "data"), script)


def test_what_is_typed_while_a_list_opens_in_the_window_is_for_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list has the keyboard before the task that opened it is known to be over."""
    fields: list[QWidget] = []
    opened_for_real = PromptMenu.open_to_search

    def type_at_once(menu: PromptMenu, heads: Sequence[PromptHead]) -> None:
        opened_for_real(menu, heads)
        fields.append(menu.field)
        QTest.keyClicks(menu.field, "greet")

    monkeypatch.setattr(PromptMenu, "open_to_search", type_at_once)

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        application.panes.commands.trigger("prompt.insert")
        await until(lambda: fields)
        await until(lambda: fields[0].text() == "greet")
        assert_nothing_sent(application)

    play(AppPaths.find(tmp_path / "data"), script)


@pytest.mark.parametrize("focus_moves", [False, True])
def test_keys_are_free_again_when_no_dialog_comes(tmp_path: Path, focus_moves: bool) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        if focus_moves:
            application.panes.transcript.setFocus()
        application.panes.commands.trigger("trash.empty")
        type_text(application, "x")
        application.panes.composer.editor.setFocus()
        assert application.panes.composer.text() == ""
        await until(lambda: (type_text(application, "o"), application.panes.composer.text())[1])
        assert set(application.panes.composer.text()) == {"o"}

    play(AppPaths.find(tmp_path / "data"), script)


@pytest.mark.parametrize(("command", "keys"), [("trash.empty", "no dialog comes"), ("app.usage", "a dialog comes")])
def test_what_is_typed_after_esc_is_for_the_window_behind(tmp_path: Path, command: str, keys: str) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await active(application)
        editor = application.panes.composer.editor
        editor.setFocus()
        application.panes.commands.trigger(command)
        type_text(application, "for the dialog")
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        type_text(application, keys)
        await until(lambda: application.panes.composer.text() == keys)

    play(AppPaths.find(tmp_path / "data"), script)
