"""Team sync: the page of the settings without and with a workspace, and its dialogs in their states."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.sharing.lost_changes import LostChanges, LostRange
from chatdesk.core.domain.sharing.team import (
    EndReason,
    MemberStatus,
    RefusedChange,
    ServerAddress,
    ServerCheck,
    ShareCount,
    SharedProject,
    ShareState,
    SyncPhase,
    SyncRound,
    SyncStatus,
    TeamDevice,
    TeamMember,
    TeamRole,
    Workspace,
)
from chatdesk.core.domain.sharing.team_setup import (
    CheckState,
    CodeKind,
    ComputerCode,
    Invitation,
    InvitationView,
    SetupCheck,
)
from chatdesk.core.errors import InvalidInput
from chatdesk.core.settings.schema import all_settings
from chatdesk.core.texts import Text
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.team.pages.share_project import SharedProjectDialog, ShareProjectDialog
from chatdesk.ui.features.team.pages.sync_details import SyncDetailsDialog
from chatdesk.ui.features.team.pages.team_create import CreateWorkspaceDialog
from chatdesk.ui.features.team.pages.team_invite import ComputerCodeDialog, InviteDialog
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from chatdesk.ui.features.team.pages.team_leave import LeaveWorkspaceDialog, TeamPasswordDialog
from chatdesk.ui.features.team.pages.team_members import MemberDialog
from chatdesk.ui.features.team.pages.team_page import TeamPage, WorkspaceView
from chatdesk.ui.features.team.pages.team_server import MoveWorkspaceDialog
from chatdesk.ui.theme.theme import Theme

NOW = 1_790_000_000_000
MINUTE = 60_000
ADDRESS = ServerAddress("db.example.org", 5432, "chatdesk", "cd_4f2a_9c1e")
WORKSPACE = Workspace("w1", "Blue team", ADDRESS, "m1", is_owner=True, joined_at=NOW - 9_000 * MINUTE)
RESEARCH = SharedProject("p1", "w1", TeamRole.OWNER, ShareState.SHARED, seq=812, waiting=3)
PLANS = SharedProject("p2", "w1", TeamRole.EDITOR, ShareState.SHARED, seq=40, refused=1)
OLD = SharedProject("p3", "w1", TeamRole.EDITOR, ShareState.ENDED, ended=EndReason.UNSHARED)
NAMES = {"p1": "Research", "p2": "Plans for next year", "p3": "Old things"}
ANA = TeamMember("m1", "Ana Lima", True, MemberStatus.ACTIVE, None, {"p1": TeamRole.OWNER, "p2": TeamRole.EDITOR})
BEN = TeamMember("m2", "Ben Okafor", False, MemberStatus.ACTIVE, None, {"p1": TeamRole.EDITOR, "p2": TeamRole.OWNER})
CHI = TeamMember("m3", "Chi", False, MemberStatus.INVITED, NOW - 30 * MINUTE, {"p1": TeamRole.VIEWER})
GONE = TeamMember("m4", "Dora", False, MemberStatus.REMOVED)
MEMBERS = (BEN, ANA, CHI, GONE)
DEVICES = (
    TeamDevice("d2", "m2", "ben-laptop", "0.1.0", NOW - MINUTE // 2),
    TeamDevice("d1", "m1", "ana-desk", "0.1.0", NOW, is_this=True),
    TeamDevice("d3", "m1", "ana-travel", "0.1.0", NOW - 5_000 * MINUTE),
)
SYNCED = SyncStatus("w1", SyncPhase.SYNCED, synced_at=NOW)
WAITING = SyncStatus("w1", SyncPhase.OFFLINE, synced_at=NOW - 90 * MINUTE, waiting=12, next_try_at=NOW + MINUTE)
REFUSED = SyncStatus(
    "w1",
    SyncPhase.REFUSED,
    synced_at=NOW - 90 * MINUTE,
    refused=2,
    problem="The password is wrong.",
    next_step="Enter the password, or ask for a new invitation.",
    code="team_login_refused",
)
CHECKS = (
    SetupCheck(Text("Connection"), CheckState.OK, Text("The server answers, and proves who it is.")),
    SetupCheck(Text("Version"), CheckState.OK, Text("It is PostgreSQL 18.4.")),
    SetupCheck(
        Text("Connections"),
        CheckState.WARNING,
        Text("There is room for 20 connections; a team of more than 10 needs more."),
    ),
    SetupCheck(
        Text("Roles"),
        CheckState.FAILED,
        Text("The user owner may not create roles. Use an account that may: CREATEROLE."),
    ),
)
INVITATION = Invitation("chatdesk-join:" + "eyJ2IjoxLCJob3N0Ijoi" * 18, "chatdesk://join/eyJ2", "{}", NOW, "m3", "Chi")
COMPUTER = ComputerCode(
    "chatdesk-join:" + "eyJ2IjoxLCJzZWFs" * 16, "chatdesk://join/x", "{}", "maple-otter-31-tide", NOW
)
VIEW = InvitationView(
    CodeKind.MEMBER, "w1", "Blue team", ADDRESS, NOW, False, "Chi", "Ana Lima", (("Research", TeamRole.VIEWER),)
)
SEALED = InvitationView(CodeKind.COMPUTER, "w1", "Blue team", None, NOW, False)
EXPIRED = InvitationView(CodeKind.MEMBER, "w1", "Blue team", ADDRESS, NOW, True, "Chi", "Ana Lima")
OPEN = InvitationView(
    CodeKind.MEMBER, "w1", "Blue team", ServerAddress("127.0.0.1", 5433, "team", "u", tls="disable"), NOW, False, "Chi"
)
LOST = (
    LostChanges(
        "p1",
        "Research",
        (LostRange(12, 15, NOW - 9_000 * MINUTE, NOW - 8_000 * MINUTE), LostRange(40, 40, NOW - 90 * MINUTE)),
        may_accept=True,
    ),
    LostChanges("p2", "Plans for next year", (LostRange(1, 3, None, NOW - 8_000 * MINUTE),)),
)
_SAME = ServerCheck()
DAMAGED = ServerCheck(LOST)
CHANGES = (
    RefusedChange(
        "c1", "p2", "t1", "message", NOW, "denied", "You may only read this project.", "A long answer. " * 60
    ),
    RefusedChange(
        "c2", "p2", "t1", "thread", NOW, "denied", "Only its author or an admin can rename this thread.", "x"
    ),
)
ROUNDS = tuple(
    SyncRound(NOW - each * MINUTE, "w1", each % 3, 2 * each % 5, 40 + each, "The server was away." if each == 4 else "")
    for each in range(12)
)


def read_address(text: str) -> tuple[ServerAddress, str]:
    """As ``core.sync.address.read_address``, for one text."""
    if "://" not in text:
        raise InvalidInput(
            "That is not a connection string.", safe="Nothing was sent.", next_step="Fill in the fields."
        )
    return ServerAddress("db.example.org", 6543, "team", "owner"), "secret"


def read_invitation(text: str) -> InvitationView:
    """By its last word."""
    views = {"sealed": SEALED, "expired": EXPIRED, "open": OPEN, "member": VIEW}
    if text.split(":")[-1] not in views:
        raise InvalidInput("That is not an invitation.", safe="Nothing was sent.", next_step="Paste all of the code.")
    return views[text.split(":")[-1]]


def workspace_view(status: SyncStatus = SYNCED) -> WorkspaceView:
    return WorkspaceView(WORKSPACE, status, (RESEARCH, PLANS, OLD), MEMBERS, DEVICES, NAMES)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("settings-team-none", _page(theme)),
        ("settings-team", _page(theme, workspace_view())),
        ("settings-team-refused", _page(theme, workspace_view(REFUSED))),
        ("team-create", CreateWorkspaceDialog(theme, read_address)),
        ("team-create-checks", _checked(theme)),
        ("team-create-names", _named(theme)),
        ("team-join", _joining(theme, "")),
        ("team-join-member", _joining(theme, "chatdesk-join:member")),
        ("team-join-computer", _joining(theme, "chatdesk-join:sealed")),
        ("team-join-expired", _joining(theme, "chatdesk-join:expired")),
        ("team-join-open", _joining(theme, "chatdesk-join:open")),
        ("team-join-failed", _join_failed(theme)),
        ("team-invite", _inviting(theme, is_made=False)),
        ("team-invite-many", _inviting_to_many(theme)),
        ("team-invite-code", _inviting(theme, is_made=True)),
        ("team-computer", ComputerCodeDialog(theme, "Blue team", COMPUTER)),
        ("team-member", _member(theme)),
        ("team-leave", LeaveWorkspaceDialog(theme, "Blue team", waiting=4, is_owner=True)),
        ("settings-team-outdated", _page(theme, workspace_view(replace(SYNCED, is_outdated=True)))),
        ("team-parked", _page(theme, is_parked=True)),
        ("team-move", MoveWorkspaceDialog(theme, "Blue team", ADDRESS, read_address)),
        ("team-password", TeamPasswordDialog(theme, "Blue team", ADDRESS)),
        ("team-share", _sharing(theme)),
        ("team-shared", _shared(theme)),
        ("team-shared-retention", _shared_for_a_while(theme)),
        ("team-shared-viewer", _shared_with_a_viewer(theme)),
        ("team-details", _details(theme, SYNCED)),
        ("team-details-lost", _details(theme, REFUSED, found=DAMAGED)),
        ("team-details-refused", _details(theme, REFUSED, is_refused=True)),
    ]


def _page(theme: Theme, *views: WorkspaceView, is_parked: bool = False) -> QWidget:
    dialog = SettingsDialog(theme, {setting.name: setting.default for setting in all_settings()})
    page = TeamPage(theme)
    page.show_workspaces(views, now_ms=NOW)
    if is_parked:
        page.show_parked((WORKSPACE,))
    dialog.fill_page("Team sync", lambda: page)
    dialog.show_page("Team sync")
    return dialog


def _checked(theme: Theme) -> QWidget:
    dialog = CreateWorkspaceDialog(theme, read_address)
    dialog.address.show_address(ServerAddress("db.example.org", 5432, "team", "owner"), "secret")
    dialog.show_checks(CHECKS)
    return dialog


def _named(theme: Theme) -> QWidget:
    dialog = _checked(theme)
    assert isinstance(dialog, CreateWorkspaceDialog)
    dialog.show_checks(CHECKS[:3])
    dialog.next_button.click()
    dialog.name.setText("Blue team")
    dialog.my_name.setText("Ana Lima")
    dialog.set_up_button.click()
    return dialog


def _joining(theme: Theme, text: str) -> JoinWorkspaceDialog:
    return JoinWorkspaceDialog(theme, read_invitation, text=text)


def _join_failed(theme: Theme) -> QWidget:
    dialog = _joining(theme, "chatdesk-join:member")
    dialog.show_problem(
        "This invitation was used already. Nothing was changed on this computer. Ask whoever sent it for a new one."
    )
    return dialog


def _inviting(theme: Theme, *, is_made: bool) -> QWidget:
    projects = [("p1", "Research", tuple(TeamRole)), ("p2", "Plans for next year", (TeamRole.VIEWER, TeamRole.EDITOR))]
    dialog = InviteDialog(theme, "Blue team", projects, chosen="p1")
    dialog.name.setText("Chi")
    if is_made:
        dialog.show_invitation(INVITATION)
    return dialog


def _inviting_to_many(theme: Theme) -> QWidget:
    projects = [(f"p{each}", f"Project {each} of the blue team", tuple(TeamRole)) for each in range(1, 201)]
    dialog = InviteDialog(theme, "Blue team", projects, chosen="p3")
    dialog.name.setText("Chi")
    dialog.setProperty("focusOn", "teamInviteRolesTable")
    return dialog


def _member(theme: Theme) -> QWidget:
    return MemberDialog(theme, BEN, is_me=False)


def _sharing(theme: Theme) -> QWidget:
    dialog = ShareProjectDialog(theme, "Research", (WORKSPACE,), takes_new_chats=True)
    dialog.show_count(ShareCount(214, 8_730, 61, 48_300_000))
    return dialog


def _shared(theme: Theme) -> SharedProjectDialog:
    dialog = SharedProjectDialog(
        theme, "Research", RESEARCH, MEMBERS, me="m1", workspace_name="Blue team", kept_days=None
    )
    dialog.show_status(WAITING)
    return dialog


def _shared_for_a_while(theme: Theme) -> QWidget:
    dialog = _shared(theme)
    dialog.show_retention(45)
    dialog.retention.box.setCurrentIndex(dialog.retention.box.count() - 1)
    dialog.retention.days.setValue(60)
    return dialog


def _shared_with_a_viewer(theme: Theme) -> QWidget:
    mine = replace(PLANS, role=TeamRole.VIEWER)
    return SharedProjectDialog(theme, "Plans", mine, MEMBERS, me="m1", workspace_name="Blue team", kept_days=90)


def _details(theme: Theme, status: SyncStatus, *, is_refused: bool = False, found: ServerCheck = _SAME) -> QWidget:
    dialog = SyncDetailsDialog(theme, (WORKSPACE,))
    dialog.show_status(status)
    dialog.show_rounds(ROUNDS)
    if is_refused:
        dialog.show_refused(CHANGES)
    else:
        dialog.show_check(found)
    return dialog
