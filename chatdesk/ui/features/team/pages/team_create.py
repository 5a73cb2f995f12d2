"""Shows *Create a workspace*: the database, whether it is suitable, and the name of the workspace.

The work is done by ``ui/features/team/team_binding.py``. The password typed here is used once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.domain.sharing.team_setup import CheckState, SetupCheck
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_address import AddressFields, ReadAddress
from chatdesk.ui.features.team.pages.team_keep import KeepInFile
from chatdesk.ui.features.team.pages.team_text import WHO_CAN_READ
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import bare_column

_WIDTH_PX: Final = 620
_LONGEST_NAME: Final = 80
_STATES: Final = {CheckState.OK: Text("fine"), CheckState.WARNING: Text("a warning"), CheckState.FAILED: Text("failed")}
_CHECKS: Final = {
    CheckState.OK: ("circle-check", "accent"),
    CheckState.WARNING: ("triangle-alert", "warning"),
    CheckState.FAILED: ("circle-x", "danger"),
}


class CreateWorkspaceDialog(TaskPanel):
    """A dialog that creates a workspace. ``checkRequested`` has the address and the password, ``setUpRequested`` both
    names and these. ``show_checks``, ``show_problem`` and ``show_done`` answer."""

    checkRequested = Signal(object, str)  # ServerAddress, password
    setUpRequested = Signal(str, str, object, str)  # workspace, member, ServerAddress, password
    signInRequested = Signal(object, str)  # ServerAddress, password
    inviteRequested = Signal()

    def __init__(
        self, theme: Theme, read_address: ReadAddress, *, my_name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(
            theme, tr("Create a workspace"), object_name="teamCreateDialog", width_px=_WIDTH_PX, parent=parent
        )
        self._is_checked = self._shows_checks = False
        self.address = AddressFields(read_address)
        self.checks = _Checks(theme)
        self.keep = KeepInFile()
        self.name = _name_field("teamName", tr("Name of the workspace"), tr("For example: the name of your team"))
        self.my_name = _name_field("teamMyName", tr("Your name, as the others see it"), tr("For example: Ana Lima"))
        self.my_name.setText(my_name)
        self._place = 0
        # Not stacked: a stack is as high as the highest of its pages.
        self._pages = (self._database_page(), self._names_page(), self._done_page())
        for page in self._pages:
            self.body.addWidget(page)
        self.body.addWidget(self.keep)
        self.cancel_button = self.add_button(push_button(tr("Cancel"), "teamCancel", self.reject, is_way_out=True))
        self.back_button = self.add_button(push_button(tr("Back"), "teamBack", lambda: self._go(0)))
        self.check_button = self.add_button(push_button(tr("Check"), "teamCheck", self._check))
        self.next_button = self.add_button(push_button(tr("Next"), "teamNext", lambda: self._go(1)))
        self.set_up_button = self.add_button(push_button(tr("Set up"), "teamSetUp", self._set_up))
        self.invite_button = self.add_button(push_button(tr("Invite people…"), "teamInviteNow", self._invite))
        self.close_button = self.add_button(push_button(tr("Done"), "teamDone", self.accept))
        for button in (self.check_button, self.next_button, self.set_up_button, self.close_button):
            button.setProperty("isPrimary", True)
        self.address.changed.connect(self._on_address_changed)
        self.area.verticalScrollBar().rangeChanged.connect(lambda _least, _most: self._bring_up_checks())
        for field in (self.name, self.my_name):
            field.textChanged.connect(self._refresh)
            field.returnPressed.connect(self._set_up)
        self._go(0)

    def show_checks(self, checks: Sequence[SetupCheck]) -> None:
        """Show the checks of the server; if none failed, the dialog can go on."""
        self.end_busy()
        self._is_checked = bool(checks) and all(each.state is not CheckState.FAILED for each in checks)
        self.checks.show_checks(checks)
        self._refresh()
        self._shows_checks = True
        self._bring_up_checks()
        (self.next_button if self._is_checked else self.check_button).setFocus()

    def show_problem(self, sentence: str) -> None:
        super().show_problem(sentence)
        if sentence:
            self._refresh()

    def show_done(self, name: str) -> None:
        """Show that the workspace is set up."""
        self.end_busy()
        self.done_text.setText(
            tr(
                "“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, "
                "and invite the people you work with.",
                name=name,
            )
        )
        self._go(2)
        announce(self, self.done_text.text())

    def go_on(self) -> None:
        """Try again with the present fields."""
        self.end_busy()
        self.keep.hide()
        (self._set_up if self._place == 1 else self._sign_in)()

    # Pages

    def _database_page(self) -> QWidget:
        page, column = _page()
        words = tr(
            "A workspace is a PostgreSQL database, 15 or newer, that your team's computers share changes through. Give "
            "an empty one, and an account that may create roles; its password is used now and not kept."
        )
        column.addWidget(plain_label(words, "muted", wraps=True))
        column.addWidget(self.address)
        column.addWidget(self.checks)
        by_hand = plain_label(
            tr("Was the workspace set up by hand? Then sign in with your login."), "muted", wraps=True
        )
        self.sign_in_button = push_button(tr("Sign in"), "teamSignIn", self._sign_in, acts=True)
        row = QHBoxLayout()
        row.addWidget(by_hand, 1)
        row.addWidget(self.sign_in_button)
        column.addLayout(row)
        return page

    def _names_page(self) -> QWidget:
        page, column = _page()
        for words, field in ((tr("Name of the workspace"), self.name), (tr("Your name"), self.my_name)):
            label = plain_label(words, "text")
            label.setBuddy(field)
            column.addWidget(label)
            column.addWidget(field)
        column.addWidget(plain_label(shown(WHO_CAN_READ), "muted", wraps=True))
        column.addWidget(
            plain_label(
                tr("If setting up is interrupted, set up the same database again: it continues."), "muted", wraps=True
            )
        )
        return page

    def _done_page(self) -> QWidget:
        page, column = _page()
        self.done_text = plain_label("", "text", wraps=True, name="teamDoneText")
        column.addWidget(self.done_text)
        return page

    # Steps

    def _go(self, place: int) -> None:
        self._place = place
        for number, page in enumerate(self._pages):
            page.setVisible(number == place)
        self.show_problem("")
        self._refresh()
        first = (self.address.string, self.name, self.close_button)[place]
        first.setFocus()

    def _refresh(self) -> None:
        place = self._place
        self.cancel_button.setVisible(place < 2)
        self.back_button.setVisible(place == 1)
        self.check_button.setVisible(place == 0 and not self._is_checked)
        self.next_button.setVisible(place == 0 and self._is_checked)
        self.set_up_button.setVisible(place == 1)
        self.invite_button.setVisible(place == 2)
        self.close_button.setVisible(place == 2)
        if not self.is_busy:
            self.check_button.setEnabled(self.address.is_complete)
            self.sign_in_button.setEnabled(self.address.is_complete)
            self.set_up_button.setEnabled(all(each.text().strip() for each in (self.name, self.my_name)))

    def _on_address_changed(self) -> None:
        self._is_checked = self._shows_checks = False
        self.checks.show_checks(())
        self._refresh()

    def _bring_up_checks(self) -> None:
        """Scroll to the verdict of the checks; repeated whenever the page is laid out."""
        page = self.area.widget()
        if self._shows_checks and self._place == 0 and page is not None:
            self.area.verticalScrollBar().setValue(self.checks.mapTo(page, QPoint(0, 0)).y())

    def _check(self) -> None:
        self.show_busy(tr("Looking at the database…"))
        self.checkRequested.emit(self.address.address(), self.address.password.text())

    def _sign_in(self) -> None:
        self.show_busy(tr("Signing in…"))
        self.signInRequested.emit(self.address.address(), self.address.password.text())

    def _set_up(self) -> None:
        if not self.set_up_button.isEnabled() or self.is_busy:
            return
        self.show_busy(tr("Setting up the workspace…"))
        names = (self.name.text().strip(), self.my_name.text().strip())
        self.setUpRequested.emit(*names, self.address.address(), self.address.password.text())

    def _invite(self) -> None:
        self.accept()
        self.inviteRequested.emit()


class _Checks(QWidget):
    """A list of checks, each a line with a mark, its name and a sentence."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("teamChecks")
        self.setAccessibleName(tr("What was found"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 8, 0, 0)

    def show_checks(self, checks: Sequence[SetupCheck]) -> None:
        clear_layout(self._column)
        if not checks:
            return
        failed = sum(each.state is CheckState.FAILED for each in checks)
        verdict = (
            shown(plural("{count} problems must be fixed first.", "{count} problem must be fixed first.", failed))
            if failed
            else tr("A workspace can be set up here.")
        )
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        for place, check in enumerate(checks):
            text = plain_label(shown(check.sentence), "note", wraps=True, name=f"teamCheck_{place}")
            text.setAccessibleName(f"{shown(check.name)}, {shown(_STATES[check.state])}: {text.text()}")
            grid.addWidget(Mark(self._theme, *_CHECKS[check.state]), place, 0)
            grid.addWidget(plain_label(shown(check.name), "text"), place, 1)
            grid.addWidget(text, place, 2)
        self.verdict = plain_label(verdict, "strong", wraps=True, name="teamVerdict")
        self._column.addWidget(self.verdict)
        self._column.addWidget(box)
        failures = [shown(each.sentence) for each in checks if each.state is CheckState.FAILED]
        announce(self, " ".join([verdict, *failures]))


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = bare_column(page, spacing_px=8)
    return page, column


def _name_field(object_name: str, name: str, hint: str) -> QLineEdit:
    field = named(QLineEdit(), object_name, name)
    field.setPlaceholderText(hint)
    field.setMaxLength(_LONGEST_NAME)
    return field
