"""The page *Team sync* of the settings: what there is to join, or the workspace, its projects, people and computers.

It shows and asks; ``ui/application/team_binding.py`` does. What is done here holds at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.domain.team import SharedProject, SyncStatus, TeamDevice, TeamMember, TeamRole, Workspace
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.team_devices import DeviceList
from chatdesk.ui.dialogs.team_members import MemberList
from chatdesk.ui.dialogs.team_parts import Mark, clear, line, push_button
from chatdesk.ui.dialogs.team_words import (
    WHAT_LEAVES,
    WHO_CAN_READ,
    address_words,
    day,
    project_words,
    status_icon,
    status_words,
)
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.flow_row import FlowRow
from chatdesk.ui.widgets.painting import paint_box


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """What the page shows of one workspace. ``names``: of projects, by id."""

    workspace: Workspace
    status: SyncStatus
    projects: Sequence[SharedProject]
    members: Sequence[TeamMember]
    devices: Sequence[TeamDevice]
    names: Mapping[str, str]

    @property
    def my_roles(self) -> dict[str, TeamRole]:
        return {each.project_id: each.role for each in self.projects if each.ended is None}


class TeamPage(QWidget):
    """Signals but the first two have the id of a workspace, and what it is about."""

    createRequested = Signal()
    joinRequested = Signal()
    inviteRequested = Signal(str)
    computerRequested = Signal(str)
    renameRequested = Signal(str)
    leaveRequested = Signal(str)
    detailsRequested = Signal(str)
    passwordRequested = Signal(str)
    projectRequested = Signal(str, str)
    memberRequested = Signal(str, str)
    deviceRemoveRequested = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._blocks: dict[str, _Workspace] = {}
        self.setObjectName("teamPage")
        self.said = plain_label("", "text", wraps=True)
        self.said.setObjectName("teamSaid")
        self.said.setAccessibleName("Result")
        self.said.hide()
        self._rooms = QVBoxLayout()
        self._rooms.setSpacing(theme.tokens.space.xl)
        self._ways = QVBoxLayout()
        self._ways.setSpacing(theme.tokens.space.m)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.tokens.space.s, 0, theme.tokens.space.s)
        column.setSpacing(theme.tokens.space.m)
        column.addWidget(self.said)
        column.addLayout(self._rooms)
        column.addLayout(self._ways)
        self._show_ways(is_first=True)

    @property
    def theme(self) -> Theme:
        return self._theme

    def show_workspaces(self, views: Sequence[WorkspaceView], *, now_ms: int) -> None:
        """All anew; the focus stays on the button that has it, if that is there still."""
        focus = self.focusWidget()
        name = focus.objectName() if focus is not None and self.isAncestorOf(focus) else ""
        clear(self._rooms)
        self._blocks = {}
        for view in views:
            block = self._blocks[view.workspace.id] = _Workspace(self._theme, self, view, now_ms)
            self._rooms.addWidget(block)
        self._show_ways(is_first=not views)
        again = self.findChild(QWidget, name) if name else None
        if again is not None:
            again.setFocus()

    def show_status(self, status: SyncStatus) -> None:
        """A workspace stands differently."""
        block = self._blocks.get(status.workspace_id)
        if block is not None:
            block.show_status(status)

    def say(self, text: str) -> None:
        """What became of something that was asked for here; an empty text takes it away."""
        self.said.setText(text)
        self.said.setVisible(bool(text))
        announce(self, text)

    def _show_ways(self, *, is_first: bool) -> None:
        clear(self._ways)
        if not is_first:
            row = FlowRow(self._theme.tokens.space.s)
            for text, name, signal in (
                ("Create another workspace…", "teamCreate", self.createRequested),
                ("Join another workspace…", "teamJoinOther", self.joinRequested),
            ):
                row.addWidget(push_button(text, name, signal.emit))
            self._ways.addLayout(row)
            return
        words = (
            "Work in the same projects with others, or on several computers of yours. Every computer keeps everything "
            "and works offline; a PostgreSQL database of yours carries the changes, with nothing of ours between."
        )
        self._ways.addWidget(plain_label(words, "text", wraps=True))
        self._ways.addWidget(
            _Card(
                self._theme,
                "Create a workspace",
                "For a team that has none: sets up an empty database that you give, and makes you its owner.",
                push_button("Create a workspace…", "teamCreate", self.createRequested.emit),
            )
        )
        self._ways.addWidget(
            _Card(
                self._theme,
                "Join a workspace",
                "With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, "
                "made. Nothing is sent before you have seen what it is.",
                push_button("Join a workspace…", "teamJoinOther", self.joinRequested.emit),
            )
        )
        self._ways.addWidget(plain_label(WHAT_LEAVES, "muted", wraps=True))
        self._ways.addWidget(plain_label(WHO_CAN_READ, "muted", wraps=True))


class _Workspace(QWidget):
    def __init__(self, theme: Theme, page: TeamPage, view: WorkspaceView, now_ms: int) -> None:
        super().__init__()
        workspace = view.workspace
        self._id = workspace.id
        self.setObjectName(f"teamWorkspace_{workspace.id}")
        self._mark = Mark(theme)
        self.status = plain_label("", "text", wraps=True)
        self.status.setObjectName(f"teamStatus_{workspace.id}")
        self._password = push_button(
            "Enter the password…", "teamPasswordEnter", lambda: page.passwordRequested.emit(workspace.id)
        )
        how = QHBoxLayout()
        how.setSpacing(theme.tokens.space.s)
        how.addWidget(self._mark)
        how.addWidget(self.status, 1)
        how.addWidget(
            push_button(
                "Details…",
                f"teamDetails_{workspace.id}",
                lambda: page.detailsRequested.emit(workspace.id),
                name=f"Details of syncing with {workspace.name}",
            )
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.tokens.space.s)
        column.addWidget(plain_label(workspace.name, "header", wraps=True))
        about = f"{address_words(workspace.address)}, joined {day(workspace.joined_at)}"
        column.addWidget(plain_label(about, "muted", wraps=True))
        column.addLayout(how)
        column.addWidget(self._password)
        column.addLayout(self._actions(page, view))
        column.addSpacing(theme.tokens.space.s)
        self._add_projects(column, page, view)
        column.addSpacing(theme.tokens.space.s)
        column.addWidget(plain_label("Members", "strong"))
        self.members = MemberList()
        self.members.show_members(view.members, view.names, me=workspace.member_id)
        self.members.manageRequested.connect(lambda member: page.memberRequested.emit(workspace.id, member))
        column.addWidget(self.members)
        column.addSpacing(theme.tokens.space.s)
        column.addWidget(plain_label("Devices", "strong"))
        people = {each.id: each.name for each in view.members}
        self.devices = DeviceList()
        self.devices.show_devices(
            view.devices,
            names=lambda member: people.get(member, "somebody"),
            removable=lambda member: workspace.is_owner or member == workspace.member_id,
            now_ms=now_ms,
        )
        self.devices.removeRequested.connect(lambda device: page.deviceRemoveRequested.emit(workspace.id, device))
        column.addWidget(self.devices)
        self.show_status(view.status)

    def show_status(self, status: SyncStatus) -> None:
        text = status_words(status)
        self.status.setText(text)
        self.status.setAccessibleName(text)
        self._mark.show_icon(*status_icon(status))
        self._password.setVisible(status.phase.value == "refused")

    @staticmethod
    def _actions(page: TeamPage, view: WorkspaceView) -> FlowRow:
        workspace = view.workspace
        can_invite = workspace.is_owner or any(role.can_manage for role in view.my_roles.values())
        buttons = [
            push_button(
                "Add a computer of mine…", "teamAddComputer", lambda: page.computerRequested.emit(workspace.id)
            ),
            push_button("Leave…", "teamLeave", lambda: page.leaveRequested.emit(workspace.id), is_danger=True),
        ]
        if can_invite:
            buttons.insert(
                0,
                push_button(
                    "Invite…",
                    "teamInvite",
                    lambda: page.inviteRequested.emit(workspace.id),
                    name=f"Invite somebody to {workspace.name}",
                    is_primary=True,
                ),
            )
        if workspace.is_owner:
            rename = push_button("Rename…", "teamRename", lambda: page.renameRequested.emit(workspace.id))
            buttons.insert(-1, rename)
        row = FlowRow(page.theme.tokens.space.s)
        for button in buttons:
            row.addWidget(button)
        return row

    @staticmethod
    def _add_projects(column: QVBoxLayout, page: TeamPage, view: WorkspaceView) -> None:
        column.addWidget(plain_label("Shared projects", "strong"))
        if not view.projects:
            words = "None yet. Open a project and choose Share… in its menu; only what you share leaves this computer."
            column.addWidget(plain_label(words, "muted", wraps=True))
        for project in view.projects:
            name = view.names.get(project.project_id, "A project that is not here yet")
            words = project_words(project)
            text = QVBoxLayout()
            text.setSpacing(0)
            text.addWidget(plain_label(name, "text", wraps=True))
            text.addWidget(plain_label(words, "muted", wraps=True))
            box = QWidget()
            row = QHBoxLayout(box)
            row.setContentsMargins(0, 8, 0, 8)
            row.addLayout(text, 1)
            if project.ended is None:
                button = push_button(
                    "Sharing…",
                    f"teamProject_{project.project_id}",
                    partial(page.projectRequested.emit, view.workspace.id, project.project_id),
                    name=f"Sharing of {name}",
                )
                button.setAccessibleDescription(words)
                row.addWidget(button)
            column.addWidget(box)
            column.addWidget(line())


class _Card(QFrame):
    """A way in: what it is, and the button that begins it."""

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
