"""The look that a person chose is kept in one place, the settings."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtWidgets import QComboBox, QPlainTextEdit

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import SettingsStore
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from tests.helpers.asked_team import shown
from tests.helpers.settings_pages import row_of
from tests.helpers.window import play, until

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    found = AppPaths.find(tmp_path / "profile")
    found.make_directories()
    return found


def _loaded(paths: AppPaths) -> Settings:
    return SettingsStore(paths.settings_file).load(environ={}).settings


def test_changes_by_command_or_key_are_in_the_settings(paths: AppPaths) -> None:
    async def change(application: WindowApplication) -> None:
        await application.services()
        application.panes.theme.set_preference("dark")
        application.panes.theme.set_scale(1.25)
        await until(lambda: (_loaded(paths).theme, _loaded(paths).text_scale) == ("dark", 1.25))

    async def look(application: WindowApplication) -> None:
        assert application.panes.theme.preference == "dark"
        assert application.panes.theme.scale == 1.25

    play(paths, change)
    play(paths, look, _loaded(paths))
    assert not {"theme", "scale"} & json.loads(paths.window_state.read_text("utf-8")).keys()


def test_a_setting_of_a_variable_is_disabled_in_the_dialog(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATDESK_TRASH_DAYS", "9")

    async def script(application: WindowApplication) -> None:
        await application.services()
        application.panes.commands.trigger("app.settings")
        dialog = await shown(SettingsDialog)
        assert not row_of(dialog, "trash_days").field.isEnabled()
        assert row_of(dialog, "send_on_enter").field.isEnabled()
        dialog.reject()

    play(paths, script)


def test_a_change_in_the_dialog_is_used_and_kept(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.panes.commands.trigger("app.settings")
        dialog = await shown(SettingsDialog)
        dialog.applied.emit({"theme": "dark", "text_scale": 1.5, "provider": "openai", "unknown": 1})
        dialog.reject()
        await until(lambda: services.settings.provider == "openai")
        await until(lambda: _loaded(paths).provider == "openai")
        assert (application.panes.theme.preference, application.panes.theme.scale) == ("dark", 1.5)
        assert services.providers.default()[0] == "openai"

    play(paths, script)
    assert (_loaded(paths).theme, _loaded(paths).text_scale) == ("dark", 1.5)


def test_a_look_is_seen_and_kept_at_once(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        theme = application.panes.theme
        theme.set_preference("light")
        await until(lambda: _loaded(paths).theme == "light")
        application.bindings.settings.open()
        dialog = await shown(SettingsDialog)
        for name, words in (("theme", "Dark"), ("text_scale", "125%")):
            field = row_of(dialog, name).field
            assert isinstance(field, QComboBox)
            field.setCurrentIndex(field.findText(words))
        assert (theme.preference, theme.scale) == ("dark", 1.25)
        await until(lambda: (_loaded(paths).theme, _loaded(paths).text_scale) == ("dark", 1.25))
        dialog.reject()
        assert not dialog.isVisible() and (theme.preference, theme.scale) == ("dark", 1.25)

    play(paths, script)


def test_own_instructions_go_with_the_next_question(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.bindings.settings.open()
        dialog = await shown(SettingsDialog)
        field = row_of(dialog, "system_prompt").field
        assert isinstance(field, QPlainTextEdit)
        field.setPlainText("Be brief.\nIn British English.")
        dialog.reject()
        await until(lambda: services.chat.context.default_prompt == "Be brief.\nIn British English.")

    play(paths, script)
    assert _loaded(paths).system_prompt == "Be brief.\nIn British English."


def test_a_window_that_closes_at_once_keeps_what_was_set(paths: AppPaths) -> None:
    """No thread is free to write the file until the window is closing."""

    async def script(application: WindowApplication) -> None:
        await application.services()
        loop = asyncio.get_running_loop()
        is_closing = Event()
        for _thread in range(32):  # more than the loop has; a pool in place of its own would end threads that run
            loop.run_in_executor(None, is_closing.wait)
        settings = application.bindings.settings
        settings.change(replace(settings.current, system_prompt="Be brief."))
        await asyncio.sleep(0)
        loop.call_later(0.2, is_closing.set)

    play(paths, script)
    assert _loaded(paths).system_prompt == "Be brief."
