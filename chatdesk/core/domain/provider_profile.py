"""Describes a provider as a person set it up: its address, the way to it, favourite models. Keys are kept elsewhere.

``problem`` says why a profile cannot be used; nothing here opens a connection or a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from chatdesk.core.domain.model_info import ModelOverrides
from chatdesk.core.texts import Text

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_MOST = 200
_MOST_MODELS = 5000
# Bounds for a person's entries about a model.
SMALLEST_WINDOW, LARGEST_WINDOW = 256, 100_000_000
LARGEST_PRICE = 1_000_000.0
_LONGEST = 2000
SYSTEM_PROXY, NO_PROXY = "system", "none"
# Headers that carry a key, by their names: their values are stored with the keys.
SECRET_HEADERS = re.compile(r"authorization|cookie|token|secret|api-?key|passw|credential", re.IGNORECASE)


class Api(StrEnum):
    """The protocol that a server speaks."""

    CHAT = "chat"
    RESPONSES = "responses"
    ANTHROPIC = "anthropic"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The wishes of a vendor's servers for requests, beyond the protocol. ``needs_thoughts``: a message with calls of
    tools must have a thought, whatever is in it; ``foreign_call``: fields of a call that another model made;
    ``call_ids``: the form of the ids of calls, empty where any will do; ``refuses``: fields of a request that are left
    out from the start; ``passes_cache_marks``: a gateway that hands ``cache_control`` on to models that keep only what
    is marked. ``schema_words`` and ``formats``: what schemas of tools may have of JSON Schema, None for everything that
    is none of the ``refused_words``; ``property_names``: a pattern that the names of arguments match, empty for any;
    ``has_empty_objects``: a tool without arguments has a schema too. ``about`` says it to people."""

    needs_thoughts: bool = False
    foreign_call: Mapping[str, Any] = field(default_factory=dict)
    call_ids: str = ""
    refuses: frozenset[str] = frozenset()
    passes_cache_marks: bool = False
    schema_words: frozenset[str] | None = None
    refused_words: frozenset[str] = frozenset()
    formats: frozenset[str] | None = None
    property_names: str = ""
    has_empty_objects: bool = True
    about: str = ""


PLAIN = Dialect()


@dataclass(frozen=True, slots=True)
class Header:
    """An additional HTTP header. The value of a secret one is empty here and is kept with the keys."""

    name: str
    value: str = field(default="", repr=False)
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """A provider of this person. ``id`` is stored with messages and never changes. ``proxy`` is ``system``, ``none`` or
    an address. Times are in seconds; None is the setting's. ``favourites`` are model ids, ``aliases`` names that a
    person gave to models, ``overrides`` what they say of them."""

    id: str
    preset: str
    label: str
    base_url: str = ""
    api: Api = Api.CHAT
    headers: tuple[Header, ...] = ()
    organisation: str = ""
    project: str = ""
    proxy: str = SYSTEM_PROXY
    ca_file: str = ""
    connect_s: float | None = None
    first_byte_s: float | None = None
    silence_s: float | None = None
    model: str = ""
    favourites: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, ModelOverrides] = field(default_factory=dict)
    is_enabled: bool = True

    @property
    def host(self) -> str:
        try:
            return (urlsplit(self.base_url).hostname or "").lower()
        except ValueError:
            return ""

    def problem(self) -> str | None:
        """Return the reason why this profile cannot be used, as a sentence; None when it can."""
        if not _ID.match(self.id):
            return Text("The provider's id may have small letters, digits and hyphens only.")
        if not self.label.strip():
            return Text("Give the provider a name.")
        if self.base_url and not _is_address(self.base_url, ("http", "https")):
            return Text("The address must begin with https:// or http://, name a server and hold no password.")
        for header in self.headers:
            if not _HEADER_NAME.match(header.name):
                return Text("“{name}” is not the name of a header.", name=header.name[:40])
            if not header.value.isascii() or not (header.value.isprintable()):
                return Text("The value of the header {name} contains characters that cannot be sent.", name=header.name)
        is_chosen = self.proxy not in (SYSTEM_PROXY, NO_PROXY)
        if is_chosen and not _is_address(self.proxy, ("http", "https")):
            return Text(
                "The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a "
                "password is set with the variable HTTPS_PROXY."
            )
        for value in (self.organisation, self.project):
            if not value.isascii() or not value.isprintable():
                return Text("The organisation and the project hold characters that cannot be sent.")
        return self._time_problem()

    def _time_problem(self) -> str | None:
        times = [each for each in (self.connect_s, self.first_byte_s, self.silence_s) if each is not None]
        return None if all(1 <= each <= 3600 for each in times) else Text("Times must be between 1 and 3,600 seconds.")

    def as_data(self) -> dict[str, Any]:
        """Return the data for the file: all values that differ from the default, without the values of secret
        headers."""
        data: dict[str, Any] = {"id": self.id, "preset": self.preset, "label": self.label, "base_url": self.base_url}
        blank = ProviderProfile(self.id, self.preset, self.label)
        for name in ("organisation", "project", "proxy", "ca_file", "connect_s", "first_byte_s", "silence_s", "model"):
            if getattr(self, name) != getattr(blank, name):
                data[name] = getattr(self, name)
        if self.api is not Api.CHAT:
            data["api"] = self.api.value
        if self.headers:
            data["headers"] = [
                {"name": each.name, "is_secret": True} if each.is_secret else {"name": each.name, "value": each.value}
                for each in self.headers
            ]
        if self.favourites:
            data["favourites"] = list(self.favourites)
        if self.aliases:
            data["aliases"] = dict(self.aliases)
        if self.overrides:
            data["models"] = {model: _override_data(each) for model, each in self.overrides.items()}
        if not self.is_enabled:
            data["is_enabled"] = False
        return data

    @classmethod
    def from_data(cls, data: object) -> ProviderProfile | None:
        """Return the profile that a file describes, invalid values left out; None when it cannot be used at all."""
        if not isinstance(data, Mapping):
            return None
        api = data.get("api")
        profile = cls(
            id=_text(data.get("id")),
            preset=_text(data.get("preset")),
            label=_text(data.get("label")),
            base_url=_text(data.get("base_url")),
            api=Api(api) if isinstance(api, str) and api in set(Api) else Api.CHAT,
            headers=_headers(data.get("headers")),
            organisation=_text(data.get("organisation")),
            project=_text(data.get("project")),
            proxy=_text(data.get("proxy")) or SYSTEM_PROXY,
            ca_file=_text(data.get("ca_file")),
            connect_s=_seconds(data.get("connect_s")),
            first_byte_s=_seconds(data.get("first_byte_s")),
            silence_s=_seconds(data.get("silence_s")),
            model=_text(data.get("model")),
            favourites=_texts(data.get("favourites")),
            aliases=_aliases(data.get("aliases")),
            overrides=_overrides(data.get("models")),
            is_enabled=data.get("is_enabled") is not False,
        )
        return profile if profile.problem() is None else None


