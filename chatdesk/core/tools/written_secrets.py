"""Replaces secrets in the command or the address of a tool server by placeholders, and fills them in when it is
started.

What is in their place is ``${secret:NAME}``: the file of servers, the card that asks for approval and the digest of
a permission have that, the value is where keys are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from chatdesk.core.domain.provider_profile import SECRET_HEADERS
from chatdesk.core.domain.tools import ServerKind, ToolServer

# Variables, headers and options that are a secret by their name.
SECRET_NAME: Final = re.compile(
    rf"{SECRET_HEADERS.pattern}|(?:^|[-_])(?:pat|key|pwd|sig|signature)\b|_key\b", re.IGNORECASE
)
# Text that stands for a value which is still to be filled in.
PLACEHOLDER: Final = re.compile(
    r"\$\{[^}]*\}|<[^<>]{2,60}>|\byour[-_ ]|(?<![a-z0-9])xxx+\b|\.\.\.$|^(?:replace|change)[-_ ]?me$", re.IGNORECASE
)
_PLACE: Final = re.compile(r"\$\{secret:([A-Za-z0-9_.-]{1,128})\}")
_OPTION: Final = re.compile(r"(--?[A-Za-z][\w.-]*)(?:=(.*))?\Z", re.DOTALL)
_HEADER: Final = re.compile(r"([A-Za-z][\w-]*)(:\s*)(\S.*)\Z", re.DOTALL)
_VARIABLE: Final = re.compile(r"([A-Za-z_]\w*)=(.*)\Z", re.DOTALL)
_USER: Final = re.compile(r"([a-z][a-z0-9+.-]*://[^/\s:@]*:)([^/\s@]+)(@.*)\Z", re.IGNORECASE | re.DOTALL)
# Keys that are told by their first letters wherever they are.
_SHAPE: Final = re.compile(
    r"(?:sk-|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza|hf_|ntn_|secret_|figd_|eyJ)(?=[\w.-]*\d)[\w.-]{12,}\Z"
)
# The beginning of a header's value that carries a credential.
_SCHEME: Final = re.compile(r"(?:bearer|basic|token)\s+\S", re.IGNORECASE)
# Options whose next word is a value although their name reads like a secret's.
_NO_VALUES: Final = re.compile(r"(?:^|-)(?:file|path|env|name|id|command)\Z", re.IGNORECASE)


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable or header is a secret, by its name or by the form of its value."""
    return bool(SECRET_NAME.search(name) or _SHAPE.match(value) or _SCHEME.match(value))


def extract_secrets(server: ToolServer) -> tuple[ToolServer, dict[str, str]]:
    """Return the server with ``${secret:NAME}`` in place of each secret in its command or address, and the values by
    name."""
    found = _Found({*server.env, *server.env_names, *server.headers, *server.header_names})
    if server.kind is ServerKind.ADDRESS:
        made = replace(server, address=_address(server.address, found))
        names = (*server.header_names, *found.values)
        return replace(made, header_names=tuple(dict.fromkeys(names))), found.values
    made = replace(server, argv=(*server.argv[:1], *_arguments(server.argv[1:], found)))
    return replace(made, env_names=tuple(dict.fromkeys((*server.env_names, *found.values)))), found.values


def names_within(server: ToolServer) -> tuple[str, ...]:
    """Return the names of the secrets that belong into the command or the address."""
    return tuple(dict.fromkeys(name for each in (server.address, *server.argv) for name in _PLACE.findall(each)))


def fill_in(text: str, values: Mapping[str, str], *, is_address: bool = False) -> str:
    """Return a word of a command, or an address, with its secrets filled in. Raises ``KeyError`` for one without a
    value."""

    def filled(place: re.Match[str]) -> str:
        value = values[place[1]]
        return quote(value, safe="") if is_address else value

    return _PLACE.sub(filled, text)


class _Found:
    """The secrets of one server; a name that is taken gets a number."""

    def __init__(self, taken: set[str]) -> None:
        self.values: dict[str, str] = {}
        self._taken = taken

    def replaced(self, name: str, value: str) -> str:
        """Store a value and return its placeholder; a value that is not a secret is returned unchanged."""
        if not value or PLACEHOLDER.search(value):
            return value
        base = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper() or "SECRET"
        if not SECRET_NAME.search(base):
            base = f"{base}_SECRET"
        number, chosen = 1, base
        while chosen in self._taken:
            number += 1
            chosen = f"{base}_{number}"
        self._taken.add(chosen)
        self.values[chosen] = value
        return f"${{secret:{chosen}}}"


def _arguments(words: tuple[str, ...], found: _Found) -> list[str]:
    made: list[str] = []
    name = ""  # the option whose value is the next word
    for word in words:
        option = _OPTION.match(word)
        if name and option is None:
            made.append(found.replaced(name, word))
            name = ""
            continue
        name = ""
        if option is not None and _is_secret(option[1]):
            if option[2] is None:
                name = option[1]
                made.append(word)
            else:
                made.append(f"{option[1]}={found.replaced(option[1], option[2])}")
            continue
        made.append(_word(word, found))
    return made


def _is_secret(option: str) -> bool:
    return bool(SECRET_NAME.search(option)) and not _NO_VALUES.search(option)


def _word(word: str, found: _Found) -> str:
    """Return a word that is not the value of an option named like a secret."""
    if _SHAPE.match(word):
        return found.replaced("secret", word)
    if word.startswith(("http://", "https://")):
        return _address(word, found)
    if (user := _USER.match(word)) is not None:
        return f"{user[1]}{found.replaced('password', user[2])}{user[3]}"
    if (header := _HEADER.match(word)) is not None and SECRET_NAME.search(header[1]):
        return f"{header[1]}{header[2]}{found.replaced(header[1], header[3])}"
    if (variable := _VARIABLE.match(word)) is not None and SECRET_NAME.search(variable[1]):
        return f"{variable[1]}={found.replaced(variable[1], variable[2])}"
    option = _OPTION.match(word)
    if option is not None and option[2] is not None:
        return f"{option[1]}={_word(option[2], found)}"
    return word


def _address(address: str, found: _Found) -> str:
    if (user := _USER.match(address)) is not None:
        address = f"{user[1]}{found.replaced('password', user[2])}{user[3]}"
    try:
        parts = urlsplit(address)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return address
    path = "/".join(
        found.replaced("secret", unquote(each)) if _SHAPE.match(unquote(each)) else each
        for each in parts.path.split("/")
    )
    is_within = any(SECRET_NAME.search(name) or _SHAPE.match(value) for name, value in query)
    if not is_within and path == parts.path:
        return address
    shown = []
    for name, value in query:
        if SECRET_NAME.search(name) or _SHAPE.match(value):
            shown.append(f"{quote(name)}={found.replaced(name, value)}")
        else:
            shown.append(urlencode([(name, value)]))
    return urlunsplit(parts._replace(path=path, query="&".join(shown)))
