"""*Share…*: what goes up and who will see it, before anything leaves; once shared, who has which role, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from chatdesk.core.domain.team import (
    MemberStatus,
    ShareCount,
    SharedProject,
    ShareState,
    SyncPhase,
    SyncStatus,
    TeamMember,
    TeamRole,
    Workspace,
)
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.team_parts import TeamPanel, push_button
from chatdesk.ui.dialogs.team_roles import LEGEND, RoleRow, RoleRows, grantable
from chatdesk.ui.dialogs.team_words import (
    ROLE_HINTS,
    ROLE_NAMES,
    WHO_CAN_READ,
    count_of,
    member_words,
    open_words,
    share_words,
    status_words,
)
from chatdesk.ui.theme.theme import Theme

_SIZE_PX: Final = (560, 500)
_NEVER: Final = (
    "Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer."
)


class ShareProjectDialog(TeamPanel):
    """About a private project. ``shareRequested`` has the id of the workspace."""

    shareRequested = Signal(str)

    def __init__(
        self,
        theme: Theme,
        project_name: str,
        workspaces: Sequence[Workspace],
        *,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme, f"Share “{project_name}”", object_name="shareProjectDialog", size_px=_SIZE_PX, parent=parent
        )
        self.count = plain_label("Counting…", "text", wraps=True)
        self.count.setObjectName("shareCount")
        self.box = QComboBox()
        self.box.setObjectName("shareWorkspace")
        self.box.setAccessibleName("Workspace that the project is shared with")
        for workspace in workspaces:
            self.box.addItem(workspace.name, workspace.id)
        label = plain_label("With the workspace", "text")
        label.setBuddy(self.box)
        for widget in (label, self.box):
            widget.setVisible(len(workspaces) > 1)
        who = (
            f"It is shared with “{workspaces[0].name}”."
            if len(workspaces) == 1
            else "Choose which workspace it goes to."
        )
        self.body.addWidget(self.count)
        self.body.addWidget(plain_label(who, "text", wraps=True))
        self.body.addWidget(label)
        self.body.addWidget(self.box)
        for heading, words in (
            (
                "Who will see it",
                "At first only you, on all your computers. Then those whom you give a role, here or by inviting them.",
            ),
            ("What never leaves", _NEVER),
            ("Good to know", f"{WHO_CAN_READ} Threads of a shared project cannot be moved out of it, only copied."),
        ):
            self.add_heading(heading)
            self.body.addWidget(plain_label(words, "muted", wraps=True))
        self.body.addStretch(1)
        cancel = self.add_button(push_button("Cancel", "shareCancel", self.reject))
        cancel.setProperty("isWayOut", True)
        self.share_button = self.add_button(push_button("Share", "shareStart", self._share, is_primary=True))
        self.share_button.setEnabled(False)
        cancel.setFocus()

    def show_count(self, count: ShareCount) -> None:
        """What goes up; from now on it can be begun."""
        self.count.setText(share_words(count))
        self.share_button.setEnabled(True)
        self.share_button.setFocus()
        announce(self, self.count.text())

    def _share(self) -> None:
        self.show_busy("Sharing the project…")
        self.shareRequested.emit(str(self.box.currentData()))


class SharedProjectDialog(TeamPanel):
    """About a shared project: how it stands, who has which role, and its end. ``roleRequested``: member, role or
    None."""

    roleRequested = Signal(str, object)
    inviteRequested = Signal()
    endRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        project_name: str,
        project: SharedProject,
        members: Sequence[TeamMember],
        *,
        me: str,
        workspace_name: str,
        can_invite: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme, f"Sharing of “{project_name}”", object_name="sharedProjectDialog", size_px=_SIZE_PX, parent=parent
        )
        self.project = project
        mine = f"{ROLE_NAMES[project.role]}: {ROLE_HINTS[project.role]}"
        about = f"Shared with “{workspace_name}”. Your role is {mine}."
        self.body.addWidget(plain_label(about, "text", wraps=True))
        self.state = plain_label(state_words(project), "muted", wraps=True)
        self.state.setObjectName("sharedState")
        self.body.addWidget(self.state)
        self.add_heading("Who sees it")
        offered = grantable(project.role)
        people = [each for each in members if each.status is not MemberStatus.REMOVED]
        rows = []
        for member in sorted(people, key=lambda each: (each.id != me, each.name.casefold())):
            is_me = member.id == me
            role = project.role if is_me else member.roles.get(project.project_id)
            if role is None and not offered:
                continue
            hint = member_words(member, is_me=is_me) if is_me or member.status is MemberStatus.INVITED else ""
            grants = () if is_me else offered
            rows.append(RoleRow(member.id, member.name, role, grants, hint=hint, whose=f"Role of {member.name}"))
        self.roles = RoleRows(theme, rows, heading="Member", object_name="sharedRoles")
        self.roles.chosen.connect(self._on_role_chosen)
        self.body.addWidget(self.roles)
        if offered:
            words = "A change holds at once. Whoever loses access keeps the copy that is on their computer already."
            self.body.addWidget(plain_label(f"{LEGEND} {words}", "muted", wraps=True))
        self.body.addStretch(1)
        is_owner = project.role is TeamRole.OWNER
        self.end_button = self.add_button(
            push_button(
                "Stop sharing…" if is_owner else "Leave project…", "sharedEnd", self.endRequested.emit, is_danger=True
            )
        )
        if can_invite:
            self.add_button(push_button("Invite…", "sharedInvite", self.inviteRequested.emit))
        close = self.add_button(push_button("Close", "sharedClose", self.accept))
        close.setProperty("isWayOut", True)
        close.setFocus()

    def show_status(self, status: SyncStatus) -> None:
        """How the workspace stands, so that one sees the project go up."""
        is_at_rest = status.phase is SyncPhase.SYNCED and not status.waiting and not status.refused
        self.state.setText(state_words(self.project) if is_at_rest else status_words(status))

    def show_roles(self, members: Sequence[TeamMember]) -> None:
        """What the server has, as after a change that failed."""
        self.end_busy()
        for member in members:
            self.roles.show_role(member.id, member.roles.get(self.project.project_id))

    def _on_role_chosen(self, member_id: str, role: object) -> None:
        self.show_busy("Changing the role…")
        self.roleRequested.emit(member_id, role)


def state_words(project: SharedProject) -> str:
    """One sentence on how far the project is."""
    if project.state is ShareState.SHARING:
        return "What was there before is on its way up."
    if project.waiting or project.refused:
        return f"{open_words(project)}."
    return "Everything of it is with the team."


def end_words(project: SharedProject, name: str, members: int) -> tuple[str, str, str]:
    """Question, text and button for ending the sharing, or for leaving."""
    waiting = (
        f" {count_of(project.waiting, 'change')} of yours did not go up yet and will be only here."
        if project.waiting
        else ""
    )
    if project.role is TeamRole.OWNER:
        others = f" {count_of(members, 'other member')} can no longer see what is new." if members else ""
        text = (
            f"It ends for everybody at once.{others} Each computer that has it keeps its copy as a private project, "
            f"this one too; nothing is deleted here.{waiting}"
        )
        return f"Stop sharing “{name}”?", text, "Stop sharing"
    text = (
        "You no longer get what the others write, nor they what you write. The copy on this computer stays, as a "
        f"private project. To come back, somebody who manages it has to give you a role again.{waiting}"
    )
    return f"Leave “{name}”?", text, "Leave"
