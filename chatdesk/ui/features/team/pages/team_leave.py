"""Shows *Leave*: whether this computer or the person leaves for good, confirmed by the password and the workspace's
name."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QRadioButton, QWidget

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.texts import Sentences, plural, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_text import address_words
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX: Final = 520
_FIELD_PX: Final = 460
_LONGEST_NAME: Final = 80


class LeaveWorkspaceDialog(TaskPanel):
    """A dialog that leaves a workspace. ``leaveRequested`` says whether it is for good. ``waiting``: changes that did
    not go up yet."""

    leaveRequested = Signal(bool)

    def __init__(
        self, theme: Theme, workspace: str, *, waiting: int, is_owner: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(
            theme,
            tr("Leave “{workspace}”?", workspace=workspace),
            object_name="teamLeaveDialog",
            width_px=_WIDTH_PX,
            parent=parent,
        )
        words = tr("Its projects stay on this computer, as private copies. Nothing is deleted here or there.")
        self.add_text(words, "text")
        if waiting:
            unsent = plain_label(
                shown(
                    plural(
                        "{count} changes did not reach the team yet and will stay only here.",
                        "{count} change did not reach the team yet and will stay only here.",
                        waiting,
                    )
                ),
                "text",
                wraps=True,
                name="teamLeaveWaiting",
            )
            self.body.addWidget(unsent)
        self.here = QRadioButton(tr("Only on this computer"))
        self.for_good = QRadioButton(tr("For good: end my membership"))
        for button, name, hint in (
            (
                self.here,
                "teamLeaveHere",
                tr("You stay a member; a code from another computer of yours brings this one back."),
            ),
            (
                self.for_good,
                "teamLeaveForGood",
                _for_good_words(is_owner=is_owner),
            ),
        ):
            button.setObjectName(name)
            button.setAccessibleDescription(hint)
            self.body.addWidget(button)
            self.add_text(hint)
        self.here.setChecked(True)
        cancel = self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.add_button(push_button(tr("Leave"), "teamLeaveYes", self._leave, is_danger=True))
        cancel.setFocus()

    def _leave(self) -> None:
        self.show_busy(tr("Leaving the workspace…"))
        self.leaveRequested.emit(self.for_good.isChecked())


class _FieldDialog(TaskPanel):
    """A dialog with one field and a button. ``given`` carries the typed text."""

    given = Signal(str)

    def __init__(
        self,
        theme: Theme,
        title: str,
        *,
        words: str,
        field: QLineEdit,
        button: QPushButton,
        busy: str,
        object_name: str,
        parent: QWidget | None,
    ) -> None:
        super().__init__(theme, title, object_name=object_name, width_px=_FIELD_PX, parent=parent)
        self.field = field
        self._busy = busy
        self.add_text(words)
        self.body.addWidget(field)
        self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.use_button = self.add_button(button)
        button.setAutoDefault(False)
        button.setProperty("isPrimary", True)
        button.setEnabled(bool(field.text().strip()))
        button.clicked.connect(self._use)
        field.textChanged.connect(lambda text: button.setEnabled(bool(text.strip())))
        field.returnPressed.connect(self._use)
        field.setFocus()

    def _use(self) -> None:
        if self.field.text().strip() and not self.is_busy:
            self.show_busy(self._busy)
            self.given.emit(self.field.text().strip())


class TeamPasswordDialog(_FieldDialog):
    """A password that is lost or wrong, typed."""

    def __init__(self, theme: Theme, workspace: str, address: ServerAddress, *, parent: QWidget | None = None) -> None:
        field = named(QLineEdit(), "teamPasswordField", tr("Password"))
        field.setEchoMode(QLineEdit.EchoMode.Password)
        button = QPushButton(tr("Use"))
        button.setObjectName("teamPasswordUse")
        super().__init__(
            theme,
            tr("Password for “{workspace}”", workspace=workspace),
            words=Sentences.of(
                tr(
                    "ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a "
                    "new invitation, or take a code from another computer of yours."
                ),
                tr("The database is {address}.", address=address_words(address)),
            ),
            field=field,
            button=button,
            busy=tr("Trying the password…"),
            object_name="teamPasswordDialog",
            parent=parent,
        )


class RenameWorkspaceDialog(_FieldDialog):
    """Another name for a workspace."""

    def __init__(self, theme: Theme, name: str, *, parent: QWidget | None = None) -> None:
        field = named(QLineEdit(name), "teamWorkspaceName", tr("Name of the workspace"))
        field.setMaxLength(_LONGEST_NAME)
        field.selectAll()
        button = QPushButton(tr("Rename"))
        button.setObjectName("teamRenameYes")
        super().__init__(
            theme,
            tr("Rename the workspace"),
            words=tr("All members see the new name."),
            field=field,
            button=button,
            busy=tr("Renaming the workspace…"),
            object_name="teamRenameDialog",
            parent=parent,
        )


def _for_good_words(*, is_owner: bool) -> str:
    words = tr("On all of your computers. What you wrote stays with the team; to come back you need an invitation.")
    return " ".join((words, tr("Make somebody else an owner first."))) if is_owner else words
