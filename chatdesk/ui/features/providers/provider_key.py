"""Shows the key of one provider in its form: only its last four characters, to be replaced or forgotten."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from chatdesk.core.chat.provider_setup.keys import KeyState
from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.settings.passphrase import NEW_PASSPHRASE
from chatdesk.core.settings.presets import Preset
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.providers.provider_steps import where_the_key_lies
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import LinkButton
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.key_field import KeyField
from chatdesk.ui.widgets.layouts import bare_column

_PLACES: Final = {
    KeyPlace.KEYRING: Text("In the system keyring"),
    KeyPlace.MEMORY: Text("For this run only"),
    KeyPlace.FILE: Text("In a file that a passphrase encrypts"),
}


class ProviderKey(QWidget):
    """The form fields for a provider's key. ``key()`` is what was typed, ``place()`` where it is to go when that was
    asked. ``forgotten``: the kept one is to be forgotten. ``agreeRequested``: one that is withheld may be used, once
    the person agreed."""

    forgotten = Signal()
    agreeRequested = Signal()

    def __init__(self, theme: Theme, known: ShownProvider | None, preset: Preset) -> None:
        super().__init__()
        self.setObjectName("providerKey")
        self._state: KeyState | None = None
        is_decided = known is not None and known.key_source.value == "environment"
        has_key = known is not None and bool(known.key)
        self.shown = plain_label(known.key if known else "", "text", name="providerKeyShown")
        where = where_the_key_lies(known) if known and has_key else ""
        self.where = plain_label(where, "muted", wraps=True, name="providerKeyWhere")
        self.replace = push_button(
            tr("Replace"), "providerKeyReplace", self._on_replace_clicked, name=tr("Replace the key")
        )
        self.forget = push_button(
            tr("Forget"), "providerKeyForget", self._on_forget_clicked, name=tr("Forget the key"), acts=True
        )
        self.agree = push_button(
            tr("Use it there…"),
            "providerKeyAgree",
            self.agreeRequested.emit,
            name=tr("Use the kept key at this server"),
        )
        self.field = KeyField(theme, name=tr("API key"), object_name="providerKeyField")
        self.keys_link = LinkButton(tr("Get a key"), preset.keys_url, object_name="providerKeysLink")
        self.place_box = named(ChoiceBox(), "providerKeyPlace", tr("Where the key is kept"))
        self.passphrase = named(QLineEdit(), "providerPassphrase", tr("Passphrase of the file of keys"))
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.place_hint = plain_label("", "muted", wraps=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        kept: tuple[QWidget, ...] = (self.shown, self.replace, self.forget)
        for widget in (*kept, self.agree):
            row.addWidget(widget)
        row.addStretch(1)
        column = bare_column(self, spacing_px=6)
        column.addLayout(row)
        places: tuple[QWidget, ...] = (self.place_hint, self.place_box, self.passphrase)
        for widget in (self.where, self.field, *places):
            column.addWidget(widget)
        column.addWidget(self.keys_link, 0, Qt.AlignmentFlag.AlignLeft)
        self.ask_for(preset)
        if has_key:
            self.keys_link.hide()
        for widget in kept:
            widget.setVisible(has_key and not (is_decided and widget is not self.shown))
        self.where.setVisible(has_key)
        self.agree.hide()
        if known is not None and known.withheld is not None:
            self.where.setText(shown(known.withheld.sentence(known.profile.label)))
            self.where.show()
            self.agree.setVisible(known.withheld.can_be_agreed)
            self.forget.setVisible(not is_decided)
        elif is_decided:
            self.where.setText(
                tr("{place}; it has precedence over a stored key, so it cannot be changed here", place=where)
            )
        self.field.setVisible(not has_key)
        for widget in places:
            widget.hide()
        self.field.textChanged.connect(self._refresh)
        self.place_box.currentIndexChanged.connect(self._refresh)

    @property
    def has_state(self) -> bool:
        """Return whether it is known where keys can be stored here."""
        return self._state is not None

    def ask_for(self, preset: Preset) -> None:
        """Ask for a key of this vendor, with nothing typed."""
        self.field.setText("")
        self.field.set_hint(tr("Paste the key") if preset.needs_key else tr("Key, if the server asks for one"))
        self.keys_link.set_url(preset.keys_url)
        self.keys_link.setVisible(bool(preset.keys_url))

    def key(self) -> str:
        """Return the key that was typed; empty when none was."""
        return self.field.key()

    def place(self) -> KeyPlace | None:
        """Return where the person wants keys to be stored; None when that was not asked."""
        return KeyPlace(self.place_box.currentData()) if self.key() and self._asks() else None

    def show_agreed(self) -> None:
        """Show that a key that was withheld is used from now on."""
        self.agree.hide()
        self.where.setText(tr("The kept key is used at this server from now on."))

    def show_state(self, state: KeyState) -> None:
        """Show where keys can be stored here. Without a keyring, or when another place was chosen before, the person is
        asked."""
        self._state = state
        self.place_box.clear()
        for place, words in _PLACES.items():
            if place is not KeyPlace.KEYRING or state.has_keyring:
                self.place_box.addItem(shown(words), place)
        wanted = state.place if state.has_keyring or state.place is not KeyPlace.KEYRING else KeyPlace.MEMORY
        self.place_box.setCurrentIndex(max(0, self.place_box.findData(wanted)))
        self._refresh()

    def _asks(self) -> bool:
        state = self._state
        return state is not None and (not state.has_keyring or state.place is not KeyPlace.KEYRING)

    def _refresh(self) -> None:
        state = self._state
        asks = bool(self.key()) and self._asks()
        self.place_box.setVisible(asks)
        wants_file = asks and self.place_box.currentData() == KeyPlace.FILE
        is_open = state is not None and state.has_file and not state.is_file_locked
        self.passphrase.setVisible(wants_file and not is_open)
        has_file = state is not None and state.has_file
        self.passphrase.setPlaceholderText(tr("The passphrase of the file") if has_file else shown(NEW_PASSPHRASE))
        self.place_hint.setVisible(asks)
        if asks and state is not None:
            words = tr("It is never written in plain text.")
            if not state.has_keyring:
                why = shown(state.keyring).rstrip(".。")
                words = " ".join((tr("{why}: choose where the key is kept.", why=why), words))
            self.place_hint.setText(words)

    def _on_replace_clicked(self) -> None:
        self.field.show()
        self.replace.hide()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_forget_clicked(self) -> None:
        self.forgotten.emit()
        for widget in (self.shown, self.where, self.replace, self.forget, self.agree):
            widget.hide()
        self.field.show()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
