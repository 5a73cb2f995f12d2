"""Shows the page *Team sync* of the settings: the ways to join, or the workspace, its projects, people and computers.

The work is done by ``ui/features/team/team_binding.py``. Actions here take effect at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.domain.sharing.team import (
    SharedProject,
    SyncPhase,
    SyncStatus,
    TeamDevice,
    TeamMember,
    TeamRole,
    Workspace,
)
from chatdesk.core.sync.errors import TeamNotUpgraded
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
from chatdesk.ui.features.team.pages.team_members import member_rows
from chatdesk.ui.features.team.pages.team_rows import device_rows, project_rows
from chatdesk.ui.features.team.pages.team_table import ActionTable
from chatdesk.ui.features.team.pages.team_text import (
    OUTDATED,
    WHAT_LEAVES,
    WHO_CAN_READ,
    address_words,
    day,
)
from chatdesk.ui.features.team.sync_status_text import status_icon, status_words
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import FlowRow, bare_column
from chatdesk.ui.widgets.painting import paint_box

# Codes of ``TeamError``; no password opens a login that was closed, or another's database.
_PASSWORD_HELPS = ("team_login_refused", "team_password_missing")


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """The data that the page shows of one workspace. ``names`` holds the names of projects by id."""

    workspace: Workspace
    status: SyncStatus
    projects: Sequence[SharedProject]
    members: Sequence[TeamMember]
    devices: Sequence[TeamDevice]
    names: Mapping[str, str]

    @property
    def my_roles(self) -> dict[str, TeamRole]:
        return {each.project_id: each.role for each in self.projects if each.ended is None}


def can_invite(view: WorkspaceView) -> bool:
    """Return whether this person may invite: owners of the workspace and managers of its projects may."""
    return view.workspace.is_owner or any(role.can_manage for role in view.my_roles.values())


class TeamPage(QWidget):
    """The settings page of team sync. All signals but the first two carry the id of a workspace and the subject of the
    request."""

    createRequested = Signal()
    joinRequested = Signal()
    inviteRequested = Signal(str)
    computerRequested = Signal(str)
    renameRequested = Signal(str)
    moveRequested = Signal(str)
    leaveRequested = Signal(str)
    detailsRequested = Signal(str)
    passwordRequested = Signal(str)
    projectRequested = Signal(str, str)
    memberRequested = Signal(str, str)
    deviceRemoveRequested = Signal(str, str)
    joinAgainRequested = Signal(str)
    parkedLeaveRequested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._blocks: dict[str, _Workspace] = {}
        self.setObjectName("teamPage")
        self.said = plain_label("", "text", wraps=True, name="teamSaid")
        self.said.setAccessibleName(tr("Result"))
        self.said.hide()
        self._parked = QVBoxLayout()
        self._parked.setSpacing(theme.tokens.space.m)
        self._rooms = QVBoxLayout()
        self._rooms.setSpacing(theme.tokens.space.xl)
        self._ways = QVBoxLayout()
        self._ways.setSpacing(theme.tokens.space.m)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.tokens.space.s, 0, theme.tokens.space.s)
        column.setSpacing(theme.tokens.space.m)
        column.addWidget(self.said)
        column.addLayout(self._parked)
        column.addLayout(self._rooms)
        column.addLayout(self._ways)
        self._show_ways(is_first=True)

    @property
    def theme(self) -> Theme:
        return self._theme

    def show_workspaces(self, views: Sequence[WorkspaceView], *, now_ms: int) -> None:
        """Show these workspaces. Those that are shown already keep their widgets, and with them the focus."""
        if [block.heading for block in self._blocks.values()] == [_heading(view) for view in views] and views:
            for view in views:
                self._blocks[view.workspace.id].show_view(view, now_ms)
            return
        focused = self.focusWidget()
        clear_layout(self._rooms)
        self._blocks = {}
        for view in views:
            block = self._blocks[view.workspace.id] = _Workspace(self._theme, self, view, now_ms)
            self._rooms.addWidget(block)
        self._show_ways(is_first=not views)
        if focused is not None and self._blocks:  # the focused widget was removed
            list(self._blocks.values())[-1].details_button.setFocus()

    def show_parked(self, workspaces: Sequence[Workspace]) -> None:
        """Show workspaces to be joined again, each with its server, which is connected to only on a click."""
        clear_layout(self._parked)
        for workspace in workspaces:
            self._parked.addWidget(plain_label(workspace.name, "strong"))
            words = tr(
                "This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to"
                " {address} until you say so; what waits here is sent then.",
                address=address_words(workspace.address),
            )
            self._parked.addWidget(plain_label(words, "muted", wraps=True))
            row = FlowRow(self._theme.tokens.space.s)
            again = push_button(
                tr("Connect again"), "teamJoinAgain", partial(self.joinAgainRequested.emit, workspace.id)
            )
            leave = push_button(
                tr("Give it up"), "teamParkedLeave", partial(self.parkedLeaveRequested.emit, workspace.id)
            )
            again.setAccessibleDescription(words)
            leave.setAccessibleDescription(
                tr("Give {name} up; its projects stay here as private copies", name=workspace.name)
            )
            row.addWidget(again)
            row.addWidget(leave)
            self._parked.addLayout(row)

    def show_status(self, status: SyncStatus) -> None:
        """Show the changed sync state of a workspace."""
        block = self._blocks.get(status.workspace_id)
        if block is not None:
            block.show_status(status)

    def show_result(self, text: str) -> None:
        """Show the result of an action on this page; an empty text hides it."""
        self.said.setText(text)
        self.said.setVisible(bool(text))
        announce(self, text)

    def _show_ways(self, *, is_first: bool) -> None:
        clear_layout(self._ways)
        if not is_first:
            row = FlowRow(self._theme.tokens.space.s)
            for text, name, signal in (
                (tr("Create another workspace…"), "teamCreate", self.createRequested),
                (tr("Join another workspace…"), "teamJoinOther", self.joinRequested),
            ):
                row.addWidget(push_button(text, name, signal.emit))
            self._ways.addLayout(row)
            return
        words = tr(
            "Work in the same projects with others, or on several computers of yours. Every computer keeps "
            "everything and works offline; a PostgreSQL database of yours carries the changes, and no server of "
            "ours is involved."
        )
        self._ways.addWidget(plain_label(words, "text", wraps=True))
        self._ways.addWidget(
            WayCard(
                self._theme,
                tr("Create a workspace"),
                tr("For a team that has none: sets up an empty database that you give, and makes you its owner."),
                push_button(tr("Create a workspace…"), "teamCreate", self.createRequested.emit),
            )
        )
        self._ways.addWidget(
            WayCard(
                self._theme,
                tr("Join a workspace"),
                tr(
                    "With an invitation: a code, a link or a file that somebody of the team, or another computer of "
                    "yours, made. Nothing is sent before you have seen what it is."
                ),
                push_button(tr("Join a workspace…"), "teamJoinOther", self.joinRequested.emit),
            )
        )
        self._ways.addWidget(plain_label(shown(WHAT_LEAVES), "muted", wraps=True))
        self._ways.addWidget(plain_label(shown(WHO_CAN_READ), "muted", wraps=True))


class _Workspace(QWidget):
    def __init__(self, theme: Theme, page: TeamPage, view: WorkspaceView, now_ms: int) -> None:
        super().__init__(page)
        workspace = view.workspace
        self._theme = theme
        self.heading = _heading(view)
        self.setObjectName(f"teamWorkspace_{workspace.id}")
        self._mark = Mark(theme)
        self.status = plain_label("", "text", wraps=True, name=f"teamStatus_{workspace.id}")
        self._password = push_button(
            tr("Enter the password…"), "teamPasswordEnter", lambda: page.passwordRequested.emit(workspace.id)
        )
        self._is_owner = workspace.is_owner
        self._outdated = plain_label(shown(OUTDATED), "muted", wraps=True, name="teamOutdated")
        how = QHBoxLayout()
        how.setSpacing(theme.tokens.space.s)
        how.addWidget(self._mark)
        how.addWidget(self.status, 1)
        self.details_button = push_button(
            tr("Details…"),
            f"teamDetails_{workspace.id}",
            lambda: page.detailsRequested.emit(workspace.id),
            name=tr("Details of syncing with {name}", name=workspace.name),
        )
        how.addWidget(self.details_button)
        column = bare_column(self, spacing_px=theme.tokens.space.s)
        column.addWidget(plain_label(workspace.name, "header", wraps=True))
        about = tr("{address}, joined {day}", address=address_words(workspace.address), day=day(workspace.joined_at))
        column.addWidget(plain_label(about, "muted", wraps=True))
        column.addLayout(how)
        column.addWidget(self._password, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._outdated)
        column.addLayout(self._actions(page, view))
        column.addSpacing(theme.tokens.space.s)
        self.projects = self._table(
            column, tr("Shared projects"), (tr("Project"), tr("Role and state")), "teamProjects", tr("Sharing…")
        )
        self.projects.actRequested.connect(partial(page.projectRequested.emit, workspace.id))
        none = tr("None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.")
        self._no_projects = plain_label(none, "muted", wraps=True)
        column.addWidget(self._no_projects)
        self.members = self._table(
            column, tr("Members"), (tr("Name"), tr("What"), tr("Roles")), "teamMembers", tr("Manage…")
        )
        self.members.actRequested.connect(partial(page.memberRequested.emit, workspace.id))
        self.devices = self._table(
            column, tr("Devices"), (tr("Computer"), tr("About")), "teamDevices", tr("Take off the list…")
        )
        self.devices.actRequested.connect(partial(page.deviceRemoveRequested.emit, workspace.id))
        self.show_view(view, now_ms)

    def show_view(self, view: WorkspaceView, now_ms: int) -> None:
        """Show the current state of the same workspace."""
        workspace = view.workspace
        people = {each.id: each.name for each in view.members}
        self.projects.show_rows(project_rows(view.projects, view.names))
        self.projects.setVisible(bool(view.projects))
        self._no_projects.setVisible(not view.projects)
        is_owner = workspace.is_owner
        self.members.show_rows(member_rows(view.members, view.names, me=workspace.member_id, is_owner=is_owner))
        self.devices.show_rows(
            device_rows(
                view.devices,
                names=lambda member: people.get(member, tr("somebody")),
                removable=lambda member: is_owner or member == workspace.member_id,
                now_ms=now_ms,
            )
        )
        self.show_status(view.status)

    def _table(
        self, column: QVBoxLayout, title: str, headings: Sequence[str], object_name: str, action: str
    ) -> ActionTable:
        column.addSpacing(self._theme.tokens.space.s)
        column.addWidget(plain_label(title, "strong"))
        table = ActionTable(
            self._theme,
            headings,
            name=title,
            object_name=object_name,
            action=action,
            wide=len(headings) - 1,
            parent=self,
        )
        column.addWidget(table)
        return table

    def show_status(self, status: SyncStatus) -> None:
        text = status_words(status)
        self.status.setText(text)
        self.status.setAccessibleName(text)
        self._mark.show_icon(*status_icon(status))
        self._password.setVisible(status.phase is SyncPhase.REFUSED and status.code in _PASSWORD_HELPS)
        self._outdated.setVisible(self._is_owner and (status.is_outdated or status.code == TeamNotUpgraded.code))

    @staticmethod
    def _actions(page: TeamPage, view: WorkspaceView) -> FlowRow:
        workspace = view.workspace
        buttons = [
            push_button(
                tr("Add a computer of mine…"), "teamAddComputer", lambda: page.computerRequested.emit(workspace.id)
            ),
            push_button(
                tr("Address…"),
                "teamMove",
                lambda: page.moveRequested.emit(workspace.id),
                name=tr("Address of the server of {name}", name=workspace.name),
            ),
            push_button(tr("Leave…"), "teamLeave", lambda: page.leaveRequested.emit(workspace.id), is_danger=True),
        ]
        if can_invite(view):
            buttons.insert(
                0,
                push_button(
                    tr("Invite…"),
                    "teamInvite",
                    lambda: page.inviteRequested.emit(workspace.id),
                    name=tr("Invite somebody to {name}", name=workspace.name),
                    is_primary=True,
                ),
            )
        if workspace.is_owner:
            rename = push_button(tr("Rename…"), "teamRename", lambda: page.renameRequested.emit(workspace.id))
            buttons.insert(-2, rename)
        row = FlowRow(page.theme.tokens.space.s)
        for button in buttons:
            row.addWidget(button)
        return row


def _heading(view: WorkspaceView) -> tuple[object, ...]:
    """Return the values of a workspace whose widgets are built only once."""
    return replace(view.workspace, clock_offset_ms=0), can_invite(view)


class WayCard(QFrame):
    """A card that describes one way to start, with its button."""

    def __init__(self, theme: Theme, title: str, hint: str, button: QWidget) -> None:
        super().__init__()
        self._theme = theme
        button.setAccessibleDescription(hint)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(plain_label(title, "strong", wraps=True))
        words.addWidget(plain_label(hint, "muted", wraps=True))
        column = QVBoxLayout(self)
        space = theme.tokens.space
        column.setContentsMargins(space.l, space.m, space.l, space.m)
        column.setSpacing(space.s)
        column.addLayout(words)
        row = QHBoxLayout()
        row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        area, radius = QRectF(self.rect()), theme.tokens.radius.code
        paint_box(painter, area, radius, fill=theme.colour("surface"), border=theme.colour("line"))
        painter.end()
