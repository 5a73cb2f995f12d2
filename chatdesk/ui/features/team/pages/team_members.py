"""Shows the people of a workspace: the rows of their table, and a dialog about one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QWidget

from chatdesk.core.domain.sharing.team import MemberStatus, TeamMember, TeamRole
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_table import TableRow
from chatdesk.ui.features.team.pages.team_text import ROLE_NAMES, member_words
from chatdesk.ui.local_forms import within_sentence
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.words import with_commas

_WIDTH_PX: Final = 520
_LONGEST_NAME: Final = 80
_OWNER: Final = Text("Owners invite people, remove members and make others owners.")

_DISCONNECT: Final = Text("End their connections: for somebody whose unfinished change holds up the others")
_MOST_NAMED: Final = 8


def member_rows(
    members: Sequence[TeamMember], projects: Mapping[str, str], *, me: str, is_owner: bool
) -> list[TableRow]:
    """Return the rows of the table of members: oneself first, then by name. ``projects`` holds names by id. Removed
    members are left out: they only matter as authors. ``is_owner``: this person owns the workspace."""
    shown = [each for each in members if each.status is not MemberStatus.REMOVED]
    return [
        TableRow(
            member.id,
            (member.name, member_words(member, is_me=member.id == me), roles_words(member.roles, projects)),
            tr("My name…") if member.id == me else tr("Manage…") if is_owner else "",
        )
        for member in sorted(shown, key=lambda each: (each.id != me, name_key(each.name)))
    ]


class MemberDialog(TaskPanel):
    """A dialog on one member: oneself, with the name and a new password, or another one for an owner of the workspace.
    Roles are given where a project is shared."""

    removeRequested = Signal()
    renameRequested = Signal(str)
    passwordRequested = Signal()
    ownerToggled = Signal(bool)
    disconnectRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        member: TeamMember,
        *,
        is_me: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, member.name, object_name="teamMemberDialog", width_px=_WIDTH_PX, parent=parent)
        self.member = member
        self._add_name(is_me=is_me)
        self._add_owner(can_change=not is_me)
        if is_me:
            self.add_button(push_button(tr("New password…"), "teamNewPassword", self.passwordRequested.emit))
        else:
            if member.status is MemberStatus.ACTIVE:
                self.add_button(
                    push_button(
                        tr("End their connections"),
                        "teamDisconnect",
                        self._disconnect,
                        name=shown(_DISCONNECT),
                        acts=True,
                    )
                )
            self.add_button(
                push_button(tr("Remove from the workspace…"), "teamRemove", self.removeRequested.emit, is_danger=True)
            )
        close = self.add_button(push_button(tr("Close"), "teamClose", self.accept, is_way_out=True))
        close.setFocus()

    def _add_name(self, *, is_me: bool) -> None:
        member = self.member
        self.name = named(QLineEdit(member.name), "teamMemberName", tr("Your name, as the others see it"))
        self.name.setMaxLength(_LONGEST_NAME)
        self.rename_button = push_button(tr("Change name"), "teamRename", self._rename)
        if is_me:
            row = QHBoxLayout()
            row.addWidget(self.name, 1)
            row.addWidget(self.rename_button)
            self.body.addWidget(plain_label(tr("Your name, as the others see it"), "text"))
            self.body.addLayout(row)
        else:
            for widget in (self.name, self.rename_button):
                widget.setParent(self)
                widget.hide()
            self.body.addWidget(_label(member_words(member, is_me=False), "muted"))

    def _add_owner(self, *, can_change: bool) -> None:
        self.owner = QCheckBox(tr("Owner of the workspace"))
        self.owner.setObjectName("teamMemberOwner")
        self.owner.setChecked(self.member.is_owner)
        self.owner.setVisible(can_change and self.member.status is MemberStatus.ACTIVE)
        self.owner.setAccessibleDescription(shown(_OWNER))
        self.owner.clicked.connect(self._on_owner_clicked)
        hint = plain_label(shown(_OWNER), "muted", wraps=True)
        hint.setVisible(not self.owner.isHidden())
        self.body.addWidget(self.owner)
        self.body.addWidget(hint)

    def show_owner(self, is_owner: bool) -> None:
        """Show the ownership that the server has, as after a change that failed."""
        self.end_busy()
        self.owner.setChecked(is_owner)

    def _on_owner_clicked(self, is_checked: bool) -> None:
        self.show_busy(tr("Telling the server…"))
        self.ownerToggled.emit(is_checked)

    def _disconnect(self) -> None:
        self.show_busy(tr("Telling the server…"))
        self.disconnectRequested.emit()

    def _rename(self) -> None:
        if self.name.text().strip():
            self.show_busy(tr("Changing your name…"))
            self.renameRequested.emit(self.name.text().strip())


def roles_words(roles: Mapping[str, TeamRole], projects: Mapping[str, str]) -> str:
    """Return text such as *Research: editor, Plans: viewer*, as far as the projects are known here."""
    return with_commas(
        f"{name}: {within_sentence(shown(ROLE_NAMES[roles[key]]))}" for key, name in projects.items() if key in roles
    )


def invited_words(name: str, invited: Sequence[str]) -> str:
    """Return sentences on whom a removed member had invited."""
    people = with_commas(invited[:_MOST_NAMED])
    if len(invited) > _MOST_NAMED:
        people = tr("{people} and {more} more", people=people, more=len(invited) - _MOST_NAMED)
    return tr(
        "{name} invited {people}. They are still members, with the roles they have. Remove them as well if they "
        "came for {name} only; what they wrote stays either way.",
        name=name,
        people=people,
    )


def removal_words(name: str) -> str:
    """Return sentences on the effects of removing a member."""
    return tr(
        "{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; "
        "what is on their computer already stays there. To have them back, invite them again.",
        name=name,
    )


NEW_LOGIN_TEXT = Text(
    "This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: "
    "add them again with Add a computer of mine. Nothing is deleted."
)


def _label(text: str, role: str) -> QLabel:
    label = plain_label(text, role, wraps=True)  # type: ignore[arg-type]
    label.setVisible(bool(text))
    return label
