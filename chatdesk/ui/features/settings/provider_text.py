"""The short texts about a provider; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import Step, StepResult, StepState
from chatdesk.core.moments import moment_text
from chatdesk.core.settings.presets import preset_of
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import date_time_text

_SENTENCE_END = re.compile(r"\. |。")


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


def shows_key(shown: ShownProvider) -> bool:
    """Return whether the row's field is for the key: true for a vendor at its own address. For every other server the
    address is shown, so that nobody sends a key where they did not mean to."""
    profile, preset = shown.profile, preset_of(shown.profile.preset)
    own = replace(profile, base_url=preset.base_url).host
    is_own = profile.host in ("", own) or (preset.id == "azure" and profile.host.endswith(".openai.azure.com"))
    return shown.needs_key and bool(own) and is_own and shown.withheld is None


def address_text(shown: ShownProvider) -> str:
    """Return the address as a row shows it; on this computer without what goes without saying."""
    address = shown.profile.base_url or preset_of(shown.profile.preset).base_url
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
