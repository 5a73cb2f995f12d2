"""Whoever joins a workspace in the window is led to what is shared there; with a real PostgreSQL."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from chatdesk.cli.main import run
from chatdesk.core.domain.thread import Thread
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import secrets
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from chatdesk.ui.features.team.pages.team_page import TeamPage
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.asked_team import pressed, shown
from tests.helpers.postgres import TeamDatabase
from tests.helpers.window import play, until


@pytest.fixture
def database(empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> TeamDatabase:
    ring = MemoryKeyring()
    monkeypatch.setattr(secrets, "system_keyring", lambda: ring)
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    return empty_database


@pytest.fixture
def code(
    database: TeamDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The invitation of Ben, with whom Ana shares her project "Personal"."""

    def ana(*words: str, given: str = "") -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        assert run([*words, "--data-dir", str(tmp_path / "ana")]) == 0
        return capsys.readouterr().out

    address = database.account_address
    where = ("--host", address.host, "--port", str(address.port), "--database", address.database, "--without-tls")
    names = ("--name", "Research", "--my-name", "Ana", "--user", address.user)
    ana("team", "create", *names, *where, given=database.account_password)
    ana("ask", "What did we decide about the index?")
    ana("team", "share", "Personal", "--yes")
    return ana("team", "invite", "Ben", "--role", "Personal=editor")


def titles(application: WindowApplication) -> list[str]:
    model = application.panes.sidebar.thread_list.model()
    threads = [model.thread_at(model.index(row)) for row in range(model.rowCount())]
    return [thread.title for thread in threads if isinstance(thread, Thread)]


async def settled(application: WindowApplication, own: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The shared project, once the window itself has found it."""
    projects_service = (await application.services()).library.projects
    list_projects = projects_service.list
    found: list[str] = []

    async def listed(**options: Any) -> Any:
        projects = await list_projects(**options)
        task = asyncio.current_task()
        if task is not None and task.get_name() == "team: lead to what is shared":
            found.extend(each.id for each in projects if each.id != own)
        return projects

    monkeypatch.setattr(projects_service, "list", listed)
    await until(lambda: found)
    return found[0]


def test_who_joined_is_led_to_what_is_shared_once_settings_are_closed(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bens_window(application: WindowApplication) -> None:
        services = await application.services()
        application.panes.commands.trigger("team.settings")
        page = await shown(TeamPage)
        own = (await services.library.projects.list())[0].id
        await pressed(page, "teamJoinOther")
        join = await shown(JoinWorkspaceDialog)
        join.code.show_written(code)
        join.unencrypted.click()
        await pressed(join, "teamJoin")
        toast = application.panes.window.findChild(Toast)
        shared = await settled(application, own, monkeypatch)
        assert "You are in “Research”" in page.said.text()
        assert not toast.isVisible(), "nobody would see it behind the settings"

        (await shown(SettingsDialog)).reject()
        await until(toast.isVisible)
        assert toast.text == "“Personal” of “Research” has arrived."
        assert toast.accessibleName() == toast.text
        lists = application.bindings.lists
        assert getattr(lists.project, "id", None) != shared, "nobody is led away from what they look at"

        button = toast.findChild(QPushButton, "toastAction")
        assert (button.text(), button.accessibleName()) == ("Open", "Open")
        application.panes.window.activateWindow()
        button.setFocus(Qt.FocusReason.TabFocusReason)
        await until(button.hasFocus)
        QTest.keyClick(button, Qt.Key.Key_Space)
        await until(lambda: getattr(lists.project, "id", None) == shared)
        assert not toast.isVisible()
        await until(lambda: any("index" in title for title in titles(application)))

    play(AppPaths.find(tmp_path / "ben"), bens_window)
