"""The local service from the window: turned on, used by another program, given tokens, turned off."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.store import SettingsStore
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.local_service.local_service_page import LocalServicePage
from chatdesk.ui.features.local_service.new_token import NewTokenDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from tests.helpers.window import FAST, play, until

ROOT = Path(__file__).parents[2]
SEEN_WHILE_OFF = """
import asyncio, sys
from dataclasses import replace
from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from tests.helpers.settings_pages import row_of

async def script(window):
    await window.services()
    window.panes.commands.trigger("app.settings")
    from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
    while not (dialog := window.panes.window.findChild(SettingsDialog)):
        await asyncio.sleep(0.01)
    dialog.show_page("Local service")
    row_of(dialog, "service_port")
    await asyncio.sleep(0.2)
    print(*(name for name in sys.modules if name.startswith(("chatdesk.service.", "starlette", "uvicorn"))))
    return 0

run_window(AppPaths.find(sys.argv[1]), Settings(), script=script)
"""


def _shown(application: WindowApplication, kind: type[Any]) -> Any:
    return next((each for each in application.panes.window.findChildren(kind) if each.isVisible()), None)


def _button(parent: QWidget, name: str) -> QPushButton:
    found = parent.findChild(QPushButton, name)
    assert found is not None
    return found


def _words(page: QWidget, name: str) -> str:
    label = page.findChild(QLabel, name)
    assert label is not None
    return label.text()


async def _page(application: WindowApplication) -> LocalServicePage:
    await application.services()
    application.panes.commands.trigger("app.settings")
    await until(lambda: _shown(application, SettingsDialog))
    _shown(application, SettingsDialog).show_page("Local service")
    await until(lambda: _shown(application, LocalServicePage))
    page: LocalServicePage = _shown(application, LocalServicePage)
    return page


async def _press(widget: QWidget, key: Qt.Key = Qt.Key.Key_Space) -> None:
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    QTest.keyClick(widget, key)


async def _get(url: str, token: str) -> int:
    async with httpx2.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {token}"}) as http:
        return (await http.get(f"{url}/api/v1/threads")).status_code


@pytest.mark.usefixtures("qapp")
def test_it_is_turned_on_used_with_a_token_and_turned_off_by_keyboard(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        page = await _page(application)
        services = await application.services()
        assert _words(page, "localServiceStatus") == "Off"
        assert not page.new_button.isEnabled()
        await _press(page.switch)
        await until(lambda: _words(page, "localServiceStatus").startswith("On, at http://127.0.0.1:"))
        url = _words(page, "localServiceStatus").removeprefix("On, at ")
        await _press(_button(page, "localServiceCopy"))
        assert QGuiApplication.clipboard().text() == url

        await _press(page.new_button)
        await until(lambda: _shown(application, NewTokenDialog))
        dialog: NewTokenDialog = _shown(application, NewTokenDialog)
        await until(lambda: dialog.name.hasFocus())
        await _press(dialog.make_button)
        assert "Say what will use it" in dialog.problem.text()
        assert dialog.name.hasFocus()
        QTest.keyClicks(dialog.name, "editor")
        await _press(dialog.scopes["ask"])
        project = next(iter(dialog.projects))
        await _press(dialog.projects[project])
        await _press(dialog.make_button)
        await until(dialog.copy_button.isVisible)
        assert dialog.copy_button.hasFocus() and not dialog.name.isVisible()
        await _press(dialog.copy_button)
        token = QGuiApplication.clipboard().text()
        assert token.startswith("cd_") and dialog.token.text() == token
        await _press(dialog.close_button)

        switch = services.service_switch
        assert switch is not None
        (made,) = await switch.tokens()
        assert (made.scopes, made.projects) == (("read", "ask"), (project,))
        await until(lambda: page.findChild(QPushButton, f"localServiceRevoke_{made.id}"))
        assert await _get(url, token) == 200
        page.tokensWanted.emit()
        revoke = f"localServiceRevoke_{made.id}"
        await until(lambda: "last used 2" in _button(page, revoke).accessibleDescription())
        assert _button(page, revoke).accessibleName() == "Revoke editor"
        await _press(_button(page, revoke))
        await until(lambda: _shown(application, ConfirmDialog))
        await _press(_button(_shown(application, ConfirmDialog), "confirmYes"))
        await until(lambda: page.findChild(QPushButton, revoke) is None)
        assert await _get(url, token) == 401

        await _press(page.switch)
        await until(lambda: _words(page, "localServiceStatus") == "Off")
        await until(lambda: not (paths.data_dir / "service" / "address.json").exists())
        await _press(page.switch)
        await until(lambda: switch.state.is_on)

    play(paths, script)
    assert not (paths.data_dir / "service" / "address.json").exists()
    assert SettingsStore(paths.settings_file).load().settings.service_on


@pytest.mark.usefixtures("qapp")
def test_a_port_that_is_taken_is_said_on_the_page(paths: AppPaths) -> None:
    from dataclasses import replace

    with socket.create_server(("127.0.0.1", 0)) as taken:

        async def script(application: WindowApplication) -> None:
            page = await _page(application)
            await _press(page.switch)
            await until(lambda: "Choose another port" in _words(page, "localServiceProblem"))
            again = _button(page, "localServiceAgain")
            assert again.isVisible()
            taken.close()
            await _press(again)
            await until(lambda: _words(page, "localServiceStatus").startswith("On, at "))
            assert not again.isVisible() and page.switch.hasFocus()

        play(paths, script, replace(FAST, service_port=taken.getsockname()[1]))


@pytest.mark.usefixtures("qapp")
def test_a_switch_that_a_variable_sets_is_disabled(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATDESK_SERVICE_ON", "false")

    async def script(application: WindowApplication) -> None:
        page = await _page(application)
        assert not page.switch.isEnabled()
        assert "CHATDESK_SERVICE_ON" in page.switch.accessibleDescription()
        assert any("CHATDESK_SERVICE_ON" in each.text() for each in page.findChildren(QLabel))

    play(paths, script)


def test_nothing_of_the_service_is_imported_while_it_is_off(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SEEN_WHILE_OFF, str(tmp_path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (found.returncode, found.stdout.strip()) == (0, ""), found.stderr
