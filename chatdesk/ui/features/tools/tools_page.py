"""Shows the page *Tools* of the settings: the servers, their state, and the permissions of their tools. Its controller
does the work."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from chatdesk.core.domain.tools import (
    CHECK_STEP_TEXTS,
    Answer,
    CheckStep,
    ServerKind,
    ServerState,
    ServerStatus,
    ToolCheck,
)
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.core.tools.permissions import Permission
from chatdesk.core.tools.sign_ins import can_sign_in
from chatdesk.core.tools.web_search.choice import WEB
from chatdesk.ui.accessibility.assistance import announce, show_checked
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import CheckSteps
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.features.tools.server_text import command_text
from chatdesk.ui.local_forms import date_time_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.switch import Switch
from chatdesk.ui.widgets.layouts import FlowRow

_WHAT: Final = Text("What models can use to read files, search and act. Nothing runs before you allow it.")
_NONE: Final = Text("No other server is set up.")
_NO_PERMISSIONS: Final = Text("ChatDesk asks about every call.")
# The purposes of the servers that come with ChatDesk.
_ABOUT: Final = {
    "chatdesk-chats": Text("Models can look things up in your earlier threads."),
    "chatdesk-folder": Text("Models can read the files of a project's folder, and propose changes to them."),
}
_SCOPES: Final = {
    Answer.THREAD: Text("in one thread"),
    Answer.PROJECT: Text("in one project"),
    Answer.ALWAYS: Text("everywhere"),
}
_READING_SCOPES: Final = {
    Answer.THREAD: Text("in one thread, also after text from outside"),
    Answer.PROJECT: Text("in one project, also after text from outside"),
    Answer.ALWAYS: Text("everywhere, also after text from outside"),
}


class ToolsPage(QWidget):
    """All signals but ``addRequested`` have the id of a server; ``switchRequested`` also whether it is to be on,
    ``signInRequested`` whether it is to be signed in to, ``askModelRequested`` whether it may ask models.
    ``revokeRequested`` has a permission."""

    addRequested = Signal()
    editRequested = Signal(str)
    testRequested = Signal(str)
    removeRequested = Signal(str)
    switchRequested = Signal(str, bool)
    signInRequested = Signal(str, bool)
    askModelRequested = Signal(str, bool)
    revokeRequested = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("toolsPage")
        self._rows: dict[str, _ServerRow] = {}
        self._shown_permissions: tuple[Permission, ...] | None = None
        self._problem = _said("toolsProblem")
        self._problem.setProperty("isDanger", True)
        self._none = plain_label(shown(_NONE), "muted", wraps=True, name="toolsNone")
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.add_button = push_button(tr("Add server…"), "toolsAdd", self.addRequested.emit)
        self._permissions = QVBoxLayout()
        self._permissions.setSpacing(0)
        self._no_permissions = plain_label(shown(_NO_PERMISSIONS), "muted", wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 10)
        column.setSpacing(6)
        column.addWidget(plain_label(shown(_WHAT), "muted", wraps=True))
        column.addWidget(self._problem)
        column.addLayout(self._list)
        column.addWidget(self._none)
        row = FlowRow(8)
        row.addWidget(self.add_button)
        column.addLayout(row)
        column.addSpacing(12)
        column.addWidget(plain_label(tr("Allowed without asking"), "strong"))
        column.addWidget(self._no_permissions)
        column.addLayout(self._permissions)
        column.addStretch(1)
        self.show_problem("")

    def show_problem(self, sentence: str) -> None:
        """Show a problem above the servers; an empty text hides it."""
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))
        announce(self, sentence, is_assertive=True)

    def show_servers(self, statuses: Sequence[ServerStatus], *, search: str = "") -> None:
        """Show these servers; an existing row keeps its focus and the result of its test. ``search`` names the web
        search engine."""
        ids = [each.server.id for each in statuses]
        for gone in [each for each in self._rows if each not in ids]:
            row = self._rows.pop(gone)
            if row.isAncestorOf(self.focusWidget()):
                self.add_button.setFocus(Qt.FocusReason.OtherFocusReason)
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, status in enumerate(statuses):
            id_ = status.server.id
            if id_ not in self._rows:
                row = self._rows[id_] = _ServerRow(self._theme, id_)
                row.switch.toggled.connect(lambda is_on, id_=id_: self.switchRequested.emit(id_, is_on))
                row.sign_in.clicked.connect(partial(self._on_sign_in, row, id_))
                row.ask_model.toggled.connect(lambda may, id_=id_: self.askModelRequested.emit(id_, may))
                row.test.clicked.connect(partial(_emit, self.testRequested, id_))
                row.edit.clicked.connect(partial(_emit, self.editRequested, id_))
                row.remove.clicked.connect(partial(_emit, self.removeRequested, id_))
                self._list.insertWidget(place, row)
            self._rows[id_].show_status(status, search if id_ == WEB else "")
        before: QWidget | None = None
        for each in (button for id_ in ids for button in self._rows[id_].focusable()):
            if before is not None:
                QWidget.setTabOrder(before, each)
            before = each
        if before is not None:
            QWidget.setTabOrder(before, self.add_button)
        self._none.setVisible(all(each.server.kind is ServerKind.BUILT_IN for each in statuses))

    def _on_sign_in(self, row: _ServerRow, server_id: str, _is_checked: bool = False) -> None:
        self.signInRequested.emit(server_id, not row.is_signed_in)

    def show_sign_in(self, server_id: str, words: str) -> None:
        """Show how the sign-in to a server goes."""
        if server_id in self._rows:
            self._rows[server_id].show_sign_in(words)

    def show_testing(self, server_id: str) -> None:
        """Show that the test of a server runs."""
        if server_id in self._rows:
            self._rows[server_id].show_testing()

    def show_check(self, server_id: str, check: ToolCheck) -> None:
        """Show one more step of the test of a server."""
        if server_id in self._rows:
            self._rows[server_id].show_check(check)

    def show_permissions(self, permissions: Sequence[Permission], names: dict[str, str]) -> None:
        """Show the calls that are allowed without asking; ``names`` has those of the servers by id."""
        if tuple(permissions) == self._shown_permissions:
            return
        self._shown_permissions = tuple(permissions)
        had_focus = any(
            widget is not None and widget.isAncestorOf(self.focusWidget())
            for widget in (self._permissions.itemAt(place).widget() for place in range(self._permissions.count()))  # type: ignore[union-attr]
        )
        clear_layout(self._permissions)
        for number, permission in enumerate(permissions):
            self._permissions.addWidget(self._permission_row(number, permission, names))
        self._no_permissions.setVisible(not permissions)
        if had_focus:
            self.add_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _permission_row(self, number: int, permission: Permission, names: dict[str, str]) -> QWidget:
        title = tr(
            "{tool} of {server}",
            tool=distinct_name(permission.tool),
            server=names.get(permission.server_id, permission.server_id),
        )
        when = moment_text(permission.allowed_at, date_time_text)
        scope = shown((_READING_SCOPES if permission.only_reads else _SCOPES)[permission.scope])
        revoke = push_button(
            tr("Ask again"),
            f"toolsRevoke_{number}",
            partial(self.revokeRequested.emit, permission),
            name=tr("Ask again about {title}", title=title),
        )
        about = tr("{scope} · since {when}", scope=scope, when=when)
        return SettingsRow(title, about, revoke, has_field_name=False)


class _ServerRow(QWidget):
    """A server of the list."""

    def __init__(self, theme: Theme, server_id: str) -> None:
        super().__init__()
        self.setObjectName(f"toolServer_{server_id}")
        self._name = ""
        self.switch = Switch(theme, object_name=f"toolSwitch_{server_id}")
        self._head = SettingsRow("", "", self.switch)
        self.ask_model = Switch(theme, object_name=f"toolAskModel_{server_id}")
        may_ask = tr("May ask your model for an answer, if you agree each time")
        self._asking = SettingsRow(may_ask, "", self.ask_model, has_field_name=False)
        self._state = _said(f"toolState_{server_id}")
        self._steps = CheckSteps(theme, f"toolSteps_{server_id}")
        self._stderr = _said(f"toolStderr_{server_id}")
        self._stderr.hide()
        self.is_signed_in = False
        self.sign_in = push_button(tr("Sign in…"), f"toolSignIn_{server_id}", lambda: None)
        self.test = push_button(tr("Test"), f"toolTest_{server_id}", lambda: None)
        self.edit = push_button(tr("Edit…"), f"toolEdit_{server_id}", lambda: None)
        self.remove = push_button(tr("Remove…"), f"toolRemove_{server_id}", lambda: None, is_danger=True)
        buttons = FlowRow(8)
        for each in (self.sign_in, self.test, self.edit, self.remove):
            buttons.addWidget(each)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(4)
        for widget in (self._head, self._state, self._steps, self._stderr, self._asking):
            column.addWidget(widget)
        column.addLayout(buttons)

    def focusable(self) -> tuple[QWidget, ...]:
        """Return the widgets that Tab reaches, in its order."""
        widgets = (self.switch, self.ask_model, self.sign_in, self.test, self.edit, self.remove)
        return tuple(each for each in widgets if each.isVisibleTo(self))

    def show_status(self, status: ServerStatus, search: str = "") -> None:
        """Show a server as it is. Of those that come with ChatDesk one has something to set up: the ``search``."""
        name = self._name = distinct_name(shown(status.server.name))
        show_checked(self.switch, status.server.is_on)
        is_own = status.server.kind is ServerKind.BUILT_IN
        about = search or shown(_ABOUT.get(status.server.id, "")) if is_own else command_text(status.server)
        self._head.show_words(name, about)
        for button in (self.test, self.remove):
            button.setVisible(not is_own)
        self.edit.setVisible(not is_own or bool(search))
        self.edit.setText(tr("Search engine…") if search else tr("Edit…"))
        self._state.setText(state_words(status))
        self._state.setProperty("isDanger", status.state is ServerState.FAILED)
        self._state.style().unpolish(self._state)
        self._state.style().polish(self._state)
        tail = status.stderr.strip()[-600:] if status.state is ServerState.FAILED else ""
        self._stderr.setText(tr("It wrote: {tail}", tail=tail) if tail else "")
        self._stderr.setVisible(bool(tail))
        self.is_signed_in = status.server.is_signed_in
        self.sign_in.setText(tr("Sign out") if self.is_signed_in else tr("Sign in…"))
        self.sign_in.setVisible(can_sign_in(status.server))
        self._asking.setVisible(not is_own)
        show_checked(self.ask_model, status.server.may_ask_model)
        self.ask_model.setAccessibleName(f"{name}: {self._asking.title}")
        self.sign_in.setAccessibleName(
            tr("Sign out of {name}", name=name) if self.is_signed_in else tr("Sign in to {name}", name=name)
        )
        self.test.setAccessibleName(tr("Test {name}", name=name))
        self.edit.setAccessibleName(tr("Edit {name}", name=name))
        self.remove.setAccessibleName(tr("Remove {name}", name=name))
        if search:
            self.edit.setAccessibleName(tr("Choose the search engine"))
        self.switch.setAccessibleDescription(f"{about}. {self._state.text()}")

    def show_testing(self) -> None:
        self._steps.reset(tr("Testing…"))

    def show_sign_in(self, words: str) -> None:
        self._steps.reset(words)
        announce(self, words)

    def show_check(self, check: ToolCheck) -> None:
        words = shown(CHECK_STEP_TEXTS[check.step])
        if check.is_well:
            if check.step is CheckStep.LISTED:
                count = plural("{count} tools", "{count} tool", check.tool_count)
                words = f"{words}: {shown(count)}"
                words = " ".join((f"{words}.", *map(shown, check.left_out))) if check.left_out else words
        else:
            words = f"{words}: {shown(check.problem)}"
        self._steps.add(words, check.is_well)
        if not check.is_well or check.step is CheckStep.LISTED:
            announce(self, f"{self._name}: {words}")


def state_words(status: ServerStatus) -> str:
    """Return how a server is, in words."""
    if status.server.kind is ServerKind.BUILT_IN:
        return shown(plural("{count} tools", "{count} tool", status.tool_count)) if status.server.is_on else tr("Off")
    if status.state is ServerState.READY:
        count = plural("Running, {count} tools", "Running, {count} tool", status.tool_count)
        return " ".join((f"{shown(count)}.", *map(shown, status.left_out))) if status.left_out else shown(count)
    if status.state is ServerState.FAILED:
        return shown(status.problem) or tr("It failed.")
    return {
        ServerState.OFF: tr("Off"),
        ServerState.IDLE: tr("Starts when it is needed"),
        ServerState.STARTING: tr("Starting…"),
    }[status.state]


def _emit(signal: SignalInstance, server_id: str, _is_checked: bool = False) -> None:
    signal.emit(server_id)


def _said(object_name: str) -> QLabel:
    label = plain_label("", "muted", wraps=True, name=object_name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
