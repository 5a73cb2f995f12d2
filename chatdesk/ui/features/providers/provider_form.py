"""The form of a provider, a new one or one that is known: on the first screen, and in a dialog."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPushButton, QWidget

from chatdesk.core.chat.provider_setup.keys import KeyState
from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import StepResult
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.core.domain.typed_values import full_address
from chatdesk.core.settings.presets import OTHER, PRESETS, Preset, preset_for_key, preset_of
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.providers.found_servers import FoundServers
from chatdesk.ui.features.providers.provider_key import ProviderKey
from chatdesk.ui.features.providers.provider_more import NotANumber, ProviderMore
from chatdesk.ui.features.providers.provider_steps import ProviderSteps
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.scrolled_page import FittedArea, ScrolledPage

_WIDTH_PX = 560
_TO_BE_FILLED_IN: Final = "YOUR-"
_API_WORDS: Final = {
    Api.CHAT: Text("Chat completions, which every server has"),
    Api.RESPONSES: Text("Responses, where the server has it"),
    Api.ANTHROPIC: Text("Anthropic's messages"),
}


class ProviderForm(ScrolledPage):
    """The fields of one provider. Of a new one they are its vendor and what that needs, and it is tested before it is
    kept; of a known one they are all its settings.

    ``testRequested`` and ``saveRequested`` carry the profile and the key that was typed (empty: the kept one).
    ``testCancelled``: the test is to end. ``keyStateWanted``: there is a key now, so ``show_key_state`` is due; asking
    the keyring is slow, so it is not asked earlier. The form stays open until its controller shows the outcome.
    """

    testRequested = Signal(object, str)
    saveRequested = Signal(object, str)
    testCancelled = Signal()
    keyStateWanted = Signal()

    def __init__(self, theme: Theme, known: ShownProvider | None = None) -> None:
        super().__init__()
        self.setObjectName("providerFields")
        self.is_new = known is None
        self._profile = known.profile if known is not None else _profile_of(next(iter(PRESETS.values())))
        self._is_testing = False
        self._is_state_wanted = False
        # a request and its key, until it is known where keys are stored
        self._due: tuple[SignalInstance, str] | None = None
        preset = preset_of(self._profile.preset)
        self.steps = ProviderSteps(theme)
        self.problem = plain_label("", "note", wraps=True, name="providerProblem")
        self.problem.setProperty("isDanger", True)
        self.problem.hide()
        self.address = named(QLineEdit(self._profile.base_url), "providerAddress", tr("Address of the server"))
        self.key = ProviderKey(theme, known, preset)
        if known is None:
            self._build_new()
        else:
            self._build_known(theme, known)
        self.key.field.textChanged.connect(self._on_key_changed)

    # Reading the fields

    def profile(self) -> ProviderProfile | None:
        """Return the profile in the form; or None, with the reason shown, when it cannot be used."""
        typed, field = None, None
        try:
            typed = self._typed()
            why, field = self._problem_of(typed)
        except NotANumber as error:
            why = shown(error.args[0])
        self.show_problem(why)
        if field is not None:
            field.setFocus(Qt.FocusReason.OtherFocusReason)
        return None if why else typed

    def _problem_of(self, typed: ProviderProfile) -> tuple[str, QWidget | None]:
        """Return the reason why what was typed cannot be used, empty when it can, and the field where it lies."""
        preset = preset_of(typed.preset)
        if not typed.base_url and not preset.base_url:
            return tr("Enter the address of the server."), self.address
        if _TO_BE_FILLED_IN in typed.base_url:
            return tr("Enter the name of your resource in the address."), self.address
        if self.is_new and preset.needs_key and not self.key.key():
            return tr("Paste the key that {label} gave you.", label=preset.label), self.key.field
        return shown(replace(typed, id=typed.id or "new").problem() or ""), None

    def _typed(self) -> ProviderProfile:
        """Return the profile as it was typed. Raises ``NotANumber``."""
        api = self._profile.api if self.is_new else Api(self.api.currentData())  # Qt gives back the text alone
        self.address.setText(full_address(self.address.text(), path="" if api is Api.ANTHROPIC else "/v1"))
        typed = replace(self._profile, base_url=self.address.text(), api=api)
        if self.is_new:
            is_named = bool(preset_of(typed.preset).base_url)  # several servers may use the preset without an address
            return typed if is_named else replace(typed, label=typed.host or typed.label)
        label = " ".join(self.name.text().split())
        return self.more.read(replace(typed, label=label, is_enabled=self.enabled.isChecked()))

    # Showing results

    def show_problem(self, sentence: str) -> None:
        """Show why something failed; what was typed stays. An empty text hides it."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        if sentence:
            announce(self, sentence, is_assertive=True)

    def show_failed(self, sentence: str) -> None:
        """Show that the provider was not kept, and offer to keep it as it is."""
        self.show_problem(sentence)
        self.save_button.show()

    def show_testing(self, is_testing: bool) -> None:
        """Show whether a test runs; while it does, its button ends it."""
        self._is_testing = is_testing
        begin, end = (tr("Connect"), tr("Stop")) if self.is_new else (tr("Test"), tr("Stop the test"))
        self.test_button.setText(end if is_testing else begin)
        self.test_button.setAccessibleName(tr("Stop the test") if is_testing else begin)
        if is_testing:
            self.show_problem("")
            self.save_button.setHidden(self.is_new)
            self.steps.reset()

    def show_step(self, result: StepResult) -> None:
        self.steps.show_result(result)

    def show_key_state(self, state: KeyState) -> None:
        """Show where keys can be stored here, and do what waited for it. Where there is a choice, the person makes it
        first."""
        self.key.show_state(state)
        due, self._due = self._due, None
        if due is None or self.key.key() != due[1]:
            return
        if self.key.place() is None:
            self._send(due[0])
        else:
            self.key.place_box.setFocus(Qt.FocusReason.OtherFocusReason)
            announce(self, self.key.place_hint.text())

    def focus_first_field(self) -> None:
        """Focus the first field to fill in: the key where that is missing."""
        wants_key = preset_of(self._profile.preset).needs_key and not self.key.field.isHidden()
        first = self.key.field if wants_key else self.address if self.is_new else self.name
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    # A new provider

    def _build_new(self) -> None:
        self.found = FoundServers()
        self.vendor = named(ChoiceBox(), "providerVendor", tr("Provider"))
        for preset in PRESETS.values():
            self.vendor.addItem(shown(preset.label), preset.id)
        self.own_button = push_button(tr("Own server…"), "providerOwn", self._choose_own)
        self.own_button.setProperty("isLink", True)
        self.own_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # with the keyboard it is chosen in the list
        self.test_button = push_button(tr("Connect"), "providerTest", self.test, is_primary=True, acts=True)
        self.save_button = push_button(tr("Save without a test"), "providerSave", self.save)
        self.save_button.hide()
        who, key = QHBoxLayout(), QHBoxLayout()
        for widget in (self.vendor, self.key.keys_link, self.own_button):
            who.addWidget(widget)
        who.addStretch(1)
        key.addWidget(self.key, 1)
        key.addWidget(self.test_button, 0, Qt.AlignmentFlag.AlignTop)
        column = bare_column(self, spacing_px=8)
        column.addWidget(self.found)
        column.addLayout(who)
        column.addWidget(self.address)
        column.addLayout(key)
        column.addWidget(self.steps)
        column.addWidget(self.problem)
        column.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.address.returnPressed.connect(self.test_button.click)
        self.key.field.submitted.connect(self.test_button.click)
        self.key.field.pasted.connect(self._on_key_pasted)
        self.vendor.currentIndexChanged.connect(self._on_vendor_changed)
        self._on_vendor_changed()

    def _choose_own(self) -> None:
        self.vendor.setCurrentIndex(self.vendor.findData(OTHER.id))
        self.address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_vendor_changed(self) -> None:
        """Show the fields of another vendor and clear the key: a key that was typed for one is never sent to another
        by itself."""
        self._due = None
        preset = preset_of(str(self.vendor.currentData()))
        self._profile = _profile_of(preset)
        self.key.ask_for(preset)
        self.own_button.setVisible(preset is not OTHER)
        wants_address = not preset.needs_key or not preset.base_url or _TO_BE_FILLED_IN in preset.base_url
        self.address.setVisible(wants_address)
        self.address.setText(preset.base_url)
        self.address.setPlaceholderText(tr("localhost:8080 or https://…"))
        self.steps.hide()
        self.save_button.hide()
        self.show_problem("")

    def _on_key_pasted(self, key: str) -> None:
        """Choose the vendor by the beginning of a pasted key. A key whose vendor is certain is tested at once, unless
        the person has to say first where it is kept."""
        found = preset_for_key(key)
        if found is None or self._is_testing:
            return
        if found.id != self._profile.preset:
            self.vendor.setCurrentIndex(self.vendor.findData(found.id))
            self.key.field.setText(key)
            self.key.field.setFocus(Qt.FocusReason.OtherFocusReason)
            announce(self, tr("This is a key of {label}", label=found.label))
        if self.key.place() is None:
            self.test()

    # A known provider

    def _build_known(self, theme: Theme, known: ShownProvider) -> None:
        profile, preset = known.profile, preset_of(known.profile.preset)
        is_fixed = "base_url" in known.fixed
        hint = shown(preset.hint)
        self.name = named(QLineEdit(profile.label), "providerName", tr("Name"))
        self.address.setAccessibleName(tr("Address"))
        self.address.setAccessibleDescription(hint)
        self.address.setPlaceholderText(preset.base_url or tr("localhost:8080 or https://…"))
        self.address.setEnabled(not is_fixed)
        if is_fixed:
            hint = tr("Set by the variable OPENAI_BASE_URL, so it cannot be changed here.")
        self.api = named(ChoiceBox(), "providerApi", tr("Protocol"))
        for api in preset.apis:
            self.api.addItem(shown(_API_WORDS[api]), api)
        self.api.setCurrentIndex(max(0, self.api.findData(profile.api)))
        self.enabled = named(QCheckBox(tr("Use this provider")), "providerEnabled", tr("Use this provider"))
        self.enabled.setChecked(profile.is_enabled)
        self.more = ProviderMore(theme, profile)
        self.more.hide()
        self.more_button = QPushButton(tr("More settings"))
        self.more_button.setObjectName("providerMoreButton")
        self.more_button.setAutoDefault(False)
        self.more_button.setCheckable(True)
        self.more_button.toggled.connect(self.more.setVisible)
        self.test_button = push_button(tr("Test"), "providerTest", self.test)
        self.save_button = push_button(tr("Save"), "providerSave", self.save, is_default=True)
        self.key.field.submitted.connect(self.save_button.click)
        column = bare_column(self, spacing_px=6)
        for title, field in ((tr("Name"), self.name), (tr("Address"), self.address)):
            column.addWidget(plain_label(title, "muted"))
            column.addWidget(field)
        if hint:
            column.addWidget(plain_label(hint, "muted", wraps=True))
        column.addSpacing(4)
        column.addWidget(plain_label(tr("API key"), "muted"))
        column.addWidget(self.key)
        if self.api.count() > 1:
            column.addWidget(plain_label(tr("Protocol"), "muted"))
            column.addWidget(self.api)
        column.addWidget(self.enabled)
        column.addWidget(self.more_button, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in (self.more, self.steps, self.problem):
            column.addWidget(widget)

    # Requests

    def test(self) -> None:
        """Ask for a test, or end the one that runs."""
        if self._is_testing:
            self.testCancelled.emit()
        else:
            self._send(self.testRequested)

    def save(self) -> None:
        self._send(self.saveRequested)

    def _send(self, request: SignalInstance) -> None:
        profile, key = self.profile(), self.key.key()
        if profile is not None and key and not self.key.has_state:
            self._due = request, key
        elif profile is not None:
            request.emit(profile, key)

    def _on_key_changed(self) -> None:
        if self.key.key() and not self._is_state_wanted:
            self._is_state_wanted = True
            self.keyStateWanted.emit()


class ProviderDialog(FormPanel):
    """A dialog with the form of a new or a known provider, open until ``accept``. ``manageRequested`` asks for the page
    of all providers in its place; its button is there where the dialog ``leads_to_all``."""

    removeRequested = Signal()
    manageRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        known: ShownProvider | None = None,
        *,
        leads_to_all: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        title = tr("Add a provider") if known is None else known.profile.label
        super().__init__(theme, title, object_name="providerDialog", width_px=_WIDTH_PX, parent=parent)
        form = self.form = ProviderForm(theme, known)
        self._area = FittedArea(form)
        self._area.verticalScrollBar().rangeChanged.connect(self._follow_result)
        self._area.setStyleSheet("QScrollArea, #providerFields { background: transparent; }")
        if known is None:
            hint = tr("Paste the key of a provider, or choose a server of your own. It is tested before it is kept.")
            self.add_text(hint)
        self.body.addWidget(self._area, 1)
        if known is not None:
            if known.is_kept:
                remove = push_button(tr("Remove…"), "providerRemove", self.removeRequested.emit, is_danger=True)
                self.add_button(remove, is_first=True)
            self.add_button(form.test_button, is_first=True)
        elif leads_to_all:
            manage = push_button(tr("All providers…"), "providerManage", self._on_manage_clicked)
            self.add_button(manage, is_first=True)
        self.add_button(push_button(tr("Cancel"), "providerCancel", self.reject))
        if known is not None:
            self.add_button(form.save_button)
        self.finished.connect(lambda _result: form.testCancelled.emit())
        form.focus_first_field()

    def show_problem(self, sentence: str) -> None:
        self.form.show_problem(sentence)

    def _follow_result(self, *_range: int) -> None:
        """Scroll to the result, which is at the end and grows with each step."""
        form, bar = self.form, self._area.verticalScrollBar()
        has_result = form.steps.isVisibleTo(self) or form.problem.isVisibleTo(self)
        if has_result and (form.is_new or not form.more_button.hasFocus()):
            bar.setValue(bar.maximum())

    def _on_manage_clicked(self) -> None:
        self.reject()
        self.manageRequested.emit()


def _profile_of(preset: Preset) -> ProviderProfile:
    return ProviderProfile("", preset.id, preset.label, preset.base_url, api=preset.api, model=preset.model)
