"""Shows the fields of a database: its address, the login, and the encryption of the connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.file_dialogs import ask_for_file
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import bare_column

# Parses a pasted connection string; raises ``InvalidInput``.
ReadAddress = Callable[[str], tuple[ServerAddress, str]]
_PORT: Final = 5432
_TLS_LETTERS: Final = 12  # the least number of characters in a narrow window
_MOST_CA_BYTES: Final = 256 * 1024
_TLS: Final = (
    ("verify-full", Text("Encrypted, the server proves who it is")),
    ("disable", Text("Not encrypted, for a server on this computer or in a network of your own")),
)


class AddressFields(QWidget):
    """The form fields for the address of a team's server. ``changed`` comes with every edit. A connection string that
    is pasted into the first field is taken apart. Without ``asks_login`` it is only about where the server is and how
    the way there is protected."""

    changed = Signal()

    def __init__(self, read_address: ReadAddress, *, asks_login: bool = True) -> None:
        super().__init__()
        self._asks_login = asks_login
        self.setObjectName("teamAddress")
        self._read_address = read_address
        self._ca = ""
        self.string = _field("teamString", tr("Connection string"), "postgresql://owner:password@host/database")
        self.string.setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
        self.string.setAccessibleDescription(tr("Pasted text fills in the fields below."))
        self.host = _field("teamHost", tr("Host"), "db.example.org")
        self.port = _field("teamPort", tr("Port"), str(_PORT))
        self.database = _field("teamDatabase", tr("Database"), tr("An empty database"))
        self.user = _field("teamUser", tr("User"), tr("An account that may create roles"))
        self.password = _field("teamPassword", tr("Password"), "")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.tls = named(ChoiceBox(), "teamTls", tr("Encryption"))
        self.tls.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.tls.setMinimumContentsLength(_TLS_LETTERS)
        for value, meaning in _TLS:
            self.tls.addItem(shown(meaning), value)
        set_plain_tooltip(self.tls, self.tls.currentText())
        self.ca_button = push_button(
            tr("Certificate file…"),
            "teamCa",
            self.choose_ca,
            name=tr("Certificate of the authority that vouches for the server"),
        )
        self.ca_state = plain_label(
            tr("Certificates that this computer trusts"), "muted", wraps=True, name="teamCaState"
        )
        self.problem = plain_label("", "note", wraps=True, name="teamStringProblem")
        self.problem.setProperty("isDanger", True)
        self.problem.hide()
        column = bare_column(self, spacing_px=8)
        if asks_login:
            words = tr("Paste the connection string of an owner's account, or fill in the fields.")
            column.addWidget(plain_label(words, "text", wraps=True))
            column.addWidget(self.string)
        else:
            for unused in (self.string, self.user, self.password):
                unused.setParent(self)
                unused.hide()
        column.addWidget(self.problem)
        column.addLayout(self._form())
        self.string.textChanged.connect(self._on_string_changed)
        for line in (self.host, self.port, self.database, self.user, self.password):
            line.textChanged.connect(self.changed)
        self.tls.currentIndexChanged.connect(self._on_tls_changed)

    def _form(self) -> QFormLayout:
        """Return the rows of fields, each with its label."""
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        trust = QHBoxLayout()
        trust.addWidget(self.ca_state, 1)
        trust.addWidget(self.ca_button)
        login = ((tr("User"), self.user), (tr("Password"), self.password)) if self._asks_login else ()
        for words, field in (
            (tr("Host"), self.host),
            (tr("Port"), self.port),
            (tr("Database"), self.database),
            *login,
            (tr("Encryption"), self.tls),
        ):
            label = plain_label(words, "text")
            label.setBuddy(field)
            form.addRow(label, field)
        form.addRow(plain_label(tr("Trusted certificates"), "text"), trust)
        return form

    @property
    def is_complete(self) -> bool:
        needed = (self.host, self.database, self.user) if self._asks_login else (self.host, self.database)
        has_all = all(each.text().strip() for each in needed)
        return has_all and self._port() is not None

    def address(self) -> ServerAddress:
        return ServerAddress(
            host=self.host.text().strip(),
            port=self._port() or _PORT,
            database=self.database.text().strip(),
            user=self.user.text().strip(),
            tls=str(self.tls.currentData()),
            ca=self._ca if self.tls.currentData() == "verify-full" else "",
        )

    def show_address(self, address: ServerAddress, password: str) -> None:
        for field, text in (
            (self.host, address.host),
            (self.port, str(address.port)),
            (self.database, address.database),
            (self.user, address.user),
        ):
            field.setText(text)
        if password:
            self.password.setText(password)
        place = self.tls.findData(address.tls)
        self.tls.setCurrentIndex(max(0, place))
        if address.ca:
            words = (
                tr("The certificate named in the connection string")
                if self._asks_login
                else tr("The certificate used so far")
            )
            self._trust(address.ca, words)

    def choose_ca(self) -> None:
        kinds = tr("Certificates (*.pem *.crt *.cer);;All files (*)")
        ask_for_file(self, tr("Certificate of the authority"), self.trust_ca, kinds=kinds)

    def trust_ca(self, path: Path) -> None:
        """Trust the authority whose certificate is in this file, or show that the file holds none."""
        try:
            text = read_small_file(path, _MOST_CA_BYTES).decode("ascii", "replace")
        except (OSError, ValueError):
            text = ""
        name = visible_controls(path.name)
        if "-----BEGIN CERTIFICATE-----" not in text:
            self._show_problem(tr("{name} is not a certificate in PEM form. Nothing was changed.", name=name))
            return
        self._trust(text, tr("Only what {name} vouches for", name=name))

    def _trust(self, ca: str, words: str) -> None:
        self._ca = ca
        self.ca_state.setText(words)
        self._show_problem("")
        self.changed.emit()

    def _port(self) -> int | None:
        text = self.port.text().strip() or str(_PORT)
        port = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
        return port if 0 < port < 65536 else None

    def _on_string_changed(self, text: str) -> None:
        text = text.strip()
        if not text:
            return
        if "://" not in text and "=" not in text:
            return  # still being typed
        try:
            address, password = self._read_address(text)
        except ChatDeskError as error:
            self._show_problem(shown(error.sentence))
            return
        self._show_problem("")
        self.show_address(address, password)

    def _on_tls_changed(self) -> None:
        set_plain_tooltip(self.tls, self.tls.currentText())  # a narrow window cuts it
        is_verified = self.tls.currentData() == "verify-full"
        self.ca_button.setEnabled(is_verified)
        self.ca_state.setEnabled(is_verified)
        self.changed.emit()

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        announce(self, text)


def _field(object_name: str, name: str, hint: str) -> QLineEdit:
    field = named(QLineEdit(), object_name, name)
    field.setPlaceholderText(hint)
    return field
