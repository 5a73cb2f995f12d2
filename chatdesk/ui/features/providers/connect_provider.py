"""Connects a provider in one place, on the first screen and in a dialog: who, the key or the address, a test that says
what does not work, and it is kept.

Servers that were found on this computer are one click away. It keeps and asks nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.chat.provider_setup.keys import KeyState
from chatdesk.core.domain.provider_check import FoundServer, StepResult
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.domain.typed_values import full_address
from chatdesk.core.settings.presets import OTHER, PRESETS, Preset, preset_for_key, preset_of
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
from chatdesk.ui.features.providers.provider_key import ProviderKey
from chatdesk.ui.features.providers.provider_steps import ProviderSteps, models_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.focus_chain import previous_in_chain
from chatdesk.ui.widgets.layouts import FlowRow
from chatdesk.ui.widgets.words import with_commas

_TO_BE_FILLED_IN: Final = "YOUR-"
_ONE_COLUMN_BELOW_PX: Final = 400
_WIDTH_PX = 600


class ConnectProvider(QWidget):
    """The fields that connect a provider. ``connectRequested`` carries the profile and the key, ``saveRequested`` the
    same without a test, ``useRequested`` a server that was found. ``cancelled``: the test is to end.
    ``keyStateWanted``: there is a key now, so ``show_key_state`` is due; it is not asked before, since asking the
    keyring is slow. It stays as it is until who obeys it says how it went.
    """

    connectRequested = Signal(object, str)
    saveRequested = Signal(object, str)
    useRequested = Signal(object)
    cancelled = Signal()
    keyStateWanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._is_connecting = False
        self.key_state: KeyState | None = None
        self._is_state_wanted = False
        self._due_key = ""  # the key to connect with, once it is known where keys are stored
        self.setObjectName("connectProvider")
        self.provider = named(ChoiceBox(), "connectPreset", tr("Provider"))
        for preset in PRESETS.values():
            self.provider.addItem(shown(preset.label), preset.id)
        self.own_button = push_button(tr("Own server…"), "connectOwn", self._choose_own)
        self.own_button.setProperty("isLink", True)
        self.own_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys have it in the list above
        self.address = named(QLineEdit(), "connectAddress", tr("Address of the server"))
        self.connect_button = push_button(
            tr("Connect"), "connectButton", self._on_connect_clicked, is_primary=True, acts=True
        )
        self.save_button = push_button(tr("Save without a test"), "connectSave", self._on_save_clicked)
        self.save_button.hide()
        self.steps = ProviderSteps(theme)
        self._problem = plain_label("", "note", wraps=True, name="connectProblem")
        self._problem.setProperty("isDanger", True)
        self._problem.hide()
        self._found = QWidget()
        self._found.setObjectName("connectFound")
        found = QVBoxLayout(self._found)
        found.setContentsMargins(0, 0, 0, 4)
        found.setSpacing(6)
        found.addWidget(plain_label(tr("Found on this computer:"), "text"))
        self._found_row = FlowRow(8)
        found.addLayout(self._found_row)
        self._found.hide()
        self._row, self._key_place = QHBoxLayout(), QVBoxLayout()
        self.key = self._made_key(self._preset)
        self._build()
        self.provider.currentIndexChanged.connect(self._on_provider_changed)
        self.address.returnPressed.connect(self._on_connect_clicked)
        self._on_provider_changed()

    def show_found(self, servers: Sequence[FoundServer]) -> None:
        """Show the servers found on this computer, a button for each."""
        clear_layout(self._found_row)
        before = previous_in_chain(self.provider)
        while before is not None and not before.focusPolicy() & Qt.FocusPolicy.TabFocus:
            before = previous_in_chain(before)
        for server in servers:
            button = push_button(
                tr("Use {label}, {models}", label=server.label, models=models_text(len(server.models))),
                f"connectFound_{server.preset}",
                partial(self.useRequested.emit, server),
            )
            self._found_row.addWidget(button)
            if before is not None:
                self.setTabOrder(before, button)
            before = button
        if servers:
            announce(
                self, tr("Found on this computer: {servers}", servers=with_commas(server.label for server in servers))
            )
        self._found.setVisible(bool(servers))

    def show_key_state(self, state: KeyState) -> None:
        """Show where keys can be stored here."""
        self.key_state = state
        self.key.show_state(state)
        due, self._due_key = self._due_key, ""
        if not due or self.key.key() != due:
            return
        if self.key.place() is None:
            self._on_connect_clicked()
        else:  # the person says first where the key is kept
            self.key.place_box.setFocus(Qt.FocusReason.OtherFocusReason)
            announce(self, tr("Choose where the key is kept, then connect"))

    def key_place(self) -> tuple[KeyPlace | None, str]:
        """Return the place chosen for the key, or None when nobody had to choose, and the passphrase of the file."""
        return self.key.place(), self.key.passphrase.text()

    def show_connecting(self, is_connecting: bool) -> None:
        """Show whether a test runs; while it does, its button ends it."""
        self._is_connecting = is_connecting
        self.connect_button.setText(tr("Stop") if is_connecting else tr("Connect"))
        self.connect_button.setAccessibleName(tr("Stop the test") if is_connecting else tr("Connect"))
        if is_connecting:
            self._show_problem("")
            self.save_button.hide()
            self.steps.reset()

    def show_step(self, result: StepResult) -> None:
        self.steps.show_result(result)

    def show_failed(self, sentence: str) -> None:
        """Show that the test failed, or the provider could not be kept; what was typed stays."""
        self._show_problem(sentence)
        self.save_button.show()

    def focus_first_field(self) -> None:
        """Focus the first field to fill in."""
        field = self.key.field if self._preset.needs_key else self.address
        field.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def _preset(self) -> Preset:
        return preset_of(str(self.provider.currentData()))

    def _profile(self) -> ProviderProfile | None:
        """Return the profile in the form; or None, with the reason shown, when it cannot be used."""
        self._show_problem("")
        preset = self._preset
        address = full_address(self.address.text()) if self._wants_address(preset) else preset.base_url
        if not address or _TO_BE_FILLED_IN in address:
            wanted = tr("Enter the address of the server.") if not address else tr("Enter the name of your resource.")
            self._show_problem(wanted)
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)
            return None
        if preset.needs_key and not self.key.key():
            self._show_problem(tr("Paste the key that {label} gave you.", label=preset.label))
            self.key.field.setFocus(Qt.FocusReason.OtherFocusReason)
            return None
        profile = ProviderProfile("", preset.id, preset.label, address, api=preset.api, model=preset.model)
        if not preset.base_url:
            profile = replace(profile, label=profile.host or preset.label)  # several servers may use this preset
        problem = replace(profile, id="new").problem()
        if problem is not None:
            self._show_problem(shown(problem))
            return None
        return profile

    def _wants_address(self, preset: Preset) -> bool:
        return not preset.needs_key or not preset.base_url or _TO_BE_FILLED_IN in preset.base_url

    def _made_key(self, preset: Preset) -> ProviderKey:
        key = ProviderKey(self._theme, None, needs_key=preset.needs_key, keys_url=preset.keys_url)
        if self.key_state is not None:
            key.show_state(self.key_state)
        key.field.textChanged.connect(self._on_key_changed)
        key.field.pasted.connect(self._on_key_pasted)
        key.field.submitted.connect(lambda _key: self._on_connect_clicked())
        return key

    def _build(self) -> None:
        self._key_place.setContentsMargins(0, 0, 0, 0)
        self._key_place.addWidget(self.key)
        fields = QVBoxLayout()
        fields.setSpacing(6)
        fields.addWidget(self.address)
        fields.addLayout(self._key_place)
        who = QVBoxLayout()
        who.setSpacing(6)
        who.addWidget(self.provider)
        who.addWidget(self.own_button, 0, Qt.AlignmentFlag.AlignLeft)
        who.addStretch(1)
        row = self._row
        row.setSpacing(8)
        row.addLayout(who)
        row.addLayout(fields, 1)
        row.addWidget(self.connect_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._found)
        column.addLayout(row)
        column.addWidget(self.steps)
        column.addWidget(self._problem)
        column.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignLeft)

    def _order_tabs(self) -> None:
        """Let Tab go as the eye does; the fields of the key are others for each provider."""
        key = self.key
        fields = (self.provider, self.address, key.field, key.place_box, key.passphrase)
        is_stacked = self._row.direction() is QBoxLayout.Direction.TopToBottom
        ends = (key.keys_link, self.connect_button) if is_stacked else (self.connect_button, key.keys_link)
        for before, after in pairwise((*fields, *ends, self.save_button)):
            self.setTabOrder(before, after)

    def _choose_own(self) -> None:
        self.provider.setCurrentIndex(self.provider.findData(OTHER.id))
        self.address.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack provider, key and button in a narrow window."""
        super().resizeEvent(event)
        is_narrow = self.width() < _ONE_COLUMN_BELOW_PX * max(1.0, self._theme.scale)
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.TopToBottom if is_narrow else directions.LeftToRight)
        self._order_tabs()

    def _show_problem(self, text: str) -> None:
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        if text:
            announce(self, text, is_assertive=True)

    def _on_provider_changed(self) -> None:
        """Show the fields of another provider and clear the key: a key that was typed for one is never sent to another
        by itself."""
        self._due_key = ""
        preset = self._preset
        before, self.key = self.key, self._made_key(preset)
        self._key_place.replaceWidget(before, self.key)
        before.hide()
        before.deleteLater()
        self.own_button.setVisible(preset is not OTHER)
        self._order_tabs()
        self.address.setVisible(self._wants_address(preset))
        self.address.setText(preset.base_url)
        self.address.setPlaceholderText(tr("localhost:8080 or https://…"))
        self.steps.hide()
        self.save_button.hide()
        self._show_problem("")

    def _on_key_changed(self) -> None:
        if self.key.key() and self.key_state is None and not self._is_state_wanted:
            self._is_state_wanted = True
            self.keyStateWanted.emit()

    def _on_key_pasted(self, key: str) -> None:
        """Choose the vendor by the beginning of a pasted key. A key whose vendor is certain is tested at once."""
        found = preset_for_key(key)
        if found is None or self._is_connecting:
            return
        if found.id != self._preset.id:
            self.provider.setCurrentIndex(self.provider.findData(found.id))
            self.key.field.setText(key)
            self.key.field.setFocus(Qt.FocusReason.OtherFocusReason)
            announce(self, tr("This is a key of {label}", label=found.label))
        if self.key_state is None:
            self._due_key = self.key.key()
        elif self.key.place() is None:  # otherwise the person first chooses where keys are stored
            self._on_connect_clicked()

    def _on_connect_clicked(self) -> None:
        if self._is_connecting:
            self.cancelled.emit()
            return
        profile = self._profile()
        if profile is not None and self.key.key() and self.key_state is None:
            self._due_key = self.key.key()  # connects once the state of key storage is known
        elif profile is not None:
            self.connectRequested.emit(profile, self.key.key())

    def _on_save_clicked(self) -> None:
        profile = self._profile()
        if profile is not None:
            self.saveRequested.emit(profile, self.key.key())


class ConnectDialog(FormPanel):
    """A dialog that connects a provider. ``manageRequested`` asks for the page of all providers in its place; its
    button is there where the dialog ``leads_to_all``."""

    manageRequested = Signal()

    def __init__(self, theme: Theme, *, leads_to_all: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Add a provider"), object_name="connectDialog", width_px=_WIDTH_PX, parent=parent)
        self.connection = ConnectProvider(theme)
        hint = tr("Paste the key of a provider, or choose a server of your own. It is tested before it is kept.")
        self.add_text(hint)
        self.body.addWidget(self.connection)
        if leads_to_all:
            manage = push_button(tr("All providers…"), "connectManage", self._on_manage_clicked)
            self.add_button(manage, is_first=True)
        self.add_button(push_button(tr("Cancel"), "connectCancel", self.reject))
        self.connection.focus_first_field()

    def _on_manage_clicked(self) -> None:
        self.reject()
        self.manageRequested.emit()
