"""Shows the page *Local service* of the settings: its switch, its address, and the tokens of other programs. Its
controller does the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.moments import moment_text
from chatdesk.core.texts import Text, shown, tr
from chatdesk.services.service_switch import ServiceState, ShownToken
from chatdesk.ui.accessibility.assistance import announce, named, show_checked
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.local_forms import date_time_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.switch import Switch
from chatdesk.ui.widgets.layouts import FlowRow, bare_column
from chatdesk.ui.widgets.words import with_commas

_LOOK_AGAIN_MS: Final = 5_000  # while the page is seen, for the last use
_WHAT: Final = Text(
    "Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours."
)
_TOKENS_WHILE_OFF: Final = Text("Turn the service on to make tokens and to see the existing ones.")
_NO_TOKENS: Final = Text("There are no tokens. Each program gets one of its own.")


class LocalServicePage(QWidget):
    """The settings page of the local service. ``switched`` has whether the service is to be on; ``tokensWanted`` asks
    for the list (``show_tokens``) whenever it may be another one; ``revokeRequested`` has the id and the name of a
    token. ``fixed_by`` names the variable of the environment that decides whether the service is on, if there is
    one."""

    switched = Signal(bool)
    tryAgainRequested = Signal()
    newTokenRequested = Signal()
    revokeRequested = Signal(str, str)
    tokensWanted = Signal()

    def __init__(self, theme: Theme, *, fixed_by: str = "") -> None:
        super().__init__()
        self.setObjectName("localServicePage")
        self._what = (
            tr("The environment variable {fixed_by} decides this.", fixed_by=fixed_by) if fixed_by else shown(_WHAT)
        )
        self._urls: tuple[str, ...] = ()
        self._rows: dict[str, _TokenRow] = {}
        self.switch = Switch(theme, object_name="localServiceSwitch")
        self._switch_row = SettingsRow(tr("Let other programs use ChatDesk"), self._what, self.switch)
        self.switch.setEnabled(not fixed_by)
        self.switch.toggled.connect(self.switched)
        self._status = _said("localServiceStatus", "text")
        self._problem = _said("localServiceProblem", "text")
        self._problem.setProperty("isDanger", True)
        self._copy = push_button(tr("Copy address"), "localServiceCopy", self._copy_address)
        self._again = push_button(tr("Try again"), "localServiceAgain", self.tryAgainRequested.emit)
        self._hint = _said("localServiceHint", "muted")
        self.new_button = push_button(tr("New token…"), "localServiceNew", self.newTokenRequested.emit)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._timer = QTimer(self, interval=_LOOK_AGAIN_MS)
        self._timer.timeout.connect(self.tokensWanted)
        self._lay_out()
        self.show_state(ServiceState())

    def show_state(self, state: ServiceState) -> None:
        """Show whether the service listens, its address, and its failure."""
        show_checked(self.switch, state.is_wanted)
        self._urls = state.urls
        problem = "" if state.problem is None else shown(state.problem.sentence)
        words = (
            tr("On, at {address}", address=state.urls[0])
            if state.is_on
            else tr("Starting…")
            if state.is_wanted and not problem
            else tr("Off")
        )
        if words != self._status.text() or problem != self._problem.text():
            announce(self, problem or words, is_assertive=bool(problem))
        self._status.setText(words)
        self._problem.setText(problem)
        self._status.setVisible(not problem)
        self._problem.setVisible(bool(problem))
        had_focus = next((each for each in (self._copy, self._again, self.new_button) if each.hasFocus()), None)
        self._copy.setVisible(state.is_on)
        self._again.setVisible(bool(problem))
        self.new_button.setEnabled(state.is_on)
        if had_focus is not None and not (had_focus.isVisibleTo(self) and had_focus.isEnabled()):
            self.switch.setFocus(Qt.FocusReason.OtherFocusReason)
        if not state.is_on:
            for id_ in list(self._rows):
                self._remove_row(id_)
            self._hint.setText(shown(_TOKENS_WHILE_OFF))
            self._hint.show()
        self.tokensWanted.emit()

    def show_tokens(self, tokens: Sequence[ShownToken], projects: Mapping[str, str]) -> Iterator[None]:
        """Show the tokens, one row per step, between which the window stays responsive; ``projects`` has names by
        id."""
        wanted = {each.id: (each.name, token_words(each, projects)) for each in tokens} if self._urls else {}
        focused = next((id_ for id_, row in self._rows.items() if row.revoke.hasFocus()), None)
        for id_, row in list(self._rows.items()):
            if wanted.get(id_) != (row.name, row.details):
                self._remove_row(id_)
        for place, (id_, (name, details)) in enumerate(wanted.items()):
            if id_ not in self._rows:
                row = self._rows[id_] = _TokenRow(id_, name, details)
                row.revoke.clicked.connect(partial(self.revokeRequested.emit, id_, name))
                self._list.insertWidget(place, row)
                yield
        before: QWidget = self._again
        for button in (*(self._rows[id_].revoke for id_ in wanted), self.new_button):
            QWidget.setTabOrder(before, button)
            before = button
        if self._urls:
            self._hint.setText(shown(_NO_TOKENS))
            self._hint.setVisible(not wanted)
        if focused is not None and not any(row.revoke.hasFocus() for row in self._rows.values()):
            again = self._rows[focused].revoke if focused in self._rows else self.new_button
            again.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_problem(self, sentence: str) -> None:
        """Show why an action on a token failed."""
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))
        announce(self, sentence, is_assertive=True)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self.tokensWanted.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 10)
        column.setSpacing(6)
        column.addWidget(self._switch_row)
        column.addWidget(self._status)
        column.addWidget(self._problem)
        buttons = FlowRow(8)
        buttons.addWidget(self._copy)
        buttons.addWidget(self._again)
        column.addLayout(buttons)
        column.addSpacing(10)
        column.addWidget(plain_label(tr("Tokens", "access"), "strong"))
        column.addWidget(self._hint)
        column.addLayout(self._list)
        row = FlowRow(8)
        row.addWidget(self.new_button)
        column.addLayout(row)
        column.addSpacing(10)

    def _remove_row(self, id_: str) -> None:
        row = self._rows.pop(id_)
        self._list.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _copy_address(self) -> None:
        QGuiApplication.clipboard().setText(self._urls[0])
        announce(self, tr("The address is in the clipboard."))
        self._copy.setText(tr("Copied"))
        QTimer.singleShot(_LOOK_AGAIN_MS, self._copy, lambda: self._copy.setText(tr("Copy address")))


class _TokenRow(QWidget):
    """A token of the list, with the button that revokes it."""

    def __init__(self, id_: str, name: str, details: str) -> None:
        super().__init__()
        self.name, self.details = name, details
        self.setObjectName(f"localServiceToken_{id_}")
        self.revoke = named(QPushButton(tr("Revoke…")), f"localServiceRevoke_{id_}", tr("Revoke {name}", name=name))
        self.revoke.setAccessibleDescription(details)
        self.revoke.setAutoDefault(False)
        self.revoke.setProperty("isDanger", True)
        line = bare_column(self)
        line.addWidget(SettingsRow(name, details, self.revoke, has_field_name=False))


def token_words(token: ShownToken, projects: Mapping[str, str]) -> str:
    """Return the rights of a token, their place and end, and when it was last used, on one line."""
    reached = with_commas(projects.get(each, tr("a project in the trash")) for each in token.projects) or tr(
        "all projects"
    )
    until = "" if token.expires_at is None else tr("until {moment}", moment=_moment(token.expires_at))
    used = (
        tr("never used") if token.last_used_at is None else tr("last used {moment}", moment=_moment(token.last_used_at))
    )
    return " · ".join(filter(None, (", ".join(token.scopes), reached, until, used)))


def _moment(milliseconds: int) -> str:
    return shown(moment_text(milliseconds, date_time_text))


def _said(object_name: str, role: str) -> QLabel:
    label = plain_label("", role, wraps=True, name=object_name)  # type: ignore[arg-type]
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
