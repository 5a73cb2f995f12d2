"""Two fresh profiles become one person's computers, over a folder and without the command line: by keys on the laptop,
by mouse on the desk. A question on one appears on the other; a lost one is removed, says so, and keeps its words."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import secrets
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.computers.computers_dialogs import (
    JoinComputersDialog,
    RemoveComputerDialog,
    StartComputersDialog,
)
from chatdesk.ui.features.computers.computers_page import ComputersPage
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.pages.team_table import ActionTable
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.walks import Keys, click, click_row, dialog, gone, shown, texts
from tests.helpers.window import ask, play, until

_ON_LAPTOP, _ON_DESK, _AFTER = "What is on the laptop?", "What is on the desk?", "What was written afterwards?"


class Home:
    """The folder that is carried, and whose computer the window is on."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.place = root / "carried"
        self.phrase = ""
        self._monkeypatch = monkeypatch
        self._rings: dict[str, MemoryKeyring] = {}

    def on(self, who: str) -> AppPaths:
        ring = self._rings.setdefault(who, MemoryKeyring())
        self._monkeypatch.setattr(secrets, "system_keyring", lambda: ring)
        self._monkeypatch.setattr(platform, "node", lambda: who)
        return AppPaths.find(self.root / who, {})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


async def _page(application: WindowApplication) -> ComputersPage:
    await application.services()
    application.bindings.settings.open("My computers")
    settings = await dialog(SettingsDialog)
    await until(lambda: (page := settings.findChild(ComputersPage)) is not None and page.isVisible())
    page = settings.findChild(ComputersPage)
    assert page is not None
    return page


async def _is_here(application: WindowApplication, question: str) -> None:
    services = await application.services()

    async def is_here() -> bool:
        found = await services.library.list_threads(ThreadQuery(), limit=9)
        return [each.title for each in found.threads].count(question) == 1

    await until(is_here)


async def _is_sent(application: WindowApplication) -> None:
    """Wait until nothing waits here any more."""
    team = await (await application.services()).load_team()

    async def is_sent() -> bool:
        workspace = await team.computers.joined()
        assert workspace is not None
        state = await team.computers.state(workspace)
        return state.synced_at is not None and not state.waiting

    await until(is_sent)


def _field(parent: QWidget, name: str) -> QLineEdit:
    found = parent.findChild(QLineEdit, name)
    assert found is not None
    return found


