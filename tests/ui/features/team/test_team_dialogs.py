"""The dialogs of team sync: pressed and typed into as a person would, each on its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QAccessible, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.sharing.lost_changes import LostRange
from chatdesk.core.domain.sharing.team import (
    RefusedChange,
    ServerAddress,
    ServerCheck,
    ShareCount,
    ShareState,
    SyncPhase,
    SyncStatus,
    TeamRole,
)
from chatdesk.core.settings.schema import all_settings
from chatdesk.core.sync.address import reach_text
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.features.providers.provider_page import ProviderPage
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.settings.settings_page import SettingsPage
from chatdesk.ui.features.team.pages.share_project import (
    SharedProjectDialog,
    ShareProjectDialog,
    end_words,
    state_words,
)
from chatdesk.ui.features.team.pages.sync_details import SyncDetailsDialog
from chatdesk.ui.features.team.pages.team_create import CreateWorkspaceDialog
from chatdesk.ui.features.team.pages.team_invite import ComputerCodeDialog, InviteDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog, read_file
from chatdesk.ui.features.team.pages.team_leave import LeaveWorkspaceDialog, TeamPasswordDialog
from chatdesk.ui.features.team.pages.team_members import MemberDialog, invited_words
from chatdesk.ui.features.team.pages.team_page import TeamPage
from chatdesk.ui.features.team.pages.team_retention import is_shorter, shorter_words
from chatdesk.ui.features.team.pages.team_roles import grantable
from chatdesk.ui.features.team.pages.team_table import ActionTable
from chatdesk.ui.theme.theme import Theme
from tests.gallery import provider_samples as providers
from tests.gallery import team_samples as samples
from tests.helpers.settings_pages import provider_page
from tests.helpers.team_widgets import choose_role, team_table

LEFT = Qt.MouseButton.LeftButton
HOSTILE = "<img src='file:///etc/passwd'> & <b>bold</b>"
Show = Callable[[QWidget], QWidget]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def shown(widget: QWidget) -> QWidget:
        widget.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(widget)
        widget.show()
        return widget

    return shown


def press(root: QWidget, name: str) -> None:
    QApplication.processEvents()  # what was added is laid out then
    while getattr(root, "is_unread", False) or getattr(button(root, name), "is_unread", False):
        QApplication.processEvents()
    QTest.mouseClick(button(root, name), LEFT)


def button(root: QWidget, name: str) -> QPushButton:
    found = root.findChild(QPushButton, name)
    assert isinstance(found, QPushButton), name
    return found


def texts(root: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in root.findChildren(QLabel) if label.isVisibleTo(root))


def has(root: QWidget, name: str) -> bool:
    return root.findChild(QPushButton, name) is not None


# The page


def test_without_a_workspace_the_page_says_what_it_is_and_offers_two_ways(
    theme: Theme, show: Show, qtbot: QtBot
) -> None:
    page = TeamPage(theme)
    show(page)
    assert "administers the database can read" in texts(page)
    assert "Keys, drafts, pins" in texts(page)
    with qtbot.waitSignal(page.createRequested):
        press(page, "teamCreate")
    with qtbot.waitSignal(page.joinRequested):
        press(page, "teamJoinOther")
    assert "empty database" in button(page, "teamCreate").accessibleDescription()


def test_a_parked_workspace_names_its_server_and_waits_for_a_click(theme: Theme, show: Show, qtbot: QtBot) -> None:
    page = TeamPage(theme)
    workspace = samples.workspace_view().workspace
    page.show_parked((workspace,))
    show(page)
    assert workspace.name in texts(page)
    assert f"does not connect to {workspace.address.database} on {workspace.address.host}" in texts(page)
    with qtbot.waitSignal(page.joinAgainRequested) as again:
        press(page, "teamJoinAgain")
    with qtbot.waitSignal(page.parkedLeaveRequested) as left:
        press(page, "teamParkedLeave")
    assert again.args == left.args == [workspace.id]
    page.show_parked(())
    assert "came with the backup" not in texts(page)


def test_the_page_shows_a_workspace_and_asks_for_what_is_pressed(theme: Theme, show: Show, qtbot: QtBot) -> None:
    page = TeamPage(theme)
    page.show_workspaces((samples.workspace_view(),), now_ms=samples.NOW)
    show(page)
    tables = projects, members, devices = [
        team_table(page, name) for name in ("teamProjects", "teamMembers", "teamDevices")
    ]
    words = "\n".join([texts(page), *(", ".join(row) for table in tables for row in table.table.texts())])
    for expected in (
        "Blue team",
        "chatdesk on db.example.org",
        "Research, Owner, 3 changes wait",
        "Plans for next year, Editor, 1 change refused",
        "It is no longer shared. This is a private copy.",
        "has not joined yet",
        "Ben Okafor, connected now, ChatDesk 0.1.0",
        "Ana Lima, this computer",
    ):
        assert expected in words, expected
    assert "Dora" not in words, "who was removed matters only as an author"
    projects.select("p3")
    assert not projects.button.isEnabled(), "there is nothing to manage about a private copy"
    for table, key in ((projects, "p1"), (members, "m2"), (devices, "d3")):
        table.select(key)
    for name, signal, wanted in (
        ("teamInvite", page.inviteRequested, ["w1"]),
        ("teamAddComputer", page.computerRequested, ["w1"]),
        ("teamLeave", page.leaveRequested, ["w1"]),
        ("teamDetails_w1", page.detailsRequested, ["w1"]),
        ("teamProjectsAct", page.projectRequested, ["w1", "p1"]),
        ("teamMembersAct", page.memberRequested, ["w1", "m2"]),
        ("teamDevicesAct", page.deviceRemoveRequested, ["w1", "d3"]),
    ):
        with qtbot.waitSignal(signal) as asked:
            press(page, name)
        assert asked.args == wanted


def test_the_page_follows_the_status_and_offers_the_password_where_it_is_wrong(theme: Theme, show: Show) -> None:
    page = TeamPage(theme)
    page.show_workspaces((samples.workspace_view(),), now_ms=samples.NOW)
    show(page)
    assert not button(page, "teamPasswordEnter").isVisible()
    page.show_status(samples.REFUSED)
    assert "The password is wrong." in texts(page)
    assert button(page, "teamPasswordEnter").isVisible()
    page.show_status(replace(samples.SYNCED, workspace_id="gone"))
    page.show_result("You left it.")
    assert "You left it." in texts(page)
    assert not page.grab().isNull()


def test_the_focus_stays_when_the_page_is_filled_again(theme: Theme, show: Show) -> None:
    page = TeamPage(theme)
    page.show_workspaces((samples.workspace_view(),), now_ms=samples.NOW)
    show(page)
    page.activateWindow()
    button(page, "teamAddComputer").setFocus()
    members = team_table(page, "teamMembers")
    members.select("m3")
    view = samples.workspace_view(samples.WAITING)
    page.show_workspaces((replace(view, members=samples.MEMBERS[1:]),), now_ms=samples.NOW)
    assert page.focusWidget() is button(page, "teamAddComputer")
    assert members.current is not None
    assert members.current.key == "m3"
    assert [row[0] for row in members.table.texts()] == ["Ana Lima", "Chi"]


def test_tables_of_the_page_are_walked_by_keys_and_entered(theme: Theme, show: Show, qtbot: QtBot) -> None:
    page = TeamPage(theme)
    page.show_workspaces((samples.workspace_view(),), now_ms=samples.NOW)
    show(page)
    members = team_table(page, "teamMembers")
    assert members.button.text() == "My name…"
    QTest.keyClick(members.table, Qt.Key.Key_Down)
    assert members.button.accessibleName() == "Manage: Ben Okafor"
    with qtbot.waitSignal(page.memberRequested) as asked:
        QTest.keyClick(members.table, Qt.Key.Key_Return)
    assert asked.args == ["w1", "m2"]
    devices = team_table(page, "teamDevices")
    with qtbot.assertNotEmitted(page.deviceRemoveRequested):
        QTest.keyClick(devices.table, Qt.Key.Key_Return)  # this computer
    said = members.table.model().index(1, 2).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Roles: Research: editor, Plans for next year: owner"


def test_hundreds_of_projects_and_people_build_no_more_widgets(theme: Theme, show: Show) -> None:
    page = TeamPage(theme)
    view = samples.workspace_view()
    page.show_workspaces((view,), now_ms=samples.NOW)
    show(page)
    before = len(page.findChildren(QWidget))
    many = [replace(samples.RESEARCH, project_id=f"p{number}") for number in range(300)]
    people = [replace(samples.BEN, id=f"m{number}") for number in range(300)]
    page.show_workspaces((replace(view, projects=many, members=people),), now_ms=samples.NOW)
    assert len(page.findChildren(QWidget)) == before
    page.show_workspaces((replace(view, projects=()),), now_ms=samples.NOW)
    assert "None yet. Open a project" in texts(page)
    page.show_workspaces((), now_ms=samples.NOW)
    assert "Create a workspace" in texts(page)


def test_a_member_without_a_managing_role_cannot_invite(theme: Theme, show: Show) -> None:
    view = samples.workspace_view()
    plain = replace(view, workspace=replace(view.workspace, is_owner=False), projects=(samples.PLANS,))
    page = TeamPage(theme)
    page.show_workspaces((plain,), now_ms=samples.NOW)
    show(page)
    assert not has(page, "teamInvite")
    devices = team_table(page, "teamDevices")
    devices.select("d2")
    assert not devices.button.isEnabled(), "another person's computer"
    devices.select("d3")
    assert devices.button.isEnabled()


# Making one


def test_a_pasted_connection_string_is_taken_apart_and_checked(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address, my_name="ana")
    show(dialog)
    assert not dialog.check_button.isEnabled()
    dialog.address.string.setText("host=")
    assert "That is not a connection string." in texts(dialog)
    dialog.address.string.setText("postgresql://owner:secret@db.example.org:6543/team")
    assert dialog.address.host.text() == "db.example.org"
    assert dialog.address.password.echoMode() is dialog.address.password.EchoMode.Password
    with qtbot.waitSignal(dialog.checkRequested) as asked:
        press(dialog, "teamCheck")
    address, password = asked.args
    assert (address, password) == (ServerAddress("db.example.org", 6543, "team", "owner"), "secret")
    assert dialog.is_busy
    assert not dialog.address.host.isEnabled()
    assert dialog.cancel_button.isEnabled(), "one can always leave"


def test_a_failed_check_stands_in_the_way_and_says_why(theme: Theme, show: Show) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address)
    show(dialog)
    dialog.address.show_address(samples.ADDRESS, "x")
    press(dialog, "teamCheck")
    dialog.show_checks(samples.CHECKS)
    assert "1 problem must be fixed first." in texts(dialog)
    failed = dialog.findChild(QLabel, "teamCheck_3")
    assert failed.accessibleName().startswith("Roles, failed: The user owner")
    assert not dialog.next_button.isVisible()
    dialog.show_checks(samples.CHECKS[:3])
    assert dialog.next_button.isVisible(), "a warning is no obstacle"
    dialog.address.host.setText("other.example.org")
    assert not dialog.next_button.isVisible(), "another server was not looked at"
    assert dialog.check_button.isVisible()


def test_the_workspace_is_set_up_with_both_names(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address)
    show(dialog)
    dialog.address.show_address(samples.ADDRESS, "secret")
    dialog.show_checks(samples.CHECKS[:2])
    press(dialog, "teamNext")
    assert not dialog.set_up_button.isEnabled()
    QTest.keyClicks(dialog.name, "Blue team")
    QTest.keyClicks(dialog.my_name, "Ana")
    with qtbot.waitSignal(dialog.setUpRequested) as asked:
        QTest.keyClick(dialog.my_name, Qt.Key.Key_Return)
    assert asked.args == ["Blue team", "Ana", samples.ADDRESS, "secret"]
    QTest.keyClick(dialog.my_name, Qt.Key.Key_Return)
    dialog.show_problem("The database is not empty. Nothing was changed. Give another one.")
    assert "The database is not empty." in texts(dialog)
    assert dialog.set_up_button.isEnabled()
    press(dialog, "teamBack")
    assert dialog.next_button.isVisible()
    press(dialog, "teamNext")
    press(dialog, "teamSetUp")
    dialog.show_done("Blue team")
    assert "“Blue team” is ready" in texts(dialog)
    with qtbot.waitSignal(dialog.inviteRequested):
        press(dialog, "teamInviteNow")


def test_a_certificate_is_taken_from_a_file_and_nothing_else_is(theme: Theme, show: Show, tmp_path: Path) -> None:
    dialog = CreateWorkspaceDialog(theme, samples.read_address)
    show(dialog)
    fields = dialog.address
    fields.show_address(samples.ADDRESS, "")
    fields.trust_ca(tmp_path / "missing.pem")
    assert "not a certificate" in texts(dialog)
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    fields.trust_ca(tmp_path / "ca.pem")
    assert "ca.pem" in texts(dialog)
    assert fields.address().ca.startswith("-----BEGIN")
    fields.tls.setCurrentIndex(1)
    assert (fields.address().tls, fields.address().ca) == ("disable", "")
    assert not fields.ca_button.isEnabled()
    fields.show_address(replace(samples.ADDRESS, ca="-----BEGIN CERTIFICATE-----"), "")
    assert fields.address().tls == "verify-full"
    for port in ("0", "70000", "x", "٣"):
        fields.port.setText(port)
        assert not fields.is_complete, port
    fields.port.clear()
    assert fields.is_complete
    fields.choose_ca()
    dialog.findChild(QFileDialog).reject()


# Joining


def test_an_invitation_says_what_it_is_before_anything_is_sent(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation)
    show(dialog)
    assert not dialog.join_button.isEnabled()
    assert not dialog.passphrase.isVisible()
    dialog.code.show_written("chatdesk-join:nonsense")
    assert "That is not an invitation." in dialog.about.text()
    assert dialog.about.property("isDanger")
    dialog.code.show_written("chatdesk-join:member")
    for expected in ("by Ana Lima", "“Blue team”", "chatdesk on db.example.org", "Research (viewer)", "once, until"):
        assert expected in dialog.about.text(), expected
    assert dialog.my_name.text() == "Chi"
    with qtbot.waitSignal(dialog.joinRequested) as asked:
        press(dialog, "teamJoin")
    assert asked.args == ["chatdesk-join:member", "Chi", "", False]
    dialog.show_problem("It was used already.")
    assert dialog.join_button.isEnabled()
    dialog.my_name.clear()
    assert not dialog.join_button.isEnabled()


def test_a_code_of_an_own_computer_wants_its_passphrase(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation, text="chatdesk-join:sealed")
    show(dialog)
    assert not dialog.my_name.isVisible()
    QTest.keyClicks(dialog.passphrase, "maple-otter")
    qtbot.waitUntil(lambda: not dialog.is_unread)
    with qtbot.waitSignal(dialog.joinRequested) as asked:
        QTest.keyClick(dialog.passphrase, Qt.Key.Key_Return)
    assert asked.args == ["chatdesk-join:sealed", "", "maple-otter", False]


def test_an_expired_invitation_cannot_be_used(theme: Theme, show: Show) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation, text="chatdesk-join:expired")
    show(dialog)
    assert "Ask for a new one" in dialog.about.text()
    assert not dialog.join_button.isEnabled()


def test_a_way_without_encryption_has_to_be_agreed_to(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation, text="chatdesk-join:open")
    show(dialog)
    assert "not encrypted" in dialog.about.text()
    assert not dialog.join_button.isEnabled()
    dialog.unencrypted.click()
    with qtbot.waitSignal(dialog.joinRequested) as asked:
        press(dialog, "teamJoin")
    assert asked.args[3] is True


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for(theme: Theme, show: Show, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe\u202emep"
    os.mkfifo(pipe)
    joining = JoinWorkspaceDialog(theme, samples.read_invitation)
    show(joining)
    joining.fill_in_file(pipe)
    assert "pipe⟦U+202E⟧mep cannot be read" in texts(joining)
    making = CreateWorkspaceDialog(theme, samples.read_address)
    show(making)
    making.address.trust_ca(pipe)
    assert "pipe⟦U+202E⟧mep is not a certificate" in texts(making)


def test_an_invitation_comes_as_a_file_by_dialog_or_drop(theme: Theme, show: Show, tmp_path: Path) -> None:
    dialog = JoinWorkspaceDialog(theme, samples.read_invitation)
    show(dialog)
    path = tmp_path / "team.chatdesk-invite"
    path.write_text("chatdesk-join:member\n", encoding="utf-8")
    dialog.choose_file()
    chooser = dialog.findChild(QFileDialog)
    chooser.fileSelected.emit(str(path))
    chooser.reject()
    assert "Blue team" in dialog.about.text()
    dialog.fill_in_file(tmp_path / "missing")
    assert "missing cannot be read" in texts(dialog)
    dialog.code.clear()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    drop(dialog, data)
    assert "Blue team" in dialog.about.text()
    data = QMimeData()
    data.setText("chatdesk-join:sealed")
    drop(dialog, data)
    assert dialog.passphrase.isVisible()
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert read_file(tmp_path / "large") is None
    assert read_file(tmp_path / "bytes") is None


def drop(widget: JoinWorkspaceDialog, data: QMimeData) -> None:
    place, copy, none = QPoint(5, 5), Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(place, copy, data, LEFT, none)
    widget.dragEnterEvent(entering)
    assert entering.isAccepted()
    widget.dropEvent(QDropEvent(place.toPointF(), copy, data, LEFT, none))


# Inviting


def test_an_invitation_has_a_name_roles_and_an_end(theme: Theme, show: Show, qtbot: QtBot) -> None:
    projects = [("p1", "Research", tuple(TeamRole)), ("p2", "Plans", (TeamRole.VIEWER, TeamRole.EDITOR))]
    dialog = InviteDialog(theme, "Blue team", projects, chosen="p1")
    show(dialog)
    assert not dialog.invite_button.isEnabled()
    QTest.keyClicks(dialog.name, "Chi")
    choose_role(dialog.roles, "p2", 1)
    dialog.days.setValue(2)
    with qtbot.waitSignal(dialog.inviteRequested) as asked:
        press(dialog, "teamInviteMake")
    assert asked.args == ["Chi", {"p1": TeamRole.EDITOR, "p2": TeamRole.VIEWER}, 2]
    assert all(isinstance(role, TeamRole) for role in asked.args[1].values())
    dialog.show_invitation(samples.INVITATION)
    assert "works once, until" in texts(dialog)
    assert not dialog.name.isVisible()
    press(dialog, "teamCodeCopy")
    assert QGuiApplication.clipboard().text() == samples.INVITATION.code
    press(dialog, "teamLinkCopy")
    assert QGuiApplication.clipboard().text() == samples.INVITATION.link
    press(dialog, "teamCodeSave")
    chooser = dialog.findChild(QFileDialog)
    with qtbot.waitSignal(dialog.saveRequested) as saved:
        chooser.fileSelected.emit("/tmp/x/Chi.chatdesk-invite")
    chooser.reject()
    assert saved.args == ["/tmp/x/Chi.chatdesk-invite", samples.INVITATION.file_text]
    dialog.show_saved("/tmp/x/Chi.chatdesk-invite")
    assert "Saved as Chi.chatdesk-invite." in texts(dialog)
    assert "eyJ2" not in repr(samples.INVITATION), "codes are in no log"


def test_without_a_project_to_manage_an_invitation_says_so(theme: Theme, show: Show) -> None:
    dialog = InviteDialog(theme, "Blue/team", [])
    show(dialog)
    assert "No project is shared yet" in texts(dialog)


def test_a_further_computer_gets_a_code_and_a_passphrase(theme: Theme, show: Show) -> None:
    dialog = ComputerCodeDialog(theme, "…", samples.COMPUTER)
    show(dialog)
    assert dialog.passphrase.text() == "maple-otter-31-tide"
    assert "do not send both the same way" in texts(dialog)
    assert dialog.code_box.code.isReadOnly()
    press(dialog, "teamDone")
    assert not dialog.isVisible()


# Members and roles


def test_about_oneself_there_is_the_name_and_no_way_to_remove(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = MemberDialog(theme, samples.ANA, is_me=True)
    show(dialog)
    assert not has(dialog, "teamRemove")
    dialog.name.setText("Ana L.")
    with qtbot.waitSignal(dialog.renameRequested) as asked:
        press(dialog, "teamRename")
    assert asked.args == ["Ana L."]
    dialog.end_busy()
    with qtbot.waitSignal(dialog.passwordRequested):
        press(dialog, "teamNewPassword")


def test_roles_that_can_be_given_follow_ones_own() -> None:
    assert grantable(TeamRole.OWNER) == tuple(TeamRole)
    assert grantable(TeamRole.ADMIN) == (TeamRole.VIEWER, TeamRole.EDITOR)
    assert grantable(TeamRole.EDITOR) == ()
    assert grantable(None) == ()


# Sharing


def test_the_upload_is_counted_before_sharing(theme: Theme, show: Show, qtbot: QtBot) -> None:
    other = replace(samples.WORKSPACE, id="w2", name="Red team")
    dialog = ShareProjectDialog(theme, HOSTILE, (samples.WORKSPACE, other))
    show(dialog)
    assert not dialog.share_button.isEnabled()
    dialog.show_count(ShareCount(1, 2, 0, 0))
    assert dialog.count.text().startswith("1 thread and 2 messages are sent now")
    assert any(
        "Stopping to share removes nothing from the server" in label.text() for label in dialog.findChildren(QLabel)
    )
    dialog.show_count(ShareCount(3, 20, 2, 3 * 1024 * 1024))
    assert "3 threads, 20 messages and 2 attachments (3.0 MB)" in dialog.count.text()
    assert dialog.head.text() == f"Share “{HOSTILE}”"
    assert dialog.head.textFormat() is Qt.TextFormat.PlainText
    dialog.box.setCurrentIndex(1)
    with qtbot.waitSignal(dialog.shareRequested) as asked:
        press(dialog, "shareStart")
    assert asked.args == ["w2"]
    dialog.show_problem("The database is full.")
    assert dialog.share_button.isEnabled()


def test_a_shared_project_shows_who_sees_it(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = SharedProjectDialog(
        theme, "Research", samples.RESEARCH, samples.MEMBERS, me="m1", workspace_name="Blue team", kept_days=None
    )
    show(dialog)
    dialog.show_status(samples.WAITING)
    assert "Offline" in dialog.state.text()
    dialog.show_status(samples.SYNCED)
    assert dialog.state.text() == "3 changes wait."
    with qtbot.waitSignal(dialog.roleRequested) as asked:
        choose_role(dialog.roles, "m3", 2)
    assert asked.args == ["m3", TeamRole.EDITOR]
    dialog.show_roles(samples.MEMBERS)
    assert dialog.roles.role("m3") is TeamRole.VIEWER
    with qtbot.waitSignal(dialog.inviteRequested):
        press(dialog, "sharedInvite")
    assert button(dialog, "sharedEnd").text() == "Stop sharing…"
    with qtbot.waitSignal(dialog.endRequested):
        press(dialog, "sharedEnd")
    with qtbot.waitSignal(dialog.eraseRequested):
        press(dialog, "sharedErase")


def test_a_viewer_sees_roles_and_can_leave(theme: Theme, show: Show) -> None:
    mine = replace(samples.PLANS, role=TeamRole.VIEWER)
    dialog = SharedProjectDialog(
        theme, "Plans", mine, samples.MEMBERS, me="m1", workspace_name="Blue team", kept_days=90
    )
    show(dialog)
    assert dialog.roles.roles() == {}
    seen = [row[0] for row in dialog.roles.table.texts()]
    assert "Ben Okafor" in seen
    assert "Chi" not in " ".join(seen), "has no access to it"
    assert button(dialog, "sharedEnd").text() == "Leave project…"
    assert not has(dialog, "sharedInvite")
    assert "Messages are kept for 90 days." in texts(dialog)
    assert not dialog.retention.box.isVisible()
    assert not dialog.retention.set_button.isVisible()
    dialog.show_retention(None)
    assert "Messages are kept for ever." in texts(dialog)
    assert "Older messages are erased" not in texts(dialog)


def test_how_long_messages_are_kept_is_chosen_by_keys_and_asked_for_by_the_button(
    theme: Theme, show: Show, qtbot: QtBot
) -> None:
    admin = replace(samples.RESEARCH, role=TeamRole.ADMIN)
    dialog = SharedProjectDialog(
        theme, "Research", admin, samples.MEMBERS, me="m1", workspace_name="Blue team", kept_days=None
    )
    show(dialog)
    field = dialog.retention
    assert "Older messages are erased for everybody" in texts(dialog)
    assert [field.box.itemText(place) for place in range(field.box.count())] == [
        "For ever",
        "For 30 days",
        "For 90 days",
        "For 365 days",
        "Other…",
    ]
    assert field.box.currentText() == "For ever"
    assert not field.set_button.isEnabled(), "nothing else is chosen"
    QTest.keyClick(field.box, Qt.Key.Key_Down)
    QTest.keyClick(field.box, Qt.Key.Key_Down)
    assert not field.days.isVisible()
    field.set_button.setFocus()
    with qtbot.waitSignal(dialog.retentionRequested) as asked:
        QTest.keyClick(field.set_button, Qt.Key.Key_Return)
    assert asked.args == [90]
    assert not field.box.isEnabled(), "the first is being carried out"
    dialog.show_problem("The disk is full.")
    QTest.keyClick(field.box, Qt.Key.Key_End)
    assert field.days.isVisible()
    field.days.setValue(45)
    with qtbot.waitSignal(dialog.retentionRequested) as asked:
        press(dialog, "teamRetentionSet")
    assert asked.args == [45]
    dialog.show_retention(45)
    assert field.box.currentText() == "For 45 days"
    assert not field.days.isVisible()
    assert not field.set_button.isEnabled()
    QTest.keyClick(field.box, Qt.Key.Key_Home)
    with qtbot.waitSignal(dialog.retentionRequested) as asked:
        press(dialog, "teamRetentionSet")
    assert asked.args == [None]


def test_a_shorter_time_is_asked_about_and_says_what_goes() -> None:
    assert [is_shorter(days, than=None) for days in (1, None)] == [True, False]
    assert [is_shorter(days, than=90) for days in (89, 90, 91, None)] == [True, False, False, False]
    question, text, yes = shorter_words("Research", 1)
    assert question == "Keep messages of “Research” for 1 day only?"
    assert "older than 1 day are erased for everybody" in text
    assert "cannot be undone" in text
    assert yes == "Erase what is older"


def test_the_end_of_sharing_says_what_stays() -> None:
    question, text, yes = end_words(samples.RESEARCH, "Research", 2)
    assert question == "Stop sharing “Research”?"
    assert "2 other members" in text
    assert "nothing is deleted here" in text
    assert "3 changes of yours did not reach the team" in text
    assert yes == "Stop sharing"
    question, text, yes = end_words(samples.PLANS, "Plans", 0)
    assert (question, yes) == ("Leave “Plans”?", "Leave")
    assert "stays" in text
    going_up = replace(samples.RESEARCH, state=ShareState.SHARING)
    assert state_words(going_up) == "Older messages are being sent."
    assert state_words(replace(samples.RESEARCH, waiting=0)) == "Everything in it has reached the team."


def test_leaving_asks_whether_it_is_for_good(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = LeaveWorkspaceDialog(theme, "Blue team", waiting=4, is_owner=True)
    show(dialog)
    assert "4 changes did not reach the team yet" in texts(dialog)
    assert "Make somebody else an owner first." in texts(dialog)
    with qtbot.waitSignal(dialog.leaveRequested) as asked:
        press(dialog, "teamLeaveYes")
    assert asked.args == [False]
    dialog.show_problem("x")
    dialog.for_good.click()
    with qtbot.waitSignal(dialog.leaveRequested) as asked:
        press(dialog, "teamLeaveYes")
    assert asked.args == [True]


def test_a_password_is_typed_hidden(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = TeamPasswordDialog(theme, "Blue team", ServerAddress("db.example", 5432, "team", "ana"))
    show(dialog)
    assert dialog.field.echoMode() is dialog.field.EchoMode.Password
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert not dialog.is_busy
    QTest.keyClicks(dialog.field, "secret")
    with qtbot.waitSignal(dialog.given) as given:
        press(dialog, "teamPasswordUse")
    assert given.args == ["secret"]
    dialog.show_problem("The password is wrong.")
    assert dialog.use_button.isEnabled()


# Details


def test_details_show_the_log_and_what_a_check_found(theme: Theme, show: Show, qtbot: QtBot) -> None:
    other = replace(samples.WORKSPACE, id="w2", name="Red team")
    dialog = SyncDetailsDialog(theme, (samples.WORKSPACE, other), chosen="w1")
    show(dialog)
    dialog.show_status(samples.SYNCED)
    dialog.show_status(SyncStatus("w2", SyncPhase.OFFLINE))
    assert dialog.status.text().startswith("Synced at ")
    dialog.rounds.setCurrentIndex(dialog.rounds.model().index(0, 0))
    dialog.show_rounds(samples.ROUNDS)
    rows = dialog.rounds.texts()
    assert rows[0][1:] == ("Nothing was new.", "40 ms")
    assert rows[4][1] == "The server was away."
    dialog.rounds.setCurrentIndex(dialog.rounds.model().index(3, 1))
    dialog.show_rounds(samples.ROUNDS)
    assert dialog.rounds.currentIndex().row() == 3
    said = dialog.rounds.model().index(1, 1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "What: 1 sent, 2 received."
    with qtbot.waitSignal(dialog.syncRequested):
        press(dialog, "detailsSync")
    with qtbot.waitSignal(dialog.checkRequested) as asked:
        press(dialog, "detailsCheck")
    assert asked.args == ["w1"]
    dialog.show_check(ServerCheck())
    assert dialog.outcome.text() == "The server has lost nothing."
    with qtbot.waitSignal(dialog.workspaceChosen) as chosen:
        dialog.workspace.setCurrentIndex(1)
    assert chosen.args == ["w2"]


def test_refused_changes_are_copied_tried_again_and_forgotten(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = SyncDetailsDialog(theme, (samples.WORKSPACE,))
    show(dialog)
    dialog.show_refused(samples.CHANGES)
    assert "Refused: 2 changes" in texts(dialog)
    [first, _second] = dialog.refused.texts()
    assert first[1] == "You may only read this project."
    assert first[2].startswith("A long answer.")
    assert len(first[2]) < 400, "long texts are excerpts"
    for row, name, signal, wanted in (
        (None, "refused_copyText", dialog.copyTextRequested, samples.CHANGES[:1]),  # the first one is chosen
        (1, "refused_retry", dialog.retryRequested, samples.CHANGES[1:]),
        ("all", "refused_forget", dialog.forgetRequested, samples.CHANGES),
    ):
        if row == "all":
            dialog.refused.selectAll()
        elif row is not None:
            dialog.refused.selectRow(row)
        with qtbot.waitSignal(signal) as asked:
            press(dialog, name)
        assert asked.args == [wanted]
    dialog.show_refused(list(samples.CHANGES))
    assert len(dialog.refused.selectionModel().selectedRows()) == 2, "what is the same keeps its selection"
    dialog.show_refused([RefusedChange(f"c{n}", "p", None, "message", 0, "denied", "No.", "") for n in range(3_000)])
    assert "Refused: 3,000 changes" in texts(dialog)
    dialog.show_refused(())
    assert not dialog.refused.isVisible()


# For everybody


def test_everything_that_takes_the_focus_has_a_name(theme: Theme, show: Show) -> None:
    for sample, widget in samples.build_samples(theme):
        show(widget)
        for child in widget.findChildren(QWidget):
            if not (child.isVisible() and child.isEnabled() and child.focusPolicy() & Qt.FocusPolicy.TabFocus):
                continue
            if child.focusProxy() is not None:
                continue
            interface = QAccessible.queryAccessibleInterface(child)
            assert interface.text(QAccessible.Text.Name), (sample, child)
            assert child.objectName(), (sample, child)
        widget.close()


def test_panels_fit_a_small_window_at_twice_the_size_and_from_right_to_left(
    theme: Theme, show: Show, qapp: QApplication
) -> None:
    theme.set_scale(2.0)
    window = QWidget()
    window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    window.resize(900, 700)
    show(window)
    invite = InviteDialog(theme, "Blue team", [("p1", "Research", tuple(TeamRole))], parent=window)
    details = SyncDetailsDialog(theme, (samples.WORKSPACE,), parent=window)
    for dialog in (invite, details):
        dialog.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        show(dialog)
        qapp.processEvents()
        assert dialog.width() <= 900
        assert dialog.height() <= 700
        closing = [each for each in dialog.findChildren(QPushButton) if each.property("isWayOut")]
        assert all(each.mapTo(dialog, QPoint()).x() < dialog.width() // 2 for each in closing), "mirrored"
        dialog.close()
    theme.set_scale(1.0)


def test_escape_leaves_each_dialog(theme: Theme, show: Show) -> None:
    for _name, widget in samples.build_samples(theme):
        if isinstance(widget, Panel) and isinstance(widget, QDialog):
            show(widget)
            QTest.keyClick(widget, Qt.Key.Key_Escape)
            assert not widget.isVisible(), _name


@pytest.mark.parametrize(("scale", "height"), [(1.0, 420), (2.0, 600)])
def test_the_settings_never_scroll_sideways_and_their_tables_are_never_squashed(
    theme: Theme, qtbot: QtBot, scale: float, height: int
) -> None:
    theme.set_scale(scale)
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, height)
    window.show()
    values = {each.name: each.default for each in all_settings()} | {"backup_dir": "/home/me/backups"}
    dialog = SettingsDialog(theme, values, parent=window)
    page = TeamPage(theme)
    dialog.fill_page("Team sync", lambda: page)
    dialog.fill_page("Providers", lambda: ProviderPage(theme))
    provider_page(dialog).show_providers([providers.OPENAI, providers.OLLAMA, providers.TEAM])
    provider_page(dialog).row("team").show_test("401: Team gateway did not accept the API key", False)
    dialog.show()
    page.show_workspaces((samples.workspace_view(samples.REFUSED),), now_ms=samples.NOW)
    for title in ("General", "Providers", "Context", "Team sync", "Data and backup", "Shortcuts"):
        dialog.show_page(title)
        area = next(each for each in dialog.findChildren(SettingsPage) if each.isVisible())
        qtbot.waitUntil(lambda area=area: area.is_built)
        qtbot.waitUntil(lambda area=area: area.widget().width() == area.viewport().width())
        assert area.horizontalScrollBar().maximum() == 0, title
        if title == "Team sync":
            qtbot.waitUntil(lambda area=area: area.verticalScrollBar().maximum() > 0)
            for box in page.findChildren(ActionTable):
                assert box.table.geometry().bottom() < box.button.y()
                assert box.table.verticalScrollBar().maximum() == 0, "three rows are all in view"
    theme.set_scale(1.0)


def test_an_invitation_includes_the_only_project(theme: Theme, show: Show, qtbot: QtBot) -> None:
    for offered, role in ((tuple(TeamRole), TeamRole.EDITOR), ((TeamRole.VIEWER,), TeamRole.VIEWER)):
        dialog = InviteDialog(theme, "Blue team", [("p1", "Research", offered)])
        show(dialog)
        QTest.keyClicks(dialog.name, "Chi")
        with qtbot.waitSignal(dialog.inviteRequested) as asked:
            QTest.keyClick(dialog.name, Qt.Key.Key_Return)
        assert asked.args[1] == {"p1": role}


@pytest.mark.parametrize(
    ("host", "word"),
    [
        ("localhost", "only this computer"),
        ("127.0.0.1", "only this computer"),
        ("::1", "only this computer"),
        ("nas.local", "own network"),
        ("nas", "own network"),
        ("192.168.1.9", "own network"),
        ("db.example.org", ""),
        ("203.0.114.7", ""),
    ],
)
def test_a_server_that_others_do_not_reach_is_said_before_anybody_is_invited(
    theme: Theme, show: Show, host: str, word: str
) -> None:
    warning = reach_text(host)
    assert word in warning
    assert bool(warning) is bool(word)
    dialog = InviteDialog(theme, "Blue team", [], warning=warning)
    show(dialog)
    assert dialog.warning.isVisible() is bool(word)


def test_sharing_where_new_chats_go_is_warned_about_and_a_new_project_offered(
    theme: Theme, show: Show, qtbot: QtBot
) -> None:
    dialog = ShareProjectDialog(theme, "Personal", (samples.WORKSPACE,), takes_new_chats=True)
    show(dialog)
    dialog.show_count(ShareCount(1, 2, 0, 0))
    assert "New threads go into “Personal”" in dialog.warning.text()
    assert dialog.focusWidget() is dialog.new_button  # so that Enter does not share it
    with qtbot.waitSignal(dialog.newProjectRequested):
        press(dialog, "shareNewProject")
    assert not dialog.isVisible()
    other = ShareProjectDialog(theme, "Research", (samples.WORKSPACE,))
    show(other)
    assert not other.warning.isVisible()
    assert not other.new_button.isVisible()


def test_lost_changes_are_listed_and_only_an_owner_accepts_the_loss(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = SyncDetailsDialog(theme, (samples.WORKSPACE,))
    show(dialog)
    mine, theirs = samples.LOST
    dialog.show_check(samples.DAMAGED)
    said = texts(dialog)
    assert "“Research”: the server has lost 5 changes." in said
    assert "4 changes (numbers 12 to 15), made between 20" in said
    assert "1 change (number 40), made since 20" in said
    assert "An owner of the project can let it go on without them." in said
    assert not has(dialog, f"lost_{theirs.project_id}")
    assert button(dialog, f"lost_{mine.project_id}").accessibleName() == "Let “Research” go on without 5 changes?"
    with qtbot.waitSignal(dialog.goOnRequested) as asked:
        press(dialog, f"lost_{mine.project_id}")
    assert asked.args == [mine]
    many = replace(mine, ranges=tuple(LostRange(number, number) for number in range(1, 60, 2)))
    dialog.show_check(ServerCheck((many,)))
    assert "… and 18 more." in texts(dialog)
    dialog.show_check(ServerCheck(accepted=("“Research”: on that day, Ana let it go on.",)))
    assert dialog.outcome.text() == ("The server has lost nothing.\n“Research”: on that day, Ana let it go on.")
    assert not has(dialog, f"lost_{mine.project_id}")


def test_an_owner_ends_the_connections_of_who_holds_others_up(theme: Theme, show: Show, qtbot: QtBot) -> None:
    dialog = MemberDialog(theme, samples.BEN, is_me=False)
    show(dialog)
    with qtbot.waitSignal(dialog.disconnectRequested):
        press(dialog, "teamDisconnect")
    dialog.end_busy()
    with qtbot.waitSignal(dialog.removeRequested):
        press(dialog, "teamRemove")


def test_whom_a_removed_member_had_invited_is_told() -> None:
    words = invited_words("Ben", [f"Eve {number}" for number in range(10)])
    assert words.startswith("Ben invited Eve 0, Eve 1,")
    assert "and 2 more" in words
    assert "more" not in invited_words("Ben", ["Eve"])
