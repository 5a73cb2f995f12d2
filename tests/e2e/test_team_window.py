"""A team in the window, with a real PostgreSQL: one makes a workspace, shares, invites; another joins and reads on."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.sharing.team import ShareState, SyncPhase
from chatdesk.core.paths import AppPaths
from chatdesk.core.sync.members.team_passwords import SERVER_VARIABLE, VARIABLE, server_named
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.pages.share_project import SharedProjectDialog, ShareProjectDialog
from chatdesk.ui.features.team.pages.sync_details import SyncDetailsDialog
from chatdesk.ui.features.team.pages.team_create import CreateWorkspaceDialog
from chatdesk.ui.features.team.pages.team_invite import InviteDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from chatdesk.ui.features.team.pages.team_members import MemberDialog
from chatdesk.ui.features.team.pages.team_page import TeamPage
from chatdesk.ui.features.team.pages.team_table import ActionTable
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_widgets import team_table
from tests.helpers.window import ask, play, until

LEFT = Qt.MouseButton.LeftButton
Dialog = TypeVar("Dialog", bound=QWidget)


@pytest.fixture
def database(empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch) -> TeamDatabase:
    # There is no keyring where tests run; both people's windows take their password from here.
    monkeypatch.setenv(VARIABLE, "correct-horse-battery-1")
    monkeypatch.setenv(SERVER_VARIABLE, server_named(empty_database.account_address))
    return empty_database


async def shown(kind: type[Dialog]) -> Dialog:
    def found() -> Dialog | None:
        return next((each for each in QApplication.allWidgets() if isinstance(each, kind) and each.isVisible()), None)

    await until(found)
    widget = found()
    assert widget is not None
    return widget


async def pressed(root: QWidget, name: str) -> None:
    """Press a button by its object name, as soon as that is possible."""

    def button() -> QPushButton | None:
        return next((each for each in root.findChildren(QPushButton, name) if each.isVisible()), None)

    await until(lambda: button() is not None and button().isEnabled())  # type: ignore[union-attr]
    await until(lambda: not getattr(root, "is_unread", False))
    QTest.mouseClick(button(), LEFT)


async def page_of(application: WindowApplication) -> TeamPage:
    await application.services()
    application.panes.commands.trigger("team.settings")
    await shown(SettingsDialog)
    return await shown(TeamPage)


async def synced(application: WindowApplication) -> None:
    team = (await application.services()).team
    await until(lambda: team.statuses() and all(each.phase is SyncPhase.SYNCED for each in team.statuses()))


def test_one_makes_a_workspace_shares_and_invites_and_another_joins_and_reads(
    tmp_path: Path, database: TeamDatabase
) -> None:
    code: list[str] = []
    said: list[str] = []
    account = database.account_address

    async def anas_window(application: WindowApplication) -> None:
        await ask(application, "What did we decide about the index?")
        page = await page_of(application)
        await pressed(page, "teamCreate")
        create = await shown(CreateWorkspaceDialog)
        create.address.show_address(account, database.password)
        await pressed(create, "teamCheck")
        await pressed(create, "teamNext")
        create.name.setText("Blue team")
        create.my_name.setText("Ana")
        await pressed(create, "teamSetUp")
        await pressed(create, "teamDone")
        await until(lambda: page.findChild(QPushButton, "teamInvite") is not None)
        await synced(application)
        (await shown(SettingsDialog)).reject()

        application.panes.commands.trigger("project.share")
        share = await shown(ShareProjectDialog)
        await until(
            lambda: "1 thread, 2 messages" in share.count.text() or "1 thread and 2 messages" in share.count.text()
        )
        await pressed(share, "shareStart")
        team = (await application.services()).team
        await until(lambda: not share_is_open())

        async def is_up() -> bool:
            return all(
                each.state is ShareState.SHARED and each.seq > 0 and not each.waiting
                for each in await team.records.projects()
            )

        await until(is_up)

        application.panes.commands.trigger("project.share")
        shared = await shown(SharedProjectDialog)
        await pressed(shared, "sharedInvite")
        invite = await shown(InviteDialog)
        invite.name.setText("Ben")
        await pressed(invite, "teamInviteMake")
        await until(lambda: invite.code_box.code.isVisible())
        code.append(invite.code_box.code.written())
        await pressed(invite, "teamCancel")

    async def bens_window(application: WindowApplication) -> None:
        page = await page_of(application)
        await pressed(page, "teamJoinOther")
        join = await shown(JoinWorkspaceDialog)
        join.code.show_written(code[0])
        assert "Blue team" in join.about.text()
        assert join.my_name.text() == "Ben"
        assert not join.join_button.isEnabled(), "this server has no encryption, so Ben has to agree"
        join.unencrypted.click()
        await pressed(join, "teamJoin")
        await until(lambda: page.findChild(QPushButton, "teamAddComputer") is not None)
        services = await application.services()
        await synced(application)

        async def titles() -> list[str]:
            return [each.title for each in (await services.library.list_threads(ThreadQuery(), limit=9)).threads]

        async def is_there() -> bool:
            return any("index" in each for each in await titles())

        await until(is_there)
        members = next(iter(page.findChildren(ActionTable, "teamMembersBox")))
        await until(lambda: any("Ana" in row[0] and "Owner" in row[1] for row in members.table.texts()))
        (await shown(SettingsDialog)).reject()

        application.panes.commands.trigger("team.details")
        details = await shown(SyncDetailsDialog)
        await pressed(details, "detailsCheck")
        await until(lambda: "has lost nothing" in details.outcome.text())
        assert details.rounds.texts()
        details.accept()

        shared = next(each for each in await services.team.records.projects() if each.ended is None)
        application.bindings.lists.show_project(shared.project_id)
        await until(lambda: getattr(application.bindings.lists.project, "id", "") == shared.project_id)
        application.panes.commands.trigger("project.share")
        leaving = await shown(SharedProjectDialog)
        await pressed(leaving, "sharedEnd")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: services.team.known.shared_project(shared.project_id).ended is not None)
        assert any("index" in each for each in await titles()), "the copy stays"

    async def ana_removes_ben(application: WindowApplication) -> None:
        page = await page_of(application)
        services = await application.services()
        await synced(application)
        workspace_id = services.team.statuses()[0].workspace_id

        await until(lambda: page.findChild(ActionTable, "teamMembersBox"))  # once its workspaces are read
        members = team_table(page, "teamMembers")
        await until(lambda: "Ben" in [row[0] for row in members.table.texts()])
        ben = next(each for each in await services.team.records.members(workspace_id) if each.name == "Ben")
        members.select(ben.id)
        await pressed(page, "teamMembersAct")
        dialog = await shown(MemberDialog)
        await pressed(dialog, "teamRemove")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: "Ben was removed" in page.said.text())

    async def ben_is_told(application: WindowApplication) -> None:
        team = (await application.services()).team
        await until(lambda: any(each.phase is SyncPhase.REFUSED for each in team.statuses()))
        await until(lambda: application.panes.commands.is_enabled("team.details"))
        application.panes.commands.trigger("team.details")
        details = await shown(SyncDetailsDialog)
        said.append(details.status.text())
        details.accept()

    def share_is_open() -> bool:
        return any(isinstance(each, ShareProjectDialog) and each.isVisible() for each in QApplication.allWidgets())

    play(AppPaths.find(tmp_path / "ana"), anas_window)
    play(AppPaths.find(tmp_path / "ben"), bens_window)
    play(AppPaths.find(tmp_path / "ana"), ana_removes_ben)
    play(AppPaths.find(tmp_path / "ben"), ben_is_told)
    assert "closed" in said[0]