def header_secret(profile_id: str, header: str) -> str:
    """Return the name under which the value of a secret header is kept with the keys."""
    return f"{profile_id}/{header.lower()}"


def masked(key: str) -> str:
    """Return a key as it may be shown: with its last four characters, when those are a small part of it."""
    if len(key) < 12:
        return "•" * 8 if key else ""
    start = key[:3] if re.match(r"[a-z]{2}-", key) else ""
    return f"{start}{'•' * 10}{key[-4:]}"


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    plain = value.isprintable() and not any(each.isspace() for each in value)
    return is_valid and plain and not parts.username and not parts.password


def _text(value: object) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) and value.isprintable() else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, value[:_MOST]))) if isinstance(value, list) else ()


def _aliases(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    pairs = [(_text(model), _text(name)) for model, name in list(value.items())[:_MOST]]
    return {model: name for model, name in pairs if model and name}


def _override_data(overrides: ModelOverrides) -> dict[str, Any]:
    blank = ModelOverrides()
    names = [each.name for each in fields(ModelOverrides)]
    return {name: getattr(overrides, name) for name in names if getattr(overrides, name) != getattr(blank, name)}


def _overrides(value: object) -> dict[str, ModelOverrides]:
    if not isinstance(value, Mapping):
        return {}
    found = {}
    for name, row in list(value.items())[:_MOST_MODELS]:
        model = _text(name)
        if model and isinstance(row, Mapping):
            sees, window = row.get("sees_images"), _amount(row.get("context_window"), LARGEST_WINDOW)
            found[model] = ModelOverrides(
                sees if isinstance(sees, bool) else None,
                int(window) if window is not None and window >= SMALLEST_WINDOW else None,
                _amount(row.get("input_price"), LARGEST_PRICE),
                _amount(row.get("output_price"), LARGEST_PRICE),
                is_hidden=row.get("is_hidden") is True,
            )
    return {model: each for model, each in found.items() if each != ModelOverrides()}


def _amount(value: object, most: float) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isinstance(value, int | float) and 0 <= value <= most else None


def _seconds(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isinstance(value, int | float) and 1 <= value <= 3600 else None


def _headers(value: object) -> tuple[Header, ...]:
    if not isinstance(value, list):
        return ()
    found = []
    for row in value[:_MOST]:
        name = _text(row.get("name")) if isinstance(row, Mapping) else ""
        if name and isinstance(row, Mapping):
            is_secret = row.get("is_secret") is True
            found.append(Header(name, "" if is_secret else _text(row.get("value")), is_secret=is_secret))
    return tuple(found)
