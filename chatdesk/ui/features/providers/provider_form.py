"""The form of one provider: its name, address and key, a test of these values, and what is rarely needed folded
away."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.chat.provider_setup.keys import KeyState
from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import StepResult
from chatdesk.core.domain.provider_profile import Api, ProviderProfile
from chatdesk.core.domain.typed_values import full_address
from chatdesk.core.settings.presets import Preset, preset_of
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.providers.provider_key import ProviderKey
from chatdesk.ui.features.providers.provider_more import NotANumber, ProviderMore
from chatdesk.ui.features.providers.provider_steps import ProviderSteps
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.scrolled_page import FittedArea, ScrolledPage

_WIDTH_PX = 560
_API_WORDS: Final = {
    Api.CHAT: Text("Chat completions, which every server has"),
    Api.RESPONSES: Text("Responses, where the server has it"),
    Api.ANTHROPIC: Text("Anthropic's messages"),
}


class ProviderForm(FormPanel):
    """A dialog for the settings of one provider. ``saved`` and ``testRequested`` carry the profile and the key that was
    typed (empty: the kept one). The form stays open until ``accept``, so that what fails can be said in it."""

    saved = Signal(object, str)
    testRequested = Signal(object, str)
    testCancelled = Signal()
    removeRequested = Signal()
    keyForgotten = Signal()
    agreeRequested = Signal()

    def __init__(self, theme: Theme, shown: ShownProvider, *, parent: QWidget | None = None) -> None:
        profile = self._profile = shown.profile
        super().__init__(theme, profile.label, object_name="providerForm", width_px=_WIDTH_PX, parent=parent)
        preset = preset_of(profile.preset)
        self._is_testing = False
        self.name = named(QLineEdit(profile.label), "providerName", tr("Name"))
        self.address = named(QLineEdit(profile.base_url), "providerAddress", tr("Address"))
        self.address.setAccessibleDescription(_hint_of(preset))
        self.address.setPlaceholderText(preset.base_url or tr("localhost:8080 or https://…"))
        is_fixed = "base_url" in shown.fixed
        self.address.setEnabled(not is_fixed)
        self.api = named(ChoiceBox(), "providerApi", tr("Protocol"))
        for api in preset.apis:
            self.api.addItem(_api_words(api), api)
        self.api.setCurrentIndex(max(0, self.api.findData(profile.api)))
        self.key = ProviderKey(theme, shown, needs_key=preset.needs_key, keys_url=preset.keys_url)
        self.enabled = QCheckBox(tr("Use this provider"))
        self.enabled.setObjectName("providerEnabled")
        self.enabled.setChecked(profile.is_enabled)
        self.more = ProviderMore(theme, profile)
        self.more.hide()
        self.steps = ProviderSteps(theme)
        hint = (
            tr("Set by the variable OPENAI_BASE_URL, so it cannot be changed here.") if is_fixed else _hint_of(preset)
        )
        self._build(hint, is_kept=shown.is_kept)
        self._first_field().setFocus()

    def _first_field(self) -> QWidget:
        """Return the field to focus first: the key where only that is missing."""
        needs_key = preset_of(self._profile.preset).needs_key
        return self.key.field if self.key.field.isVisibleTo(self) and needs_key else self.name

    def profile(self) -> ProviderProfile | None:
        """Return the profile in the form; or None, with the reason shown, when it cannot be used."""
        self.show_problem("")
        self.address.setText(self._full_address())
        typed = replace(
            self._profile,
            label=" ".join(self.name.text().split()),
            base_url=self._full_address(),
            api=Api(self.api.currentData()),  # Qt gives back the text alone
            is_enabled=self.enabled.isChecked(),
        )
        try:
            typed = self.more.read(typed)
        except NotANumber as error:
            self.show_problem(shown(error.args[0]))
            return None
        if not typed.base_url and not preset_of(typed.preset).base_url:
            self.show_problem(tr("Enter the address of the server."))
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)
            return None
        if "YOUR-RESOURCE" in typed.base_url:
            self.show_problem(tr("Enter the name of your resource in the address."))
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)
            return None
        problem = typed.problem()
        if problem is not None:
            self.show_problem(shown(problem))
            return None
        return typed

    def _full_address(self) -> str:
        has_path = Api(self.api.currentData()) is not Api.ANTHROPIC
        return full_address(self.address.text(), path="/v1" if has_path else "")

    def show_key_state(self, state: KeyState) -> None:
        self.key.show_state(state)

    def show_step(self, result: StepResult) -> None:
        self.steps.show_result(result)
        self._follow_result()

    def _follow_result(self, *_range: int) -> None:
        """Scroll to the result, which is at the end and grows with each step."""
        bar = self._area.verticalScrollBar()
        if self.steps.isVisibleTo(self) and not self.more_button.hasFocus():
            bar.setValue(bar.maximum())

    def show_testing(self, is_testing: bool) -> None:
        """Show whether a test runs; while it does, its button ends it."""
        self._is_testing = is_testing
        self.test_button.setText(tr("Stop the test") if is_testing else tr("Test"))
        self.test_button.setAccessibleName(self.test_button.text())

    def _build(self, hint: str, *, is_kept: bool) -> None:
        body = ScrolledPage()
        body.setObjectName("providerBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        rows: list[tuple[str, QWidget]] = [(tr("Name"), self.name), (tr("Address"), self.address)]
        for title, field in rows:
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
        self.more_button = QPushButton(tr("More settings"))
        self.more_button.setObjectName("providerMoreButton")
        self.more_button.setAutoDefault(False)
        self.more_button.setCheckable(True)
        self.more_button.toggled.connect(self.more.setVisible)
        column.addWidget(self.more_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.more)
        column.addWidget(self.steps)
        self._area = FittedArea(body)
        self._area.verticalScrollBar().rangeChanged.connect(self._follow_result)
        self._area.setStyleSheet("QScrollArea, #providerBody { background: transparent; }")
        self.body.addWidget(self._area, 1)
        self._add_buttons(is_kept=is_kept)

    def _add_buttons(self, *, is_kept: bool) -> None:
        remove = push_button(tr("Remove…"), "providerRemove", self.removeRequested.emit, is_danger=True)
        self.add_button(remove, is_first=True)
        remove.setVisible(is_kept)
        self.test_button = push_button(tr("Test"), "providerTest", self._on_test_clicked)
        self.add_button(self.test_button, is_first=True)
        self.add_button(push_button(tr("Cancel"), "providerCancel", self.reject))
        self.save_button = self.add_button(
            push_button(tr("Save"), "providerSave", self._on_save_clicked, is_default=True)
        )
        self.key.field.submitted.connect(self.save_button.click)
        self.key.forgotten.connect(self.keyForgotten)
        self.key.agreeRequested.connect(self.agreeRequested)
        self.finished.connect(lambda _result: self.testCancelled.emit())

    def _on_test_clicked(self) -> None:
        if self._is_testing:
            self.testCancelled.emit()
            return
        profile = self.profile()
        if profile is not None:
            self.steps.reset()
            self.testRequested.emit(profile, self.key.key())

    def _on_save_clicked(self) -> None:
        profile = self.profile()
        if profile is not None:
            self.saved.emit(profile, self.key.key())


def _api_words(api: Api) -> str:
    return shown(_API_WORDS[api])


def _hint_of(preset: Preset) -> str:
    return shown(preset.hint)
