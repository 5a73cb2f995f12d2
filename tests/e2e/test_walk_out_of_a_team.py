"""A person leaves a team's project, at a real PostgreSQL, and keeps what was written: by mouse, and by keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.sharing.team import ShareState, TeamRole
from chatdesk.core.paths import AppPaths
from chatdesk.core.sync.members.team_passwords import SERVER_VARIABLE, VARIABLE, server_named
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.library.project_menu import ProjectMenu
from chatdesk.ui.features.team.pages.share_project import SharedProjectDialog
from tests.helpers.postgres import TeamDatabase
from tests.helpers.walks import Keys, click, click_row, dialog, gone, popup, shown, texts
from tests.helpers.window import answered, ask, play, until

_QUESTION = "What did we decide about the index?"
_PROJECT = "Bridge"
_LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def database(empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> TeamDatabase:
    monkeypatch.setenv(VARIABLE, "correct-horse-battery-1")  # there is no keyring where tests run
    monkeypatch.setenv(SERVER_VARIABLE, server_named(empty_database.account_address))
    return empty_database


@pytest.fixture
def ben(tmp_path: Path, database: TeamDatabase) -> AppPaths:
    """The profile of a member who writes in a project that Ana shares."""
    codes: list[str] = []
    paths = AppPaths.find(tmp_path / "ben", {})

    async def ana(application: WindowApplication) -> None:
        services = await application.services()
        team = await services.load_team()
        await team.start()
        project = await services.library.projects.create(_PROJECT, "#2f6f4f")
        application.bindings.lists.show_project(project.id)
        await until(lambda: getattr(application.bindings.lists.project, "id", "") == project.id)
        await ask(application, _QUESTION)
        made = await team.membership.create_workspace(
            "Blue team", "Ana", database.account_address, password=database.password
        )
        await team.sharing.share(project.id, made.id)

        async def is_up() -> bool:
            return all(
                each.state is ShareState.SHARED and each.seq > 0 and not each.waiting
                for each in await team.records.projects()
            )

        await until(is_up)
        invitation = await team.membership.administration.invite(made.id, "Ben", roles={project.id: TeamRole.EDITOR})
        codes.append(invitation.code)

    async def joins(application: WindowApplication) -> None:
        services = await application.services()
        team = await services.load_team()
        await team.start()
        await team.membership.join(codes[0], "Ben", allows_unencrypted=True)

        async def has_come() -> bool:
            return any(
                each.title == _QUESTION
                for each in (await services.library.list_threads(ThreadQuery(), limit=9)).threads
            )

        await until(has_come)

    play(AppPaths.find(tmp_path / "ana", {}), ana)
    play(paths, joins)
    return paths


async def _has_left(application: WindowApplication) -> None:
    """The project is private, it is said, the line of the team is about nothing, and what was written is here."""
    panes = application.panes
    services = await application.services()
    await gone(SharedProjectDialog)
    await until(lambda: f"“{_PROJECT}” is a private project on this computer now." in texts(panes.window))
    (project,) = [each for each in await services.team.records.projects() if each.ended is not None]
    await until(lambda: project.project_id not in panes.sidebar.shared)
    await until(lambda: panes.sidebar.badge.accessibleName() == f"Project {_PROJECT}")
    found = await services.library.list_threads(ThreadQuery(project_id=project.project_id), limit=9)
    assert [each.title for each in found.threads] == [_QUESTION]


def test_by_mouse(ben: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        await until(lambda: panes.sidebar.shared)
        QTest.mouseClick(panes.sidebar.badge, _LEFT)
        menu = await popup()
        assert isinstance(menu, ProjectMenu)
        await click_row(menu.chooser.list, f"Sharing of {_PROJECT}…")
        sharing = await dialog(SharedProjectDialog)
        assert panes.sidebar.badge.accessibleName().startswith(f"Project {_PROJECT}, shared")
        assert "Your role is" in texts(sharing)
        await click(sharing, "Leave project…")
        asking = await dialog(ConfirmDialog)
        assert "The copy on this computer stays" in texts(asking)
        await click(asking, "Leave")
        await _has_left(application)
        await click_row(panes.sidebar.thread_list, _QUESTION)
        await until(lambda: len(panes.transcript.entries) == 2)

    play(ben, script)


def test_by_keys(ben: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        keys = await Keys.of(panes.window)
        await until(lambda: panes.sidebar.shared and keys.focused is panes.composer.editor)
        keys.press(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
        menu = await popup()
        assert isinstance(menu, ProjectMenu)
        keys.type("Sharing")
        await until(lambda: "Sharing" in menu.chooser.shown()[0].text)
        keys.press(Qt.Key.Key_Return)
        await dialog(SharedProjectDialog)
        assert panes.sidebar.badge.accessibleName().startswith(f"Project {_PROJECT}, shared")
        keys.tab_to("Leave project…")
        keys.press(Qt.Key.Key_Return)
        asking = await dialog(ConfirmDialog)
        cancel = await shown(asking, "Cancel")
        await until(lambda: keys.focused is cancel)  # Enter alone does not leave
        keys.tab_to("Leave")
        keys.press(Qt.Key.Key_Return)
        await _has_left(application)
        assert keys.focused is panes.composer.editor
        keys.type("A note of my own")
        await answered(application, lambda: keys.press(Qt.Key.Key_Return))
        assert application.threads.open_thread.project_id == application.bindings.lists.project.id

    play(ben, script)
