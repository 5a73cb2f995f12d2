"""Shows *Share…*: before sharing, the content to upload and the members who will see it; afterwards the roles, and how
to end it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.sharing.team import (
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
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_retention import RetentionField
from chatdesk.ui.features.team.pages.team_roles import RoleRow, RoleRows, grantable, legend
from chatdesk.ui.features.team.pages.team_text import (
    CANNOT_TAKE_BACK,
    ROLE_HINTS,
    ROLE_NAMES,
    WHO_CAN_READ,
    member_words,
    open_words,
    share_words,
)
from chatdesk.ui.features.team.sync_status_text import status_words
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import FlowRow

_WIDTH_PX: Final = 560
_NEVER: Final = Text(
    "Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer."
    " So do the project's files: the team sees only the names of the folders and files that you added, or their text if"
    " you choose so in Files."
)


class ShareProjectDialog(TaskPanel):
    """The dialog that shares a private project. ``takes_new_chats``: new chats without a chosen project go into it.
    ``shareRequested`` has the id of the workspace; ``newProjectRequested``: a project of its own is to be made for what
    is shared."""

    shareRequested = Signal(str)
    newProjectRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        project_name: str,
        workspaces: Sequence[Workspace],
        *,
        takes_new_chats: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            tr("Share “{name}”", name=project_name),
            object_name="shareProjectDialog",
            width_px=_WIDTH_PX,
            parent=parent,
        )
        self.count = plain_label(tr("Counting…"), "text", wraps=True, name="shareCount")
        self.box = named(ChoiceBox(), "shareWorkspace", tr("Workspace that the project is shared with"))
        for workspace in workspaces:
            self.box.addItem(workspace.name, workspace.id)
        who = (
            tr("The project will be shared with “{name}”.", name=workspaces[0].name)
            if len(workspaces) == 1
            else tr("Choose the workspace that the project is shared with.")
        )
        self.body.addWidget(self.count)
        self.add_text(who, "text")
        self._add_warning(project_name, is_shown=takes_new_chats)
        label = plain_label(tr("With the workspace"), "text")
        label.setBuddy(self.box)
        for widget in (label, self.box):
            widget.setVisible(len(workspaces) > 1)
            self.body.addWidget(widget)
        self._add_explanations()
        cancel = self.add_button(push_button(tr("Cancel"), "shareCancel", self.reject, is_way_out=True))
        self.share_button = self.add_button(push_button(tr("Share"), "shareStart", self._share, is_primary=True))
        self.share_button.setEnabled(False)
        cancel.setFocus()

    def _add_warning(self, project_name: str, *, is_shown: bool) -> None:
        self.warning = plain_label(
            tr(
                "New threads go into “{name}” unless you choose another project. Once it is shared, others see them. "
                "To keep it to yourself, make a new project for what you share.",
                name=project_name,
            ),
            "strong",
            wraps=True,
            name="shareWarning",
        )
        self.warning.setVisible(is_shown)
        self.new_button = push_button(tr("New project…"), "shareNewProject", self._make_new)
        self.new_button.setVisible(is_shown)
        self.body.addWidget(self.warning)
        row = FlowRow(self.theme.tokens.space.s)
        row.addWidget(self.new_button)
        self.body.addLayout(row)

    def _add_explanations(self) -> None:
        for heading, words in (
            (
                tr("Who will see it"),
                tr(
                    "At first only you, on all your computers. Then those whom you give a role, here or by inviting"
                    " them."
                ),
            ),
            (tr("What never leaves"), shown(_NEVER)),
            (tr("What cannot be taken back"), shown(CANNOT_TAKE_BACK)),
            (
                tr("Good to know"),
                tr(
                    "{who} Threads of a shared project cannot be moved out of it, only copied.",
                    who=WHO_CAN_READ,
                ),
            ),
        ):
            self.add_heading(heading)
            self.add_text(words)

    def show_count(self, count: ShareCount) -> None:
        """Show how much will be uploaded, and enable sharing."""
        self.count.setText(share_words(count))
        self.share_button.setEnabled(True)
        has_warning = self.warning.isVisibleTo(self)
        (self.new_button if has_warning else self.share_button).setFocus()
        announce(self, f"{self.count.text()} {self.warning.text()}" if has_warning else self.count.text())

    def _make_new(self) -> None:
        self.reject()
        self.newProjectRequested.emit()

    def _share(self) -> None:
        self.show_busy(tr("Sharing the project…"))
        self.shareRequested.emit(str(self.box.currentData()))


class SharedProjectDialog(TaskPanel):
    """A dialog about a shared project: its state, who has which role, how long messages are kept, and its end.
    ``roleRequested``: member, role or None; ``retentionRequested``: days or None for ever, as ``kept_days``."""

    roleRequested = Signal(str, object)
    retentionRequested = Signal(object)
    inviteRequested = Signal()
    endRequested = Signal()
    eraseRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        project_name: str,
        project: SharedProject,
        members: Sequence[TeamMember],
        *,
        me: str,
        workspace_name: str,
        kept_days: int | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            tr("Sharing of “{name}”", name=project_name),
            object_name="sharedProjectDialog",
            width_px=_WIDTH_PX,
            parent=parent,
        )
        self.project = project
        about = tr(
            "Shared with “{workspace}”. Your role is {role}: {hint}.",
            workspace=workspace_name,
            role=ROLE_NAMES[project.role],
            hint=ROLE_HINTS[project.role],
        )
        self.add_text(about, "text")
        self.state = plain_label(state_words(project), "muted", wraps=True, name="sharedState")
        self.body.addWidget(self.state)
        self.add_heading(tr("Who sees it"))
        self._add_roles(members, me=me)
        self.add_heading(tr("How long messages are kept"))
        self.retention = RetentionField(theme, kept_days, can_change=project.role.can_manage)
        self.retention.chosen.connect(self._on_retention_chosen)
        self.body.addWidget(self.retention)
        is_owner = project.role is TeamRole.OWNER
        self.add_button(
            push_button(
                tr("Stop sharing…") if is_owner else tr("Leave project…"),
                "sharedEnd",
                self.endRequested.emit,
                is_danger=True,
            )
        )
        if is_owner:
            self.add_button(push_button(tr("Stop and erase…"), "sharedErase", self.eraseRequested.emit, is_danger=True))
        if project.role.can_manage:
            self.add_button(push_button(tr("Invite…"), "sharedInvite", self.inviteRequested.emit))
        close = self.add_button(push_button(tr("Close"), "sharedClose", self.accept, is_way_out=True))
        close.setFocus()

    def _add_roles(self, members: Sequence[TeamMember], *, me: str) -> None:
        project, offered = self.project, grantable(self.project.role)
        people = [each for each in members if each.status is not MemberStatus.REMOVED]
        rows = []
        for member in sorted(people, key=lambda each: (each.id != me, name_key(each.name))):
            is_me = member.id == me
            role = project.role if is_me else member.roles.get(project.project_id)
            if role is None and not offered:
                continue
            hint = member_words(member, is_me=is_me) if is_me or member.status is MemberStatus.INVITED else ""
            grants = () if is_me else offered
            rows.append(
                RoleRow(member.id, member.name, role, grants, hint=hint, whose=tr("Role of {name}", name=member.name))
            )
        self.roles = RoleRows(self.theme, rows, heading=tr("Member"), object_name="sharedRoles")
        self.roles.chosen.connect(self._on_role_chosen)
        self.body.addWidget(self.roles)
        if offered:
            words = tr(
                "A change takes effect at once. People who lose access keep the copy that is on their computer already."
            )
            self.add_text(f"{legend()} {words}")

    def show_status(self, status: SyncStatus) -> None:
        """Show the workspace's sync state, so that one sees the project being uploaded."""
        is_at_rest = status.phase is SyncPhase.SYNCED and not status.waiting and not status.refused
        self.state.setText(state_words(self.project) if is_at_rest else status_words(status))

    def show_roles(self, members: Sequence[TeamMember]) -> None:
        """Show the roles that the server has, as after a change that failed."""
        self.end_busy()
        for member in members:
            self.roles.show_role(member.id, member.roles.get(self.project.project_id))

    def show_retention(self, days: int | None) -> None:
        """Show the present retention: after a change, or after one that failed or was cancelled."""
        self.end_busy()
        self.retention.show_days(days)

    def _on_retention_chosen(self, days: int | None) -> None:
        self.show_busy(tr("Setting how long messages are kept…"))
        self.retentionRequested.emit(days)

    def _on_role_chosen(self, member_id: str, role: object) -> None:
        self.show_busy(tr("Changing the role…"))
        self.roleRequested.emit(member_id, role)


