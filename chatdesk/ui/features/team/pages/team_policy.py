"""*Rights and limits…*: what an owner of a workspace decides for all of it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QSpinBox, QWidget

from chatdesk.core.domain.sharing.team import WorkspacePolicy
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import pad_spin_box, plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_WIDTH_PX: Final = 620
_LETTERS: Final = 22  # of a choice; the rest of it is seen in its list
_INVITES: Final = (
    ("owners", Text("Owners of the workspace")),
    ("admins", Text("Owners, and admins for their own projects")),
)
_CREATES: Final = (("members", Text("All members")), ("owners", Text("Owners of the workspace")))
_MEGABYTE: Final = 1_000_000
# Field of the policy, what a person reads, unit, its size, and the smallest and largest number of these units that the
# server takes.
_LIMITS: Final = (
    ("members", Text("Members"), "", 1, (1, 100_000)),
    ("invitations", Text("Open invitations"), "", 1, (1, 10_000)),
    ("projects_each", Text("Projects that a member shares"), "", 1, (1, 100_000)),
    ("connections_each", Text("Connections of a member"), "", 1, (2, 100)),
    ("changes_each_minute", Text("Changes of a member"), Text(" a minute"), 1, (60, 10_000_000)),
    ("bytes_each", Text("Text of a member"), Text(" MB a day"), _MEGABYTE, (1, 1_000_000_000)),
    ("bytes_project", Text("Text in a project"), Text(" MB a day"), _MEGABYTE, (1, 1_000_000_000)),
    ("file_bytes_each", Text("Files of a member"), Text(" MB a day"), _MEGABYTE, (1, 1_000_000_000)),
    ("file_bytes_project", Text("Files in a project"), Text(" MB a day"), _MEGABYTE, (1, 1_000_000_000)),
)


class WorkspacePolicyDialog(TaskPanel):
    """A dialog for the rights and limits of a workspace. ``policyRequested`` has what differs, by the names of
    ``WorkspacePolicy``."""

    policyRequested = Signal(object)

    def __init__(
        self, theme: Theme, workspace: str, policy: WorkspacePolicy, *, members: int, parent: QWidget | None = None
    ) -> None:
        """Make the dialog. ``members`` is the present number of members."""
        title = tr("Rights and limits of “{workspace}”", workspace=workspace)
        super().__init__(theme, title, object_name="teamPolicyDialog", width_px=_WIDTH_PX, parent=parent)
        self._policy = policy
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.tokens.space.m)
        self._grid.setVerticalSpacing(theme.tokens.space.s)
        self._grid.setColumnStretch(0, 1)
        self.who_invites = self._choice(tr("Invitations are made by"), "teamWhoInvites", _INVITES, policy.who_invites)
        self.who_creates = self._choice(tr("Projects are shared by"), "teamWhoCreates", _CREATES, policy.who_creates)
        self.limits: dict[str, QSpinBox] = {}
        for name, title_of, unit, size, (least, most) in _LIMITS:
            box = QSpinBox()
            pad_spin_box(box, theme)
            box.setObjectName(f"teamLimit_{name}")
            box.setRange(least, most)
            box.setGroupSeparatorShown(True)
            box.setSuffix(shown(unit))
            box.setValue(getattr(policy, name) // size)
            label = shown(title_of)
            if name == "members":
                label = tr("{limit} ({members} now)", limit=label, members=members)
            self._add_row(label, box)
            self.limits[name] = box
        words = tr(
            "Members who reach a limit are told which one, and what waits is sent when there is room again. Days are"
            " counted in UTC. People invited by somebody who is removed stay, unless you remove them too."
        )
        self.body.addLayout(self._grid)
        self.add_text(words)
        self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.add_button(push_button(tr("Save"), "teamPolicySave", self._save, is_primary=True))
        self.who_invites.setFocus()

    def _choice(self, words: str, name: str, choices: tuple[tuple[str, str], ...], value: str) -> QComboBox:
        box = ChoiceBox()
        box.setObjectName(name)
        for each, text in choices:
            box.addItem(shown(text), each)
        box.setCurrentIndex(max(0, box.findData(value)))
        box.setMinimumContentsLength(_LETTERS)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._add_row(words, box)
        return box

    def _add_row(self, words: str, field: QWidget) -> None:
        label = plain_label(words, "text")
        label.setBuddy(field)
        field.setAccessibleName(words)
        row = self._grid.rowCount()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(field, row, 1)

    def _wanted(self) -> WorkspacePolicy:
        """Return the policy as entered. A limit that is not a whole number of its units stays as it was until the
        person changes it."""
        numbers = {
            name: self.limits[name].value() * size
            for name, _words, _unit, size, _range in _LIMITS
            if self.limits[name].value() != getattr(self._policy, name) // size
        }
        return replace(
            self._policy,
            who_invites=str(self.who_invites.currentData()),
            who_creates=str(self.who_creates.currentData()),
            **numbers,
        )

    def _save(self) -> None:
        wanted = self._wanted()
        values = {each.name: getattr(wanted, each.name) for each in fields(WorkspacePolicy)}
        changed = {name: value for name, value in values.items() if value != getattr(self._policy, name)}
        self.show_busy(tr("Telling the server…"))
        self.policyRequested.emit(changed)
