"""Shows the rarely needed half of a provider's form: its connection, and additions to each request."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.domain.provider_profile import (
    NO_PROXY,
    SECRET_HEADERS,
    SYSTEM_PROXY,
    Header,
    ProviderProfile,
)
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.file_dialogs import ask_for_file
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import bare_column

# Stands for the value of a header that is kept with the keys; left as it is, the value stays.
KEPT: Final = "••••••••"
_PROXIES: Final = {SYSTEM_PROXY: Text("As the system"), NO_PROXY: Text("None")}
_FEW_LINES_PX: Final = 64
_TIMES: Final = (
    ("connect_s", Text("Connection")),
    ("first_byte_s", Text("First word")),
    ("silence_s", Text("Silence")),
)


class NotANumber(ValueError):
    """Text that is not a time; the message says why."""


class ProviderMore(QWidget):
    """The form fields for rarely used settings of a provider. ``read`` writes them into a profile."""

    changed = Signal()

    def __init__(self, theme: Theme, profile: ProviderProfile) -> None:
        super().__init__()
        self.setObjectName("providerMore")
        self.model = _field(
            "providerModel", tr("Model for new threads"), profile.model, tr("The provider's own choice")
        )
        self.organisation = _field("providerOrganisation", tr("Organisation"), profile.organisation)
        self.project = _field("providerProject", tr("Project"), profile.project)
        self.proxy = named(ChoiceBox(), "providerProxy", tr("Proxy"))
        self.proxy.setAccessibleDescription(tr("As the system, none, or an address such as http://proxy.example:3128"))
        self.proxy.setEditable(True)
        for name, words in _PROXIES.items():
            self.proxy.addItem(shown(words), name)
        self.proxy.setEditText(shown(_PROXIES.get(profile.proxy, profile.proxy)))
        self.ca_file = _field(
            "providerCaFile", tr("File of certificates"), profile.ca_file, tr("Only those of the system")
        )
        choose = push_button(
            tr("Choose…"), "providerCaChoose", self._choose_file, name=tr("Choose a file of certificates")
        )
        self.headers = TextField(
            theme, name=tr("Headers, one a line as Name: value"), object_name="providerHeaders", most=4000
        )
        self.headers.setPlaceholderText("X-Team: blue")
        self.headers.setMaximumHeight(round(_FEW_LINES_PX * max(1.0, theme.scale)))
        self.headers.show_written(
            "\n".join(f"{each.name}: {KEPT if each.is_secret else each.value}" for each in profile.headers)
        )
        self.times = {
            name: _field(
                f"provider_{name}",
                tr("{what}, seconds", what=words),
                _number(getattr(profile, name)),
                tr("The usual time"),
            )
            for name, words in _TIMES
        }
        column = bare_column(self, spacing_px=6)
        column.addWidget(plain_label(tr("Model for new threads"), "muted"))
        column.addWidget(self.model)
        column.addLayout(_pair((tr("Organisation"), self.organisation), (tr("Project"), self.project)))
        column.addWidget(plain_label(tr("Proxy"), "muted"))
        column.addWidget(self.proxy)
        column.addWidget(plain_label(tr("Certificates to trust in addition to the system's"), "muted"))
        row = QHBoxLayout()
        row.addWidget(self.ca_file, 1)
        row.addWidget(choose)
        column.addLayout(row)
        column.addWidget(
            plain_label(tr("Headers; values that are keys are stored with your keys"), "muted", wraps=True)
        )
        column.addWidget(self.headers)
        column.addWidget(plain_label(tr("Seconds to wait for"), "muted"))
        column.addLayout(_pair(*((shown(words), self.times[name]) for name, words in _TIMES)))

    def read(self, profile: ProviderProfile) -> ProviderProfile:
        """Return the profile with the values of the fields. Raises ``NotANumber``; the profile checks all other
        values."""
        times = {name: _seconds(words, self.times[name].text()) for name, words in _TIMES}
        typed = self.proxy.currentText().strip()
        proxy = next((name for name, words in _PROXIES.items() if shown(words) == typed), typed or SYSTEM_PROXY)
        return replace(
            profile,
            model=self.model.text().strip(),
            organisation=self.organisation.text().strip(),
            project=self.project.text().strip(),
            proxy=proxy,
            ca_file=self.ca_file.text().strip(),
            headers=_headers(self.headers.written()),
            connect_s=times["connect_s"],
            first_byte_s=times["first_byte_s"],
            silence_s=times["silence_s"],
        )

    def _choose_file(self) -> None:
        ask_for_file(
            self,
            tr("File of certificates"),
            lambda path: self.ca_file.setText(str(path)),
            kinds=tr("Certificates (*.pem *.crt *.cer);;All files (*)"),
            object_name="providerCaDialog",
        )


def _field(object_name: str, name: str, text: str, placeholder: str = "") -> QLineEdit:
    field = named(QLineEdit(text), object_name, name)
    field.setPlaceholderText(placeholder)
    return field


def _pair(*fields: tuple[str, QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(12)
    for words, field in fields:
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(plain_label(words, "muted"))
        column.addWidget(field)
        row.addLayout(column, 1)
    return row


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _seconds(words: str, text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise NotANumber(Text("{what} must be a number of seconds.", what=words)) from None


def _headers(text: str) -> tuple[Header, ...]:
    """Return the headers in lines of ``Name: value``; a line without a colon is a name without a value."""
    found = []
    for line in text.splitlines():
        if line.strip():
            name, _, value = line.partition(":")
            is_kept = value.strip() == KEPT
            is_secret = is_kept or bool(SECRET_HEADERS.search(name))
            found.append(Header(name.strip(), "" if is_kept else value.strip(), is_secret=is_secret))
    return tuple(found)
