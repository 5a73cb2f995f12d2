"""Defines the parameters of an answer that a thread or a project may set, and that are sent to the provider."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text

_MOST_STOP_WORDS = 4
_LONGEST_STOP_WORD = 200
_LARGEST_ANSWER = 10_000_000
REASONING_EFFORTS = ("minimal", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a request. None leaves a value to the model's own default."""

    temperature: float | None = None
    top_p: float | None = None
    answer_length: int | None = None
    reasoning_effort: str | None = None
    stop: tuple[str, ...] = ()

    def over(self, wider: Parameters) -> Parameters:
        """Return these values where they are set, else those of ``wider`` (a project's, below a thread's)."""
        return Parameters(*(_either(getattr(self, each.name), getattr(wider, each.name)) for each in fields(self)))

    def as_json(self) -> dict[str, Any]:
        """Return the values that are set, as JSON data; ``parameters_from`` reads it."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value not in (None, ())
        }


def _either(own: Any, wider: Any) -> Any:
    return wider if own in (None, ()) else own


def parameters_from(values: Mapping[str, Any]) -> Parameters:
    """Return the stored parameters; an invalid value reads as not set, so that one damaged row hides no thread."""
    kept: dict[str, Any] = {}
    for each in fields(Parameters):
        try:
            kept[each.name] = _CHECKS[each.name](values.get(each.name))
        except InvalidInput:
            continue
    return Parameters(**kept)


def checked_parameters(parameters: Parameters) -> Parameters:
    """Return ``parameters`` if a model could take them. Raises ``InvalidInput``."""
    return Parameters(**{each.name: _CHECKS[each.name](getattr(parameters, each.name)) for each in fields(Parameters)})


def _number(name: str, value: object, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _refusal(Text("{name} must be a number.", name=name))
    if not 0 <= value <= most:
        raise _refusal(Text("{name} must be between 0 and {most}.", name=name, most=most))
    return float(value)


def _length(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST_ANSWER:
        raise _refusal(
            Text(
                "The length of an answer must be between 1 and {largest_answer} tokens.", largest_answer=_LARGEST_ANSWER
            )
        )
    return value


def _effort(value: object) -> str | None:
    if value is not None and value not in REASONING_EFFORTS:
        raise _refusal(
            Text(
                "The reasoning effort must be one of {reasoning_efforts}.",
                reasoning_efforts=REASONING_EFFORTS,
            )
        )
    return None if value is None else str(value)


def _stop_words(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > _MOST_STOP_WORDS:
        raise _refusal(
            Text("There may be at most {most_stop_words} stop words.", most_stop_words=str(_MOST_STOP_WORDS))
        )
    for word in value:
        if not isinstance(word, str) or not 1 <= len(word) <= _LONGEST_STOP_WORD:
            raise _refusal(
                Text("A stop word has 1 to {longest_stop_word} characters.", longest_stop_word=str(_LONGEST_STOP_WORD))
            )
    return tuple(value)


def _refusal(what: str) -> InvalidInput:
    return InvalidInput(what, safe=Text("Nothing was changed."), next_step="")


_CHECKS: Mapping[str, Any] = {
    "temperature": lambda value: _number(Text("The temperature"), value, 2),
    "top_p": lambda value: _number(Text("Top-p"), value, 1),
    "answer_length": _length,
    "reasoning_effort": _effort,
    "stop": _stop_words,
}
