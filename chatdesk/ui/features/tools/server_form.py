"""Shows *Add server* and *Edit server*: by command, by address, or from the JSON of another program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.core.tools.pasted import NotServers, PastedServer, read_pasted
from chatdesk.core.tools.sign_ins import CLIENT
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.features.tools.server_text import (
    NotAServerError,
    command_text,
    described,
    is_address_text,
    read_server,
    values_text,
)
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.words import with_commas

_WIDTH_PX: Final = 520
_MOST: Final = 100_000
_LINES: Final = 6
_HINT: Final = Text(
    "The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys."
)


class ServerForm(TaskPanel):
    """A dialog that sets up a tool server. ``saved`` has the server (its id is empty for a new one) and new secrets by
    name; the answer is ``accept`` or ``end_busy`` with ``show_problem``."""

    saved = Signal(object, object)

    def __init__(self, theme: Theme, server: ToolServer | None = None, *, parent: QWidget | None = None) -> None:
        title = tr("Add a tool server") if server is None else tr("Edit the tool server")
        super().__init__(theme, title, object_name="serverForm", width_px=_WIDTH_PX, parent=parent)
        self._server = server
        self.name = _field(tr("Name"), "serverName", tr("For example: Notes"))
        self.command = _field(
            tr("Command or address"), "serverCommand", "npx -y @modelcontextprotocol/server-filesystem ~/notes"
        )
        self._waiting: list[PastedServer] = []
        self.said = plain_label("", "muted", wraps=True, name="serverSaid")
        self.said.setParent(self)
        self.said.hide()
        self.command.textEdited.connect(self._on_command_edited)
        self.values = TextField(theme, name=tr("Variables or headers"), object_name="serverValues", most=_MOST)
        self.values.setPlaceholderText("API_KEY=…")
        self.values.setFixedHeight(_LINES * self.values.fontMetrics().lineSpacing())
        self.folder = _field(tr("Folder it runs in"), "serverFolder", tr("An empty folder of its own"))
        self.client_id = _field(tr("Client ID"), "serverClientId", tr("Empty: ChatDesk registers itself"))
        self.client_secret = _field(tr("Client secret"), "serverClientSecret", tr("Empty: none"))
        self.client_secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.save_button = push_button(tr("Save"), "serverSave", self._save, is_primary=True, is_default=True)
        self._build()
        if server is not None:
            self.name.setText(server.name)
            self.command.setText(command_text(server))
            self.values.show_written(values_text(server))
            self.folder.setText(server.folder)
            self.client_id.setText(server.client_id)
            if server.client_id:
                self.client_secret.setPlaceholderText(tr("Unchanged"))
        self.client_id.textEdited.connect(lambda _text: self.client_secret.setPlaceholderText(tr("Empty: none")))
        self.command.textChanged.connect(self._show_what_applies)
        self._show_what_applies(self.command.text())
        self.name.setFocus()

    def _build(self) -> None:
        for label, field in ((tr("Name"), self.name), (tr("Command or address"), self.command)):
            self.body.addWidget(plain_label(label, "muted"))
            self.body.addWidget(field)
        self.add_text(tr("You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here."))
        self.body.addWidget(self.said)
        self.body.addWidget(plain_label(tr("Variables, or headers of an address, a line each"), "muted", wraps=True))
        self.body.addWidget(self.values)
        self.add_text(shown(_HINT))
        self._of_program = self._add_together((tr("Folder"), self.folder))
        self._of_address = self._add_together(
            (tr("Client ID, if you registered one to sign in with"), self.client_id),
            (tr("Client secret"), self.client_secret),
        )
        self.add_button(push_button(tr("Cancel"), "serverCancel", self.reject, is_way_out=True))
        self.add_button(self.save_button)

    def _add_together(self, *fields: tuple[str, QLineEdit]) -> QWidget:
        """Add fields that are shown and hidden together."""
        rows = QWidget()
        column = bare_column(rows)
        column.setSpacing(self.body.spacing())
        for label, field in fields:
            column.addWidget(plain_label(label, "muted", wraps=True))
            column.addWidget(field)
        self.body.addWidget(rows)
        return rows

    def _show_what_applies(self, command: str) -> None:
        """Ask for a folder where a program is entered, for a client where an address is."""
        is_address = is_address_text(command)
        self._of_program.setVisible(not is_address)
        self._of_address.setVisible(is_address)

    def _on_command_edited(self, text: str) -> None:
        """Fill the fields from a pasted description."""
        if not text.lstrip().startswith(("{", '"')):
            return
        try:
            found = read_pasted(text)
        except NotServers:
            return  # it may go on
        self._fill_in(found)

    def _fill_in(self, found: Sequence[PastedServer]) -> None:
        """Fill the fields from the first of the servers; the others follow, each once the one before is saved."""
        first, *self._waiting = found
        self.name.setText(first.server.name)
        self.command.setText(command_text(first.server))
        self.values.show_written(described(first.server, first.secrets))
        self.folder.setText(first.server.folder)
        self.client_id.clear()
        self.client_secret.clear()
        said = [tr("Filled in from the description of “{name}”.", name=first.server.name)]
        if first.missing:
            said.append(tr("Still to be filled in: {missing}.", missing=with_commas(first.missing)))
        if self._waiting:
            said.append(
                plural(
                    "Once it is saved, {count} more servers follow.",
                    "Once it is saved, {count} more server follows.",
                    len(self._waiting),
                )
            )
        words = " ".join(map(shown, said))
        self.said.setText(words)
        self.said.show()
        announce(self, words)
        self.show_problem(first.problem)

    def accept(self) -> None:
        """Close the form, or go on with the next server of a pasted description."""
        if not self._waiting:
            super().accept()
            return
        self._server = None
        self.end_busy()
        self._fill_in(self._waiting)
        self.name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _save(self) -> None:
        try:
            made, secrets = read_server(
                self._server,
                "" if self._server is None else self._server.id,
                self.name.text(),
                self.command.text(),
                self.values.written(),
                self.folder.text(),
            )
        except NotAServerError as error:
            self.show_problem(shown(error.args[0]))
            field = self.name if not self.name.text().strip() else self.command
            field.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.show_problem("")
        if made.kind is ServerKind.ADDRESS:
            made = replace(made, client_id=self.client_id.text().strip())
            if made.client_id and (secret := self.client_secret.text().strip()):
                secrets[CLIENT] = secret
        self.saved.emit(made, secrets)


def _field(name: str, object_name: str, placeholder: str) -> QLineEdit:
    field = named(QLineEdit(), object_name, name)
    field.setPlaceholderText(placeholder)
    field.setMaxLength(_MOST)
    return field
