"""Describes one setting, from its name and limits to its place in the window, and checks its values.

``schema.py`` declares the settings with it. Values are always valid: ``Setting.checked`` turns any input of a file or a
variable into a value or the reason why it is invalid.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field
from datetime import date
from typing import Any, Final, Literal, TypedDict, TypeVar, Unpack, get_args
from urllib.parse import urlsplit

from chatdesk.core.texts import Text

Value = str | bool | int | float | Mapping[str, str]
_V = TypeVar("_V", bound=Value)

# A page of the window's settings.
Page = Literal[
    "General",
    "Providers",
    "Usage and limits",
    "Context",
    "Team sync",
    "My computers",
    "Tools",
    "Local service",
    "Data and backup",
    "Shortcuts",
]
# All pages, in order.
PAGES: Final[tuple[Page, ...]] = get_args(Page)


class InvalidValue(ValueError):
    """A value that a setting does not allow; the text gives the reason, for a person."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shown:
    """The way in which the window shows a setting.

    ``section`` is a heading on the page; ``title`` and ``hint`` are the texts there, the hint one short sentence or
    nothing. A number is shown in steps of ``unit_size`` with ``unit`` behind it. ``empty`` says what no text, or a
    number of 0, means. ``also`` are other words that people search for. ``hidden`` is the
    reason why a setting has no row: the part of the window that changes it.
    """

    page: Page
    title: str
    hint: str = ""
    section: str = ""
    unit: str = ""
    unit_size: float = 1
    empty: str = ""
    also: str = ""
    hidden: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trial:
    """A feature on trial: its owner, and the last day by which it stays or is removed. A test fails after that day."""

    owner: str
    until: date


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Setting:
    """The declaration of one setting. ``key`` is its place in the file, ``section.name``; ``help`` is for documents.

    ``choices`` are values with what a person reads. Text takes nothing else, unless ``is_open``. Free text
    with ``is_reported`` is nothing private, so that a report of a problem may contain it. ``trial`` marks a
    switch of a feature that is tried out.
    """

    name: str
    key: str
    help: str
    default: Value
    kind: type
    env: str
    shown: Shown
    choices: Mapping[Any, str] = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    is_url: bool = False
    is_rate: bool = False
    is_model: bool = False
    is_open: bool = False
    is_multiline: bool = False
    is_reported: bool = False
    trial: Trial | None = None

    def checked(self, value: object) -> Value:
        """Return ``value`` as this setting's type. Raises ``InvalidValue``."""
        if self.kind is dict:
            table = _checked_mapping(value)
            for text in table.values() if self.is_rate else ():
                _check_rate(text)
            return table
        if self.kind is bool:
            if not isinstance(value, bool):
                raise InvalidValue(Text("it must be true or false"))
            return value
        if self.kind is str:
            return self._checked_text(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise InvalidValue(Text("it must be a number"))
        return self._checked_number(value)

    def parsed(self, text: str) -> Value:
        """Return the value that an environment variable holds. Raises ``InvalidValue``."""
        stripped = text.strip()
        if self.kind is bool:
            if stripped.lower() in ("1", "true", "yes", "on"):
                return True
            if stripped.lower() in ("0", "false", "no", "off"):
                return False
            raise InvalidValue(Text("it must be true or false"))
        if self.kind is str:
            return self.checked(stripped)
        if self.kind is dict:
            return self.checked(dict(_header_pair(line) for line in stripped.splitlines() if line.strip()))
        try:
            return self.checked(float(stripped))
        except ValueError as error:
            raise error if isinstance(error, InvalidValue) else InvalidValue(Text("it must be a number")) from None

    def _checked_text(self, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidValue(Text("it must be text"))
        if self.choices and not self.is_open and value not in self.choices:
            raise InvalidValue(Text("it must be one of {choices}", choices=tuple(self.choices)))
        if self.is_multiline:
            if any(ord(character) < 32 and character not in "\n\t" for character in value):
                raise InvalidValue(Text("it must be text without control characters"))
        elif any(ord(character) < 32 for character in value):
            raise InvalidValue(Text("it must be one line"))
        if self.is_url and value:
            _check_url(value)
        if self.is_rate and value:
            _check_rate(value)
        if self.is_model and value:
            _check_model(value)
        return value

    def _checked_number(self, value: float) -> int | float:
        if self.minimum is not None and value < self.minimum:
            raise InvalidValue(Text("it must be at least {minimum}", minimum=self.minimum))
        if self.maximum is not None and value > self.maximum:
            raise InvalidValue(Text("it must be at most {maximum}", maximum=self.maximum))
        if self.kind is float:
            return float(value)
        if value != int(value):
            raise InvalidValue(Text("it must be a whole number"))
        return int(value)


class Limits(TypedDict, total=False):
    """The parts of a declaration that only some settings have; see ``Setting``."""

    env: str
    choices: Mapping[Any, str]
    minimum: float
    maximum: float
    is_url: bool
    is_rate: bool
    is_model: bool
    is_open: bool
    is_multiline: bool
    is_reported: bool
    trial: Trial


def declared(
    key: str,
    default: _V,
    help: str,  # noqa: A002 - reads well where it is used
    shown: Shown,
    **more: Unpack[Limits],
) -> _V:
    """Return a field of ``Settings`` for a setting, of the type that ``default`` has."""
    metadata = {"key": key, "help": help, "shown": shown, "default": default, **more}
    made: Any = (
        field(default_factory=lambda: dict(default), metadata=metadata)
        if isinstance(default, dict)
        else field(default=default, metadata=metadata)
    )
    return made  # type: ignore[no-any-return]


def setting_of(made: Field[Any]) -> Setting:
    """Return the declaration of a field that ``declared`` made."""
    data = {"env": f"CHATDESK_{made.name.upper()}", **made.metadata}
    return Setting(name=made.name, kind=type(data["default"]), **data)


def _checked_mapping(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidValue(Text('it must be a table of names and texts, such as {"X-Team" = "blue"}'))
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise InvalidValue(Text("names and values must be text"))
        if not re.fullmatch(r"[A-Za-z0-9._-]+", key):
            raise InvalidValue(Text("a name has letters, digits, dots and hyphens only"))
        if any(ord(character) < 32 for character in text):
            raise InvalidValue(Text("a value must be one line"))
    return {str(key): str(text) for key, text in value.items()}


def _header_pair(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise InvalidValue(Text("each line must look like 'Name: value'"))
    return name.strip(), value.strip()


def _check_rate(value: str) -> None:
    from chatdesk.core.domain.limits import InvalidRate, parse_rate  # rarely there, and a start is short of time

    try:
        parse_rate(value)
    except InvalidRate as error:
        raise InvalidValue(str(error)) from None


def _check_model(value: str) -> None:
    from chatdesk.core.domain.model_info import ModelRef  # as above

    if ModelRef.parse(value) is None:
        raise InvalidValue(Text("it must be a provider and a model, such as openai/gpt-5.4-mini"))


def _check_url(value: str) -> None:
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InvalidValue(Text("it must begin with https:// or http:// and name a server"))
    if parts.username or parts.password:
        raise InvalidValue(Text("it must not contain a password; use the keyring or OPENAI_API_KEY"))
