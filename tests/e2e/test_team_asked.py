"""What the dialogs of team sync ask the services for, and what they say when these say no. The services are doubles."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.errors import NotPossible, SharedReadOnly
from chatdesk.core.events import SyncStatusChanged, TeamChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.sync.errors import TeamUnreachable
from chatdesk.core.sync.members.team_passwords import PasswordNotKept
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.pages.share_project import SharedProjectDialog, ShareProjectDialog
from chatdesk.ui.features.team.pages.sync_details import SyncDetailsDialog
from chatdesk.ui.features.team.pages.team_create import CreateWorkspaceDialog
from chatdesk.ui.features.team.pages.team_invite import ComputerCodeDialog, InviteDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from chatdesk.ui.features.team.pages.team_leave import LeaveWorkspaceDialog, RenameWorkspaceDialog, TeamPasswordDialog
from chatdesk.ui.features.team.pages.team_members import MemberDialog
from chatdesk.ui.features.team.pages.team_page import TeamPage
from chatdesk.ui.widgets.toast import Toast
from tests.gallery import team_samples as samples
from tests.helpers.asked_team import Team, gone, install, joined, page_of, pressed, shown
from tests.helpers.team_widgets import choose_role, team_table
from tests.helpers.window import play, until

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Team:
    return install(monkeypatch)


def test_people_and_computers_are_managed_from_the_page(tmp_path: Path, team: Team) -> None:
    asked = team.membership.asked

    async def script(application: WindowApplication) -> None:
        await joined(application, team)
        page = await page_of(application)
        team_table(page, "teamMembers").select("m2")
        await pressed(page, "teamMembersAct")
        member = await shown(MemberDialog)
        team.membership.refuses = TeamUnreachable()
        member.owner.click()
        await until(lambda: asked[-1:] == [("owner", "w1", "m2", True)] and not member.is_busy)
        assert not member.owner.isChecked(), "as the server has it"
        team.membership.refuses = None
        member.owner.click()
        await until(lambda: len(asked) == 2 and not member.is_busy)
        assert member.owner.isChecked()
        await pressed(member, "teamRemove")
        confirm = await shown(ConfirmDialog)
        assert "What they wrote stays with the team" in confirm.accessibleDescription()
        await pressed(confirm, "confirmYes")
        await until(lambda: ("remove", "w1", "m2") in asked)
        await gone(MemberDialog)
        assert "Ben Okafor was removed" in page.said.text()

        team_table(page, "teamMembers").select("m1")
        await pressed(page, "teamMembersAct")
        me = await shown(MemberDialog)
        me.name.setText("Ana L.")
        await pressed(me, "teamRename")
        await gone(MemberDialog)
        team_table(page, "teamMembers").select("m1")
        await pressed(page, "teamMembersAct")
        await pressed(await shown(MemberDialog), "teamNewPassword")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await gone(MemberDialog)
        assert asked[-2:] == [("rename", "w1", "Ana L."), ("new password", "w1")]

        team_table(page, "teamDevices").select("d3")
        await pressed(page, "teamDevicesAct")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: ("remove device", "w1", "d3") in asked)
        await until(lambda: "ana-travel is off the list." in page.said.text())

    play(AppPaths.find(tmp_path / "data"), script)


def test_codes_are_made_saved_and_their_failures_told(tmp_path: Path, team: Team) -> None:
    async def script(application: WindowApplication) -> None:
        project_id = await joined(application, team)
        page = await page_of(application)
        await pressed(page, "teamInvite")
        invite = await shown(InviteDialog)
        invite.name.setText("Chi")
        choose_role(invite.roles, project_id, 1)
        team.membership.refuses = NotPossible("The server has no room for another member.")
        await pressed(invite, "teamInviteMake")
        await until(lambda: "no room for another member" in invite.problem.text())
        team.membership.refuses = None
        await pressed(invite, "teamInviteMake")
        await until(lambda: invite.code_box.isVisible())
        assert team.membership.asked[-1] == ("invite", "w1", "Chi", {project_id: TeamRole.VIEWER}, 7)
        target = tmp_path / "Chi.chatdesk-invite"
        invite.code_box.save(str(target))
        await until(lambda: "Saved as Chi.chatdesk-invite" in invite.code_box.said.text())
        assert target.read_text("utf-8") == samples.INVITATION.file_text
        assert target.stat().st_mode & 0o077 == 0, "for this person alone"
        invite.code_box.save(str(tmp_path / "no" / "folder"))
        await until(lambda: "could not be written" in invite.problem.text())
        invite.reject()
        await pressed(page, "teamAddComputer")
        computer = await shown(ComputerCodeDialog)
        computer.code_box.save(str(tmp_path / "mine.chatdesk-invite"))
        await until(lambda: "Saved as" in computer.code_box.said.text())
        computer.accept()
        await gone(ComputerCodeDialog)

        await pressed(page, "teamRename")
        rename = await shown(RenameWorkspaceDialog)
        rename.field.setText("Green team")
        QTest.keyClick(rename.field, Qt.Key.Key_Return)
        await gone(RenameWorkspaceDialog)
        assert team.membership.asked[-1] == ("rename workspace", "w1", "Green team")
        await pressed(page, "teamLeave")
        leave = await shown(LeaveWorkspaceDialog)
        leave.for_good.click()
        await pressed(leave, "teamLeaveYes")
        await gone(LeaveWorkspaceDialog)
        assert team.membership.asked[-1] == ("leave", "w1", True)
        page.show_status(samples.REFUSED)
        await pressed(page, "teamPasswordEnter")
        password = await shown(TeamPasswordDialog)
        QTest.keyClicks(password.field, "typed")
        await pressed(password, "teamPasswordUse")
        await gone(TeamPasswordDialog)
        assert team.membership.asked[-1] == ("password", "w1", "typed")
        assert team.asked[-1] == ("sync", "w1")

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_workspace_is_made_and_the_first_invitation_follows(tmp_path: Path, team: Team) -> None:
    team.found = ()

    async def script(application: WindowApplication) -> None:
        await application.services()
        assert not application.panes.commands.is_enabled("team.details")
        application.panes.commands.trigger("project.share")
        page = await shown(TeamPage)
        await until(lambda: "create a workspace or join one first" in page.said.text())
        await pressed(page, "teamCreate")
        create = await shown(CreateWorkspaceDialog)
        create.address.show_address(samples.ADDRESS, "secret")
        team.membership.refuses = TeamUnreachable()
        await pressed(create, "teamCheck")
        await until(lambda: "cannot be reached" in create.problem.text())
        team.membership.refuses = None
        await pressed(create, "teamCheck")
        await pressed(create, "teamNext")
        create.name.setText("Blue team")
        create.my_name.setText("Ana")
        await pressed(create, "teamSetUp")
        await until(create.invite_button.isVisible)
        team.found = (samples.WORKSPACE,)
        await pressed(create, "teamInviteNow")
        (await shown(InviteDialog)).reject()
        asked = team.membership.asked
        assert asked[-2:] == [("examine", "db.example.org", "secret"), ("create", "Blue team", "Ana", "secret")]

    play(AppPaths.find(tmp_path / "data"), script)


def test_without_a_keyring_the_password_goes_into_the_encrypted_file(tmp_path: Path, team: Team) -> None:
    team.found = ()

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.bindings.team.open_join("chatdesk-join:member")
        join = await shown(JoinWorkspaceDialog)
        team.membership.refuses = PasswordNotKept()
        await pressed(join, "teamJoin")
        await until(join.keep.isVisible)
        assert "cannot keep the password" in join.problem.text()
        assert join.keep.field.accessibleName().startswith("A new passphrase")
        QTest.keyClicks(join.keep.field, "short")
        await pressed(join.keep, "teamKeepYes")
        await until(lambda: "easy to guess" in join.problem.text())
        assert join.keep.button.isEnabled()
        team.membership.refuses = None
        join.keep.field.setText("long enough to keep")
        QTest.keyClick(join.keep.field, Qt.Key.Key_Return)
        await gone(JoinWorkspaceDialog)
        assert team.membership.asked[-1] == ("join", "chatdesk-join:member", "Chi", None, False)
        assert services.accounts.stored.key_place is KeyPlace.FILE

        page = application.bindings.team
        page.open_page()
        await pressed(await shown(TeamPage), "teamCreate")
        create = await shown(CreateWorkspaceDialog)
        create.address.show_address(samples.ADDRESS, "mine")
        team.membership.refuses = PasswordNotKept()
        await pressed(create, "teamSignIn")
        await until(create.keep.isVisible)
        assert create.keep.field.accessibleName() == "The passphrase of the file of keys"
        team.membership.refuses = None
        create.keep.field.setText("long enough to keep")
        await pressed(create.keep, "teamKeepYes")
        await gone(CreateWorkspaceDialog)
        assert team.membership.asked[-1] == ("sign in", samples.ADDRESS.user, "mine")

    play(AppPaths.find(tmp_path / "data"), script)


def test_an_invitation_that_is_dropped_on_the_window_is_joined_and_never_attached(tmp_path: Path, team: Team) -> None:
    path = tmp_path / "Team.CHATDESK-INVITE"
    path.write_text("chatdesk-join:sealed", encoding="utf-8")

    async def script(application: WindowApplication) -> None:
        await application.services()
        window, composer = application.panes.window, application.panes.composer
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        place, copy, none = QPoint(5, 5), Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        entering = QDragEnterEvent(place, copy, data, LEFT, none)
        QApplication.sendEvent(window, entering)
        assert entering.isAccepted()
        QApplication.sendEvent(window, QDropEvent(place.toPointF(), copy, data, LEFT, none))
        join = await shown(JoinWorkspaceDialog)
        assert join.passphrase.isVisible()
        QTest.keyClicks(join.passphrase, "maple")
        await pressed(join, "teamJoin")
        await gone(JoinWorkspaceDialog)
        assert team.membership.asked == [("join", "chatdesk-join:sealed", "", "maple", False)]
        assert "You are in “Blue team”" in window.findChild(Toast).text

        composer.filesOffered.emit([str(path)])
        again = await shown(JoinWorkspaceDialog)
        again.reject()
        await gone(JoinWorkspaceDialog)
        path.write_bytes(b"\xff" * 100)
        assert application.bindings.team.open_if_invitation(path)
        await until(lambda: any("cannot be read as an invitation" in text for text in banners(application)))
        assert not application.bindings.team.open_if_invitation(tmp_path / "notes.txt")
        application.panes.commands.trigger("team.join")
        (await shown(JoinWorkspaceDialog)).reject()

    def banners(application: WindowApplication) -> list[str]:
        window = application.panes.window
        return [each.text() for each in window.findChildren(QLabel)]

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_project_is_shared_and_given_up_again(tmp_path: Path, team: Team) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        services.events.publish(TeamChanged())
        await until(lambda: application.panes.commands.is_enabled("team.sync"))
        application.panes.commands.trigger("project.share")
        share = await shown(ShareProjectDialog)
        team.membership.refuses = TeamUnreachable()
        await pressed(share, "shareStart")
        await until(lambda: "cannot be reached" in share.problem.text())
        team.membership.refuses = None
        await pressed(share, "shareStart")
        await gone(ShareProjectDialog)
        assert ("share", "w1") in team.asked

        application.panes.commands.trigger("project.share")
        shared = await shown(SharedProjectDialog)
        services.events.publish(SyncStatusChanged(samples.WAITING))
        await until(lambda: "Offline" in shared.state.text())
        choose_role(shared.roles, "m3", 1)
        await until(lambda: ("role", "m3", TeamRole.VIEWER) in team.membership.asked)
        await until(lambda: not shared.is_busy)
        team.membership.refuses = TeamUnreachable()
        choose_role(shared.roles, "m3", 0)
        await until(lambda: "cannot be reached" in shared.problem.text())
        team.membership.refuses = None
        await pressed(shared, "sharedInvite")
        (await shown(InviteDialog)).reject()
        application.panes.commands.trigger("project.share")
        again = await shown(SharedProjectDialog)
        await pressed(again, "sharedErase")
        asked = await shown(ConfirmDialog)
        assert "This cannot be undone" in asked.accessibleDescription()
        await pressed(asked, "confirmNo")
        assert ("unshare", "and erase") not in team.asked
        await pressed(again, "sharedEnd")
        await pressed(await shown(ConfirmDialog), "confirmNo")
        await pressed(again, "sharedEnd")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await gone(SharedProjectDialog)
        assert ("unshare",) in team.asked
        application.panes.commands.trigger("team.sync")
        await until(lambda: team.asked[-1] == ("sync", None))

    play(AppPaths.find(tmp_path / "data"), script)


def test_a_project_is_told_how_long_to_keep_its_messages(tmp_path: Path, team: Team) -> None:
    async def script(application: WindowApplication) -> None:
        project = await joined(application, team)
        application.panes.commands.trigger("project.share")
        shared = await shown(SharedProjectDialog)
        field = shared.retention
        QTest.keyClick(field.box, Qt.Key.Key_Down)
        await pressed(shared, "teamRetentionSet")
        asked = await shown(ConfirmDialog)
        assert "This cannot be undone" in asked.accessibleDescription()
        await pressed(asked, "confirmNo")
        await until(lambda: field.box.currentText() == "For ever")
        assert ("keep", 30) not in team.asked

        QTest.keyClick(field.box, Qt.Key.Key_Down)
        await pressed(shared, "teamRetentionSet")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: field.box.currentText() == "For 30 days" and not field.set_button.isEnabled())
        assert team.asked[-1] == ("keep", 30)
        QTest.keyClick(field.box, Qt.Key.Key_End)
        field.days.setValue(400)
        await pressed(shared, "teamRetentionSet")
        await until(lambda: team.asked[-1] == ("keep", 400))
        await gone(ConfirmDialog)

        team.erasing.days[project] = 500  # somebody else's doing, which this dialog has not heard of
        QTest.keyClick(field.box, Qt.Key.Key_End)
        field.days.setValue(450)
        await pressed(shared, "teamRetentionSet")
        team.membership.refuses = SharedReadOnly()
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: "You may read this shared project" in shared.problem.text())
        assert field.box.currentText() == "For 500 days"

    play(AppPaths.find(tmp_path / "data"), script)


def test_details_show_and_settle_what_needs_a_person(tmp_path: Path, team: Team) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await joined(application, team)
        application.panes.commands.trigger("team.details")
        details = await shown(SyncDetailsDialog)
        application.panes.commands.trigger("team.details")
        details.refused.selectAll()
        await pressed(details, "refused_copyText")
        assert "A long answer." in QGuiApplication.clipboard().text()
        details.refused.selectRow(0)
        await pressed(details, "refused_retry")
        await until(lambda: ("retry", ["c1"]) in team.asked)
        await pressed(details, "detailsCheck")
        await until(lambda: "has lost nothing" in details.outcome.text())
        team.membership.refuses = TeamUnreachable()
        await pressed(details, "detailsCheck")
        await until(lambda: "cannot be reached" in details.problem.text())
        team.membership.refuses = None
        team.lost = samples.LOST
        await pressed(details, "detailsCheck")
        await until(lambda: details.findChild(QPushButton, "lost_p1") is not None)
        await pressed(details, "lost_p1")
        confirm = await shown(ConfirmDialog)
        assert "restore that instead" in confirm.accessibleDescription()
        await pressed(confirm, "confirmYes")
        await until(lambda: ("go on", "p1") in team.asked)
        await until(lambda: "goes on without them" in details.outcome.text())
        await gone(ConfirmDialog)
        details.refused.selectAll()
        await pressed(details, "refused_forget")
        confirm = await shown(ConfirmDialog)
        assert "Copy the text first" in confirm.accessibleDescription()
        await pressed(confirm, "confirmYes")
        await until(lambda: ("forget", ["c1", "c2"]) in team.asked)
        team.now = samples.WAITING
        services.events.publish(SyncStatusChanged(samples.WAITING))
        await until(lambda: "Offline" in details.status.text())
        await pressed(details, "detailsSync")
        assert team.asked[-1] == ("sync", "w1")
        details.accept()
        await gone(SyncDetailsDialog)
        team.found = ()
        application.panes.commands.trigger("team.details")
        await shown(SettingsDialog)

    play(AppPaths.find(tmp_path / "data"), script)
