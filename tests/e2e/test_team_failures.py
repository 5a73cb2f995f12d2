"""What a person reads where the team's server, or this computer, says no: the dialog stays, with what to do next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from chatdesk.core.domain.sharing.team import EndReason, ShareState
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import SyncStatusChanged, TeamChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.sync import errors
from chatdesk.core.sync.members import membership_errors
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.share_project import SharedProjectDialog, ShareProjectDialog
from chatdesk.ui.features.team.pages.sync_details import SyncDetailsDialog
from chatdesk.ui.features.team.pages.team_create import CreateWorkspaceDialog
from chatdesk.ui.features.team.pages.team_invite import InviteDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from chatdesk.ui.features.team.pages.team_leave import LeaveWorkspaceDialog, TeamPasswordDialog
from chatdesk.ui.features.team.pages.team_server import MoveWorkspaceDialog
from tests.gallery import team_samples as samples
from tests.helpers.asked_team import Team, gone, install, joined, page_of, pressed, shown
from tests.helpers.team_widgets import team_table
from tests.helpers.window import play, until


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Team:
    return install(monkeypatch)


async def refused(team: Team, dialog: TaskPanel, button: str, error: ChatDeskError, words: str) -> None:
    """Pressed, it says so in the dialog, and can be pressed again."""
    team.membership.refuses = error
    asked = len(team.membership.asked) + len(team.asked)
    await pressed(dialog, button)
    await until(lambda: words in dialog.problem.text() and not dialog.is_busy)
    assert dialog.isVisible()
    assert len(team.membership.asked) + len(team.asked) > asked
    assert "by itself" not in dialog.problem.text(), "nobody tries again for a person who asked"
    team.membership.refuses = None


def test_ways_in_say_what_the_server_refuses(tmp_path: Path, team: Team) -> None:
    async def script(application: WindowApplication) -> None:
        await joined(application, team)
        page = await page_of(application)
        await pressed(page, "teamCreate")
        create = await shown(CreateWorkspaceDialog)
        create.address.show_address(samples.ADDRESS, "secret")
        await pressed(create, "teamCheck")
        await pressed(create, "teamNext")
        create.name.setText("Blue team")
        create.my_name.setText("Ana")
        for error, words in (
            (errors.TeamDatabaseNotEmpty(), "Create an empty database"),
            (errors.TeamServerTooOld(), "PostgreSQL 15 or newer"),
            (errors.TeamNoRightForRoles(), "CREATEROLE"),
            (errors.TeamTlsRefused(), "turn TLS on. Nothing was sent"),
            (errors.TeamServerFull(), "disk of the team's server is full"),
        ):
            await refused(team, create, "teamSetUp", error, words)
        create.reject()
        await gone(CreateWorkspaceDialog)

        await pressed(page, "teamJoinOther")
        join = await shown(JoinWorkspaceDialog)
        join.code.show_written("chatdesk-join:member")
        for error, words in (
            (membership_errors.InvitationUsed(), "used already, or withdrawn"),
            (membership_errors.InvitationExpired(), "Ask whoever invited you for a new one"),
            (membership_errors.AlreadyJoined(), "in that workspace already"),
            (membership_errors.UnencryptedAfar(), "with encryption only"),
            (errors.TeamCertificateNotTrusted(), "Somebody may be intercepting"),
            (errors.TeamHostUnknown(), "not found under its name"),
            (errors.TeamConnectionsUsedUp(), "takes no more connections"),
        ):
            await refused(team, join, "teamJoin", error, words)

    play(AppPaths.find(tmp_path), script)


def test_a_copy_that_waits_is_shared_from_the_page(tmp_path: Path, team: Team) -> None:
    async def script(application: WindowApplication) -> None:
        project_id = await joined(application, team)
        copy = replace(team.shared[project_id], state=ShareState.ENDED, ended=EndReason.REMOVED, is_let_in=True)
        team.shared[project_id] = copy
        page = await page_of(application)
        projects = team_table(page, "teamProjects")
        assert "choose Share…" in projects.table.texts()[0][1]
        assert projects.button.text() == "Share…"
        await pressed(page, "teamProjectsAct")
        share = await shown(ShareProjectDialog)
        await refused(team, share, "shareStart", errors.TeamNotInProject(), "no longer in this project")
        await pressed(share, "shareStart")
        await gone(ShareProjectDialog)
        assert team.asked[-1] == ("share", "w1")
        assert team.shared[project_id].ended is None

    play(AppPaths.find(tmp_path), script)


def test_the_password_and_the_address_say_what_the_server_refuses(tmp_path: Path, team: Team) -> None:
    asked = team.membership.asked

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await joined(application, team)
        page = await page_of(application)
        outdated = page.findChild(QLabel, "teamOutdated")
        assert not outdated.isVisible(), "there is nothing newer"

        team.now = samples.REFUSED
        services.events.publish(SyncStatusChanged(team.now))
        await until(lambda: "The password is wrong" in page.findChild(QLabel, "teamStatus_w1").text())
        await pressed(page, "teamPasswordEnter")
        password = await shown(TeamPasswordDialog)
        password.field.setText("guess")
        await refused(team, password, "teamPasswordUse", errors.TeamLoginRefused(), "it is wrong, or it has expired")
        await refused(team, password, "teamPasswordUse", errors.TeamLoginClosed(), "no longer a member")
        await pressed(password, "teamPasswordUse")
        await gone(TeamPasswordDialog)
        assert team.asked[-1] == ("sync", "w1")

        await pressed(page, "teamMove")
        move = await shown(MoveWorkspaceDialog)
        assert not move.move_button.isEnabled(), "it is there already"
        move.address.host.setText("new.example.org")
        await refused(team, move, "teamMoveYes", errors.OtherWorkspace(), "another team's database")
        await refused(team, move, "teamMoveYes", errors.TeamTimeout(), "did not answer in time")
        await pressed(move, "teamMoveYes")
        await gone(MoveWorkspaceDialog)
        assert asked[-1] == ("move", "w1", replace(samples.ADDRESS, host="new.example.org"))
        assert page.said.text() == "This computer now uses chatdesk on new.example.org for “Blue team”."

        team.now = replace(samples.SYNCED, is_outdated=True)
        services.events.publish(SyncStatusChanged(team.now))
        await until(outdated.isVisible)
        assert "chatdesk team upgrade" in outdated.text()
        team.now = samples.SYNCED
        services.events.publish(SyncStatusChanged(team.now))
        await until(lambda: not outdated.isVisible())

        await pressed(page, "teamLeave")
        leave = await shown(LeaveWorkspaceDialog)
        leave.for_good.click()
        await refused(team, leave, "teamLeaveYes", errors.TeamLastOwner(), "Make somebody else owner first")

    play(AppPaths.find(tmp_path), script)


def test_sharing_and_details_say_what_the_server_refuses(tmp_path: Path, team: Team) -> None:
    async def script(application: WindowApplication) -> None:
        project_id = await joined(application, team)
        application.panes.commands.trigger("project.share")
        shared = await shown(SharedProjectDialog)
        await pressed(shared, "sharedEnd")
        team.membership.refuses = errors.TeamNotAllowed()
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: "Your role does not permit this" in shared.problem.text())
        team.membership.refuses = None
        await pressed(shared, "sharedInvite")
        invite = await shown(InviteDialog)
        invite.name.setText("Chi")
        await refused(team, invite, "teamInviteMake", errors.TeamNotAllowed(), "Ask an owner of the project")
        invite.reject()
        await gone(InviteDialog)

        application.panes.commands.trigger("team.details")
        details = await shown(SyncDetailsDialog)
        await refused(team, details, "detailsCheck", errors.TeamServerReadOnly(), "cannot be written to")
        details.accept()
        await gone(SyncDetailsDialog)

        # What is gone by the time that somebody asks for it is said, and opens nothing.

        team.shared.clear()
        page = await page_of(application)
        page.projectRequested.emit("w1", project_id)
        await until(lambda: "is no longer shared" in page.said.text())
        # Without a dialog of their own they are said on the page: the window is in the shade.
        team.membership.refuses = errors.TeamUnreachable()
        team_table(page, "teamDevices").select("d2")
        await pressed(page, "teamDevicesAct")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: "cannot be reached" in page.said.text())
        assert "Try again in a while" in page.said.text()
        await pressed(page, "teamAddComputer")
        await until(lambda: ("computer", "w1") in team.membership.asked)
        team.membership.refuses = None
        team.found = ()
        page.computerRequested.emit("w1")
        await until(lambda: "This computer is in no workspace" in page.said.text())
        banner = application.panes.window.findChild(QWidget, "banner")
        assert banner is None or not banner.isVisible()
        services = await application.services()
        services.events.publish(TeamChanged())
        await until(lambda: page.findChild(QPushButton, "teamDetails_w1") is None)

    play(AppPaths.find(tmp_path), script)