def state_words(project: SharedProject) -> str:
    """Return a sentence on how much of the project has reached the team."""
    if project.state is ShareState.SHARING:
        return tr("Older messages are being sent.")
    if project.misfit:
        return shown(project.misfit)
    if project.waiting or project.refused:
        return f"{open_words(project)}."
    return tr("Everything in it has reached the team.")


def end_words(project: SharedProject, name: str, members: int) -> tuple[str, str, str]:
    """Question, text and button for ending the sharing, or for leaving."""
    if project.role is TeamRole.OWNER:
        sentences = [tr("Sharing ends for everybody at once.")]
        if members:
            others = plural(
                "{count} other members can no longer see what is new.",
                "{count} other member can no longer see what is new.",
                members,
            )
            sentences.append(shown(others))
        sentences.append(
            tr("Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.")
        )
        text = " ".join([*sentences, *_unsent_words(project)])
        return tr("Stop sharing “{name}”?", name=name), text, tr("Stop sharing")
    stays = tr(
        "You and the others no longer get each other's messages. The copy on this computer stays, as a "
        "private project. To come back, somebody who manages it has to give you a role again."
    )
    text = " ".join([stays, *_unsent_words(project)])
    return tr("Leave “{name}”?", name=name), text, tr("Leave")


def erase_words(name: str, members: int) -> tuple[str, str, str]:
    """Question, text and button for ending the sharing with all that was shared."""
    sentences = [
        tr(
            "Everything in it is removed: from the server at once, and from every computer when it syncs next, this one"
            " too."
        )
    ]
    if members:
        others = plural("{count} other members lose it, too.", "{count} other member loses it, too.", members)
        sentences.append(shown(others))
    sentences.append(
        tr(
            "What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until"
            " they are replaced, and so does anyone who copied or exported it, or left with a private copy."
        )
    )
    text = " ".join(sentences)
    return tr("Stop sharing “{name}” and erase it for everyone?", name=name), text, tr("Stop and erase")


def _unsent_words(project: SharedProject) -> list[str]:
    if not project.waiting:
        return []
    unsent = plural(
        "{count} changes of yours did not reach the team yet and will stay only here.",
        "{count} change of yours did not reach the team yet and will stay only here.",
        project.waiting,
    )
    return [shown(unsent)]
