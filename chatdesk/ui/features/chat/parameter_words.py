"""Names parameters, and summarises the ones that are set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.local_forms import decimal_text, number_text

NAMES: Final[Mapping[str, Text]] = {
    "temperature": Text("Temperature"),
    "top_p": Text("Top-p"),
    "answer_length": Text("Longest answer"),
    "reasoning_effort": Text("Reasoning effort"),
    "stop": Text("Stop words"),
}
EFFORTS: Final[Mapping[str, Text]] = {
    "minimal": Text("Minimal"),
    "low": Text("Low"),
    "medium": Text("Medium"),
    "high": Text("High"),
}


def words_of(parameters: Parameters) -> str:
    """Return the one parameter that is set with its value, or how many are; empty where none is."""
    values = parameters.as_json()
    if len(values) > 1:
        return shown(plural("{count} parameters", "{count} parameter", len(values)))
    return next((_words(name, value) for name, value in values.items()), "")


def all_words(parameters: Parameters) -> tuple[str, ...]:
    """Return each parameter that is set with its value."""
    return tuple(_words(name, value) for name, value in parameters.as_json().items())


def _words(name: str, value: Any) -> str:
    if isinstance(value, list):
        return shown(NAMES[name])
    if isinstance(value, float):
        said = decimal_text(value, 2 if round(value, 1) != value else 1)
    else:
        said = shown(EFFORTS[value]) if value in EFFORTS else number_text(value)
    return tr("{name} {value}", name=shown(NAMES[name]), value=said)