def _start_by_keys(home: Home) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        await ask(application, _ON_LAPTOP)
        keys = await Keys.of(application.panes.window)
        keys.press(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
        settings = await dialog(SettingsDialog)
        keys.type("recovery phrase")
        keys.press(Qt.Key.Key_Return)
        await shown(settings, "Start…")
        keys.tab_to("Start…")
        keys.press(Qt.Key.Key_Return)
        start = await dialog(StartComputersDialog)
        keys.type(str(home.place))
        keys.press(Qt.Key.Key_Return)
        await until(
            lambda: "It is made when you go on." in texts(start) and _field(start, "computersPhraseShown").isVisible()
        )
        assert not home.place.exists()
        home.phrase = _field(start, "computersPhraseShown").text()
        keys.tab_to("I have written it down, or saved it")
        keys.press(Qt.Key.Key_Space)
        keys.tab_to("Start")
        keys.press(Qt.Key.Key_Return)
        await gone(StartComputersDialog)
        await _is_sent(application)
        page = settings.findChild(ComputersPage)
        assert page is not None
        await until(lambda: "laptop" in [row[0] for row in _rows(page)])

    play(home.on("laptop"), script)


def _rows(page: ComputersPage) -> list[tuple[str, ...]]:
    table = page.findChild(ActionTable)
    assert table is not None
    return table.table.texts()


def _join_by_mouse(home: Home) -> None:
    async def script(application: WindowApplication) -> None:
        page = await _page(application)
        await click(page, "Join…")
        join = await dialog(JoinComputersDialog)
        assert isinstance(join, JoinComputersDialog)
        _field(join, "computersPlace").setText(str(home.place))
        _field(join, "computersPhrase").setText(home.phrase)
        await click(join, "Look inside")
        await until(lambda: "used by: laptop" in join.found.text())
        # Cancel leaves nothing, here or there.
        await click(join, "Cancel")
        await gone(JoinComputersDialog)
        services = await application.services()
        assert not await services.team_is_joined()
        await click(page, "Join…")
        join = await dialog(JoinComputersDialog)
        assert isinstance(join, JoinComputersDialog)
        _field(join, "computersPlace").setText(str(home.place))
        _field(join, "computersPhrase").setText(home.phrase.lower())
        await click(join, "Look inside")
        await until(lambda: "used by: laptop" in join.found.text())
        await click(join, "Join")
        await gone(JoinComputersDialog)
        await _is_here(application, _ON_LAPTOP)
        await until(lambda: {row[0] for row in _rows(page)} == {"laptop", "desk"})
        settings = await dialog(SettingsDialog)
        settings.reject()
        await gone(SettingsDialog)
        await ask(application, _ON_DESK)
        await _is_sent(application)

    play(home.on("desk"), script)


def test_from_two_fresh_profiles(home: Home) -> None:
    _start_by_keys(home)
    _join_by_mouse(home)

    async def laptop_gets_it(application: WindowApplication) -> None:
        await _is_here(application, _ON_DESK)  # without any command: the window is open
        page = await _page(application)
        await click(page, "Pause")
        await until(lambda: "Paused" in page.status.text())
        await click(page, "Resume")
        await until(lambda: "Synced at" in page.status.text())

    play(home.on("laptop"), laptop_gets_it)

    async def desk_removes_it(application: WindowApplication) -> None:
        page = await _page(application)
        table = page.findChild(ActionTable)
        assert table is not None
        await until(lambda: {row[0] for row in _rows(page)} == {"laptop", "desk"})
        await click_row(table.table, "laptop")
        await click(page, "Remove this computer: laptop")
        remove = await dialog(RemoveComputerDialog)
        assert isinstance(remove, RemoveComputerDialog)
        assert "It gets nothing new" in texts(remove)
        newer = _field(remove, "computersPhraseShown").text()
        remove.phrase.box.click()
        await click(remove, "Remove")
        await gone(RemoveComputerDialog)
        assert "laptop was removed" in page.said.text()
        assert newer != home.phrase
        home.phrase = newer
        await _is_sent(application)

    play(home.on("desk"), desk_removes_it)

    async def laptop_is_told(application: WindowApplication) -> None:
        page = await _page(application)
        await until(lambda: "This computer was removed on desk." in page.status.text())
        assert "kept on this computer" in page.status.text()
        settings = await dialog(SettingsDialog)
        settings.reject()
        await gone(SettingsDialog)
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.open_thread is None or not application.panes.transcript.entries)
        await ask(application, _AFTER)
        # Found again, it joins with the new phrase, and forgets the folder in the end.
        page = await _page(application)
        await click(page, "Join again…")
        join = await dialog(JoinComputersDialog)
        assert isinstance(join, JoinComputersDialog)
        assert _field(join, "computersPlace").text() == str(home.place)
        _field(join, "computersPhrase").setText(home.phrase)
        await click(join, "Look inside")
        await until(lambda: "used by: desk" in join.found.text())
        await click(join, "Join")
        await gone(JoinComputersDialog)
        await _is_sent(application)
        await click(page, "Forget the folder…")
        await click(await dialog(ConfirmDialog), "Forget it")
        await until(lambda: "has left" in page.said.text())
        for question in (_ON_LAPTOP, _ON_DESK, _AFTER):
            await _is_here(application, question)

    play(home.on("laptop"), laptop_is_told)

    async def desk_has_all(application: WindowApplication) -> None:
        for question in (_ON_LAPTOP, _ON_DESK, _AFTER):
            await _is_here(application, question)

    play(home.on("desk"), desk_has_all)
