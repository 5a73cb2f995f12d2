"""Shows the steps of a provider's test, each with its result and the cause of a failure, and writes the short texts
about a provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import STEP_TEXTS, Step, StepResult, StepState
from chatdesk.core.moments import moment_text
from chatdesk.core.settings.presets import address_of, preset_of
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.marks import WORKS, WORKS_NOT, Mark
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.local_forms import date_time_text
from chatdesk.ui.theme.theme import Theme

_ICONS: Final = {
    StepState.RUNNING: ("clock", "muted"),
    StepState.OK: ("circle-check", "accent"),
    StepState.FAILED: ("circle-x", "danger"),
    StepState.SKIPPED: ("circle-stop", "muted"),
}
_STATE_WORDS: Final = {
    StepState.RUNNING: Text("Looking…"),
    StepState.OK: WORKS,
    StepState.FAILED: WORKS_NOT,
    StepState.SKIPPED: Text("Not tested"),
}
_SENTENCE_END = re.compile(r"\. |。")


class ProviderSteps(QWidget):
    """Hidden until the first test."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("providerSteps")
        self.setAccessibleName(tr("Result of the test"))
        self._marks: dict[Step, Mark] = {}
        self._texts: dict[Step, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        for place, step in enumerate(Step):
            mark = self._marks[step] = Mark(theme)
            text = self._texts[step] = plain_label("", "note", wraps=True)
            text.setObjectName(f"providerStep_{step.value}")
            grid.addWidget(mark, place, 0)
            grid.addWidget(plain_label(shown(STEP_TEXTS[step]), "text"), place, 1)
            grid.addWidget(text, place, 2)
        self.hide()

    def reset(self) -> None:
        """Clear the steps, because a new test starts."""
        for step in Step:
            self._show(StepResult(step, StepState.SKIPPED))
        self.show()

    def show_result(self, result: StepResult) -> None:
        self._show(result)
        if result.state is StepState.FAILED:
            announce(self, f"{shown(STEP_TEXTS[result.step])}: {shown(result.text)}")
        elif result.step is Step.STREAMING and result.state is StepState.OK:
            announce(self, tr("Everything works."))

    def text(self, step: Step) -> str:
        return self._texts[step].text()

    def _show(self, result: StepResult) -> None:
        mark, text = self._marks[result.step], self._texts[result.step]
        mark.show_icon(*_ICONS[result.state])
        words = shown(result.text or _STATE_WORDS[result.state])
        text.setText(words)
        text.setAccessibleName(f"{shown(STEP_TEXTS[result.step])}: {words}")
        colour = "danger" if result.state is StepState.FAILED else "muted"
        text.setStyleSheet(f"color: {self._theme.colour(colour).name()};")


def where_the_key_lies(shown: ShownProvider) -> str:
    """Return a few words on the key's place, shown below the provider's name."""
    source = shown.key_source.value
    if shown.withheld is not None and shown.withheld.can_be_agreed:
        return tr("The key is not used before you agree")
    if source == "environment":
        return tr("Key from the variable {variable}", variable=shown.variable)
    if source in ("keyring", "file"):
        return tr("API key in the system keyring") if source == "keyring" else tr("API key in the encrypted file")
    if source == "this run":
        return tr("API key for this run only")
    if shown.needs_key:
        return tr("No key yet")
    if shown.is_local:
        return tr("On this computer")
    return tr("Any OpenAI-compatible address") if shown.profile.preset == "other" else tr("No key needed")


def is_at_its_vendor(shown: ShownProvider) -> bool:
    """Return whether a vendor is used at its own address. For every other server a row shows the address instead of the
    key, so that a person notices where the key is sent."""
    profile, preset = shown.profile, preset_of(shown.profile.preset)
    own = replace(profile, base_url=preset.base_url).host
    is_own = profile.host in ("", own) or (preset.id == "azure" and profile.host.endswith(".openai.azure.com"))
    return shown.needs_key and bool(own) and is_own and shown.withheld is None


def address_text(shown: ShownProvider) -> str:
    """Return a row's short form of an address; a local one without its obvious parts."""
    address = address_of(shown.profile)
    if shown.is_local:
        return address.removeprefix("http://").removesuffix("/v1")
    return address


def models_text(count: int) -> str:
    return shown(plural("{count} models", "{count} model", count))


def fetched_text(at_ms: int) -> str:
    """Return the local date and time at which a list of models was fetched."""
    return shown(moment_text(at_ms, date_time_text))


def outcome(steps: Mapping[Step, StepResult]) -> tuple[str, bool]:
    """Return the result of a finished test in one line, and whether all is well."""
    failed = next((each for each in steps.values() if each.state is StepState.FAILED), None)
    if failed is not None and failed.step is Step.KEY and failed.text[:3].isdigit():
        return tr("{code}: the key was refused", code=failed.text[:3]), False
    if failed is not None:
        return _SENTENCE_END.split(shown(failed.text), maxsplit=1)[0].rstrip("."), False
    listed = steps.get(Step.MODELS)
    if listed is None or listed.models is None:
        return tr("Works"), True
    return shown(plural("Works, {count} models", "Works, {count} model", listed.models)), True
