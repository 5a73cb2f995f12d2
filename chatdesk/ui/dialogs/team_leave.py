"""*Leave…*: only this computer, or the person for good; and the field for a password that has to be typed."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QRadioButton, QWidget

from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.team_parts import TeamPanel, push_button
from chatdesk.ui.dialogs.team_words import count_of
from chatdesk.ui.theme.theme import Theme

_SIZE_PX: Final = (520, 360)
_PASSWORD_PX: Final = (460, 240)


class LeaveWorkspaceDialog(TeamPanel):
    """``leaveRequested`` says whether it is for good. ``waiting``: changes that did not go up yet."""

    leaveRequested = Signal(bool)

    def __init__(
        self, theme: Theme, workspace: str, *, waiting: int, is_owner: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, f"Leave “{workspace}”?", object_name="teamLeaveDialog", size_px=_SIZE_PX, parent=parent)
        words = "Its projects stay on this computer, as private copies. Nothing is deleted here or there."
        self.body.addWidget(plain_label(words, "text", wraps=True))
        if waiting:
            unsent = plain_label(
                f"{count_of(waiting, 'change')} did not go up yet and will be only here.", "text", wraps=True
            )
            unsent.setObjectName("teamLeaveWaiting")
            self.body.addWidget(unsent)
        self.here = QRadioButton("Only on this computer")
        self.for_good = QRadioButton("For good: end my membership")
        for button, name, hint in (
            (self.here, "teamLeaveHere", "You stay a member; a code from another computer of yours brings it back."),
            (
                self.for_good,
                "teamLeaveForGood",
                "On all of your computers. What you wrote stays with the team; to come back you need an invitation."
                + (" Make somebody else an owner first." if is_owner else ""),
            ),
        ):
            button.setObjectName(name)
            button.setAccessibleDescription(hint)
            self.body.addWidget(button)
            self.body.addWidget(plain_label(hint, "muted", wraps=True))
        self.here.setChecked(True)
        self.body.addStretch(1)
        cancel = self.add_button(push_button("Cancel", "teamCancel", self.reject))
        cancel.setProperty("isWayOut", True)
        self.leave_button = self.add_button(push_button("Leave", "teamLeaveYes", self._leave, is_danger=True))
        cancel.setFocus()

    def _leave(self) -> None:
        self.show_busy("Leaving the workspace…")
        self.leaveRequested.emit(self.for_good.isChecked())


class TeamPasswordDialog(TeamPanel):
    """``given`` has what was typed."""

    given = Signal(str)

    def __init__(self, theme: Theme, workspace: str, *, parent: QWidget | None = None) -> None:
        super().__init__(
            theme, f"Password for “{workspace}”", object_name="teamPasswordDialog", size_px=_PASSWORD_PX, parent=parent
        )
        words = (
            "ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new "
            "invitation, or take a code from another computer of yours."
        )
        self.body.addWidget(plain_label(words, "muted", wraps=True))
        self.field = QLineEdit()
        self.field.setObjectName("teamPasswordField")
        self.field.setAccessibleName("Password")
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.body.addWidget(self.field)
        self.body.addStretch(1)
        cancel = self.add_button(push_button("Cancel", "teamCancel", self.reject))
        cancel.setProperty("isWayOut", True)
        self.use_button = self.add_button(push_button("Use", "teamPasswordUse", self._use, is_primary=True))
        self.use_button.setEnabled(False)
        self.field.textChanged.connect(lambda text: self.use_button.setEnabled(bool(text)))
        self.field.returnPressed.connect(self._use)
        self.field.setFocus()

    def _use(self) -> None:
        if self.field.text() and not self.is_busy:
            self.show_busy("Trying the password…")
            self.given.emit(self.field.text())
