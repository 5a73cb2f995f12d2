"""Defines requests of a tool server to a person while one of its tools runs: a form, a page to open, a question to a
model.

All texts are untrusted: hidden characters are spelt out here, and a person's input is checked here by name, type and
bounds. Patterns from the server are not run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from chatdesk.core.hidden_characters import clean_line, visible_controls
from chatdesk.core.texts import Text

LONGEST_VALUE: Final = 10_000
_SECRETS: Final = re.compile(
    r"pass(word|wd|wort|phrase|code)|\bpwd\b|(seed|recovery|mnemonic).?(phrase|code|key|word)|(security|one.time|2fa).?code"
    r"|secret|token|api.?key|credential|private.?key|\bpin\b|\bcvv\b|card.?number|\botp\b"
)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")


class Action(StrEnum):
    """A person's answer to a server: the requested content, a refusal, or no answer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    CANCEL = "cancel"


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    SWITCH = "switch"
    CHOICE = "choice"
    CHOICES = "choices"


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form. ``name`` is as the server wrote it, ``label`` and ``description`` can be shown; ``options``
    are (value, title); ``least`` and ``most`` bound a number, a text's length or the number of choices."""

    name: str
    label: str
    description: str
    kind: FieldKind
    is_required: bool = False
    default: Any = None
    options: tuple[tuple[str, str], ...] = ()
    format: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def looks_secret(self) -> bool:
        """Return whether a password, a key or the like is asked for, as far as its words say."""
        words = f"{self.name} {self.label} {self.description}".lower().replace("_", " ")
        return self.format == "password" or _SECRETS.search(words) is not None


@dataclass(frozen=True, slots=True)
class Asker:
    """The call during which a server asks. ``where`` says where an answer goes: a command line, or an address."""

    thread_id: str
    server_name: str
    tool_name: str
    where: str


@dataclass(frozen=True, slots=True)
class FormRequest:
    id: str
    asker: Asker
    message: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page that a server wants a person to open in their browser."""

    id: str
    asker: Asker
    message: str
    address: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A question that a server wants a model to answer. ``messages`` are (role, text); ``max_tokens`` is what the
    answer may have, ``model`` the words for the one that would answer."""

    id: str
    asker: Asker
    system: str
    messages: tuple[tuple[str, str], ...]
    max_tokens: int
    temperature: float | None
    model: str


ServerRequest = FormRequest | PageRequest | ModelRequest


class FieldProblem(ValueError):
    """A field does not take a value; the message is a sentence, ``name`` the field's."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


def form_request(id_: str, asker: Asker, row: Sequence[Any]) -> FormRequest:
    """Return the form in a row of the process that hosts servers."""
    message, fields = row
    return FormRequest(id_, asker, visible_controls(message), tuple(_field(*each) for each in fields))


def page_request(id_: str, asker: Asker, row: Sequence[Any]) -> PageRequest:
    """Return the page in a row of the process that hosts servers."""
    message, address = row
    return PageRequest(id_, asker, visible_controls(message), address)


def model_request(id_: str, asker: Asker, row: Sequence[Any], *, model: str, most_tokens: int) -> ModelRequest:
    """Return the question to a model in a row of the process that hosts servers."""
    system, messages, max_tokens, temperature = row
    tokens = max(1, min(max_tokens, most_tokens))
    return ModelRequest(id_, asker, system, tuple(map(tuple, messages)), tokens, temperature, model)


def _field(
    name: str,
    title: str,
    about: str,
    kind: str,
    is_required: bool,
    default: Any,
    options: Sequence[tuple[str, str]],
    form: str,
    least: float | None,
    most: float | None,
) -> FormField:
    label = clean_line(title or name.replace("_", " ")) or "Value"
    shown = tuple((value, clean_line(words) or clean_line(value) or "?") for value, words in options)
    return FormField(name, label, clean_line(about), FieldKind(kind), is_required, default, shown, form, least, most)


def form_values(fields: Sequence[FormField], entered: Mapping[str, str | bool | Sequence[str]]) -> dict[str, Any]:
    """Return the entered values in the types of their fields; empty ones that are not required are left out. Raises
    ``FieldProblem``."""
    values: dict[str, Any] = {}
    for field in fields:
        value = _value(field, entered[field.name])
        if value is None and field.is_required:
            raise FieldProblem(field.name, Text("“{label}” is missing.", label=field.label))
        if value is not None:
            values[field.name] = value
    return values


def _value(field: FormField, entered: str | bool | Sequence[str]) -> Any:
    if field.kind is FieldKind.SWITCH:
        return bool(entered)
    if field.kind is FieldKind.CHOICES:
        chosen = [value for value, _title in field.options if not isinstance(entered, bool) and value in entered]
        _check_bounds(field, len(chosen), "choices")
        return chosen if chosen or field.is_required else None
    text = str(entered)[:LONGEST_VALUE]
    if field.kind in (FieldKind.NUMBER, FieldKind.INTEGER):
        return _number(field, text.strip())
    if not text:
        return None
    if field.kind is FieldKind.TEXT:
        _check_bounds(field, len(text), "characters")
        _check_format(field, text)
    return text


def _number(field: FormField, text: str) -> float | int | None:
    if not text:
        return None
    try:
        number = int(text) if field.kind is FieldKind.INTEGER else float(text)
    except ValueError:
        if field.kind is FieldKind.INTEGER:
            raise FieldProblem(field.name, Text("“{label}” is not a whole number.", label=field.label)) from None
        raise FieldProblem(field.name, Text("“{label}” is not a number.", label=field.label)) from None
    if number != number or number in (float("inf"), float("-inf")):
        raise FieldProblem(field.name, Text("“{label}” is not a number.", label=field.label))
    _check_bounds(field, number, "")
    return number


def _check_bounds(field: FormField, size: float, unit: str) -> None:
    unit = f" {unit}" if unit else ""
    if field.least is not None and size < field.least and (size or field.is_required):
        raise FieldProblem(
            field.name,
            Text("“{label}” is at least {least}{unit}.", label=field.label, least=f"{field.least:g}", unit=unit),
        )
    if field.most is not None and size > field.most:
        raise FieldProblem(
            field.name, Text("“{label}” is at most {most}{unit}.", label=field.label, most=f"{field.most:g}", unit=unit)
        )


def _check_format(field: FormField, text: str) -> None:
    is_right, words = True, ""
    if field.format == "email":
        is_right, words = _EMAIL.fullmatch(text) is not None, Text("an email address")
    elif field.format == "uri":
        is_right, words = _ADDRESS.fullmatch(text) is not None, Text("an address such as https://example.org")
    elif field.format == "date":
        is_right, words = _is_moment(text, date), Text("a date such as 2026-11-24")
    elif field.format == "date-time":
        is_right, words = _is_moment(text, datetime), Text("a date and time such as 2026-11-24T09:30:00Z")
    if not is_right:
        raise FieldProblem(field.name, Text("“{label}” is not {words}.", label=field.label, words=words))


def _is_moment(text: str, kind: type[date]) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return True
