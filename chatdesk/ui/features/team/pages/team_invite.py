"""Shows *Invite…* and *Add a computer of mine…*: the person, the projects and roles, then the code and how to hand it
over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSpinBox, QWidget

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.domain.sharing.team_setup import ComputerCode, Invitation
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.file_dialogs import ask_where_to_save
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import pad_spin_box, plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.features.team.pages.team_join import INVITATION_ENDING
from chatdesk.ui.features.team.pages.team_roles import RoleRow, RoleRows, legend
from chatdesk.ui.features.team.pages.team_text import day
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import FlowRow, bare_column

_WIDTH_PX: Final = 560
_DAYS: Final = 7
_MOST_DAYS: Final = 60
_MOST: Final = 64 * 1024
_LONGEST_NAME: Final = 80


class CodeBox(QWidget):
    """A code to hand over: shown, copied as code or link, saved as a file. ``saveRequested`` has the file."""

    saveRequested = Signal(str, str)  # path, text

    def __init__(self, theme: Theme, *, file_name: str) -> None:
        super().__init__()
        self._file_name = file_name
        self._link = self._file_text = ""
        self.code = TextField(theme, name=tr("Code", "invitation"), object_name="teamCodeShown", most=_MOST)
        self.code.setReadOnly(True)
        self.code.setFont(theme.font("code"))
        self.code.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.code.setFixedHeight(round(96 * max(1.0, theme.scale)))
        self.said = plain_label("", "muted", wraps=True, name="teamCodeSaid")
        self.copy_button = push_button(
            tr("Copy"), "teamCodeCopy", self._copy_code, name=tr("Copy the code"), is_primary=True
        )
        self.link_button = push_button(tr("Copy link"), "teamLinkCopy", self._copy_link)
        self.save_button = push_button(tr("Save as file…"), "teamCodeSave", self._choose_file)
        row = FlowRow(theme.tokens.space.s)
        for button in (self.copy_button, self.link_button, self.save_button):
            row.addWidget(button)
        column = bare_column(self)
        column.addWidget(self.code)
        column.addLayout(row)
        column.addWidget(self.said)

    def show_code(self, code: str, link: str, file_text: str) -> None:
        self.code.show_written(code)
        self._link, self._file_text = link, file_text

    def show_result(self, text: str) -> None:
        self.said.setText(text)
        announce(self, text)

    def save(self, path: str) -> None:
        self.saveRequested.emit(path, self._file_text)

    def _copy_code(self) -> None:
        QGuiApplication.clipboard().setText(self.code.written())
        self.show_result(tr("The code is in the clipboard."))

    def _copy_link(self) -> None:
        QGuiApplication.clipboard().setText(self._link)
        self.show_result(tr("The link is in the clipboard."))

    def _choose_file(self) -> None:
        ask_where_to_save(
            self,
            tr("Save the invitation"),
            self._file_name,
            lambda path: self.save(str(path)),
            kinds=tr("Invitations (*{ending})", ending=INVITATION_ENDING),
            suffix=INVITATION_ENDING.removeprefix("."),
        )


class _CodePanel(TaskPanel):
    """A page with a code, its explanation, and *Done*, shared by both dialogs. ``saveRequested`` carries path and
    text."""

    saveRequested = Signal(str, str)

    def __init__(self, theme: Theme, title: str, *, object_name: str, file_name: str, parent: QWidget | None) -> None:
        super().__init__(theme, title, object_name=object_name, width_px=_WIDTH_PX, parent=parent)
        self.code_box = CodeBox(theme, file_name=f"{file_name}{INVITATION_ENDING}")
        self.code_box.saveRequested.connect(self.saveRequested)
        self.explanation = plain_label("", "text", wraps=True, name="teamExplanation")

    def _add_code_page(self) -> None:
        for widget in (self.explanation, self.code_box):
            self.body.addWidget(widget)
            widget.hide()

    def _show_code(self, explanation: str, code: str, link: str, file_text: str) -> None:
        self.end_busy()
        self.explanation.setText(explanation)
        self.code_box.show_code(code, link, file_text)
        for widget in (self.explanation, self.code_box):
            widget.show()
        self.code_box.copy_button.setFocus()
        announce(self, explanation)

    def show_saved(self, path: str) -> None:
        self.code_box.show_result(
            tr("Saved as {name}. Anyone who has the file can use it, so send it only to them.", name=Path(path).name)
        )


class InviteDialog(_CodePanel):
    """A dialog that invites a person. ``projects``: (id, name) of those that this person manages, with the roles that
    they may give. ``warning``: why the invitation may be of no use. ``inviteRequested`` has the name, roles by project,
    and days."""

    inviteRequested = Signal(str, object, int)  # name, dict of roles, days

    def __init__(
        self,
        theme: Theme,
        workspace: str,
        projects: Sequence[tuple[str, str, Sequence[TeamRole]]],
        *,
        chosen: str | None = None,
        warning: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            tr("Invite to “{workspace}”", workspace=workspace),
            object_name="teamInviteDialog",
            file_name=tr("{workspace} invitation", workspace=_file_safe(workspace)),
            parent=parent,
        )
        self._make_name()
        self.roles = self._role_rows(projects, chosen)
        self._make_days()
        who, how_long = plain_label(tr("Who is invited"), "text"), plain_label(tr("Can be used for"), "text")
        who.setBuddy(self.name)
        how_long.setBuddy(self.days)
        heading = plain_label(tr("Projects"), "strong")
        none = plain_label(
            tr("No project is shared yet, or you manage none. They can be given roles later, under Members."),
            "muted",
            wraps=True,
        )
        none.setVisible(not projects)
        meaning = plain_label(legend(), "muted", wraps=True)
        meaning.setVisible(bool(projects))
        limit = QHBoxLayout()
        limit.addWidget(how_long)
        limit.addWidget(self.days)
        limit.addStretch(1)
        self.warning = plain_label(warning, "strong", wraps=True, name="teamInviteWarning")
        self.warning.setVisible(bool(warning))
        self._asked: list[QWidget] = [who, self.name, heading, self.roles, meaning, how_long, self.days]
        for widget in (self.warning, who, self.name, heading, none, self.roles, meaning):
            self.body.addWidget(widget)
        self.body.addLayout(limit)
        self._none = none
        self._add_code_page()
        self.cancel_button = self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.invite_button = self.add_button(
            push_button(tr("Make an invitation"), "teamInviteMake", self._invite, is_primary=True)
        )
        self.name.textChanged.connect(self._refresh)
        self.name.returnPressed.connect(self._invite)
        self._refresh()
        self.name.setFocus()

    def _role_rows(self, projects: Sequence[tuple[str, str, Sequence[TeamRole]]], chosen: str | None) -> RoleRows:
        # A single project is preselected: a member without a project would see nothing.
        start = projects[0][0] if chosen is None and len(projects) == 1 else chosen
        rows = [
            RoleRow(
                project_id,
                name,
                _first_role(offered) if project_id == start else None,
                offered,
                whose=tr("Role in {name}", name=name),
            )
            for project_id, name, offered in sorted(projects, key=lambda each: each[0] != chosen)
        ]
        return RoleRows(self.theme, rows, heading=tr("Project"), object_name="teamInviteRoles")

    def _make_name(self) -> None:
        self.name = named(QLineEdit(), "teamInviteName", tr("Who is invited"))
        self.name.setPlaceholderText(tr("Their name; they can change it"))
        self.name.setMaxLength(_LONGEST_NAME)

    def _make_days(self) -> None:
        self.days = named(QSpinBox(), "teamInviteDays", tr("Days for which the invitation can be used"))
        self.days.setRange(1, _MOST_DAYS)
        self.days.setValue(_DAYS)
        self.days.setSuffix(tr(" days"))
        pad_spin_box(self.days, self.theme)

    def show_invitation(self, invitation: Invitation) -> None:
        """Show the invitation that was created."""
        for widget in (*self._asked, self._none, self.invite_button):
            widget.hide()
        self.cancel_button.setText(tr("Done"))
        self.cancel_button.setAccessibleName(tr("Done"))
        self._show_code(
            tr(
                "Send this to {name} and nobody else: the first person who uses it takes that place. It "
                "works once, until {day}. They choose Join a workspace in Settings, Team sync.",
                name=invitation.member_name,
                day=day(invitation.expires_at),
            ),
            invitation.code,
            invitation.link,
            invitation.file_text,
        )

    def _refresh(self) -> None:
        self.invite_button.setEnabled(bool(self.name.text().strip()))

    def _invite(self) -> None:
        if self.invite_button.isEnabled() and not self.is_busy:
            self.show_busy(tr("Making the invitation…"))
            self.inviteRequested.emit(self.name.text().strip(), self.roles.roles(), self.days.value())


class ComputerCodeDialog(_CodePanel):
    """The code for a further computer of the same person, and its passphrase."""

    def __init__(self, theme: Theme, workspace: str, code: ComputerCode, *, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            tr("Add a computer of mine"),
            object_name="teamComputerDialog",
            file_name=tr("{workspace} my computer", workspace=_file_safe(workspace)),
            parent=parent,
        )
        self._add_code_page()
        self.passphrase = named(QLineEdit(code.passphrase), "teamPassphraseShown", tr("Passphrase"))
        self.passphrase.setReadOnly(True)
        self.add_text(tr("Type this passphrase on the other computer"), "strong")
        self.body.addWidget(self.passphrase)
        self.add_button(push_button(tr("Done"), "teamDone", self.accept))
        self._show_code(
            tr(
                "Take the code or file to your other computer, choose Join a workspace there, and type the "
                "passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.",
                day=day(code.expires_at),
            ),
            code.code,
            code.link,
            code.file_text,
        )


def _first_role(offered: Sequence[TeamRole]) -> TeamRole | None:
    return next((each for each in (TeamRole.EDITOR, TeamRole.VIEWER) if each in offered), None)


def _file_safe(name: str) -> str:
    kept = "".join(each if each.isalnum() or each in " -_" else " " for each in name)
    return " ".join(kept.split())[:60] or "ChatDesk"
