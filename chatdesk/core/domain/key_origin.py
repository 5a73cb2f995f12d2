"""Defines the origin that a secret was given for: the server and the way to it. A secret is sent nowhere else.

Pure. The questions of the window and the refusals of the command line are worded here, once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from chatdesk.core.domain.provider_profile import NO_PROXY, SYSTEM_PROXY
from chatdesk.core.errors import NotPossible
from chatdesk.core.texts import Sentences, Text, shortened

_PORTS = {"https": 443, "http": 80}
_SHOWN_DIGITS, _LONGEST_LABEL = 12, 40
# Characters that URL parsers interpret differently.
_AMBIGUOUS = re.compile(r"[\\\s\x00-\x1f\x7f]|@.*@")
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
# Text that people copy along with a key.
_AROUND_KEY = re.compile(
    r"""(?:(?:export\s+)?[A-Z][A-Z0-9_]*(?:KEY|TOKEN)\s*=\s*)?["']?"""
    r"""(?i:(?:authorization|(?:x-)?(?:goog-)?api-key)\s*:\s*)?(?i:bearer\s*[:\s]\s*)?["']?(.*?)["']?[,;]?\Z""",
    re.DOTALL,
)


def bare_key(typed: str) -> str:
    """Return a key without a variable, a header or quotation marks that were copied with it; empty where there is
    none."""
    found = _AROUND_KEY.match(typed.strip())
    return found[1].strip() if found else ""


def is_loopback(host: str) -> bool:
    """Return whether a host, as it is written in an address, is this computer; names are not looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class KeyOrigin:
    """A server and the way to it. ``proxy`` is ``system``, ``none`` or an address; ``ca`` the SHA-256 of the
    certificates that are trusted besides the system's, empty when there are none."""

    scheme: str
    host: str
    port: int
    proxy: str = SYSTEM_PROXY
    ca: str = ""

    @classmethod
    def of(cls, address: str, *, proxy: str = SYSTEM_PROXY, ca: str = "") -> KeyOrigin:
        """Return the origin of a web address. An unreadable one gets an origin without a host, which equals no stored
        one."""
        try:
            parts = urlsplit(address.strip())
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            return cls("", "", 0, proxy, ca)
        if _AMBIGUOUS.search(parts.netloc):
            host = ""
        return cls(parts.scheme, _as_ascii(host), port, proxy.rstrip("/").lower(), ca)

    @property
    def server(self) -> str:
        """The server as it is shown: ``https://api.openai.com``, with the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def description(self) -> str:
        """The server, with anything unusual about the connection to it, for a person."""
        found = self.server
        if self.proxy == NO_PROXY:
            found = Text("{server} without a proxy", server=found)
        elif self.proxy != SYSTEM_PROXY:
            found = Text("{server} through the proxy {proxy}", server=found, proxy=self.proxy)
        if self.ca:
            found = Text("{server}, trusting a file of certificates ({ca}…)", server=found, ca=self.ca[:_SHOWN_DIGITS])
        return found

    @property
    def is_on_this_computer(self) -> bool:
        return is_loopback(self.host)

    @property
    def is_open(self) -> bool:
        """Return whether others on the network could read the request."""
        return self.scheme == "http" and not self.is_on_this_computer

    def as_data(self) -> dict[str, Any]:
        return {"scheme": self.scheme, "host": self.host, "port": self.port, "proxy": self.proxy, "ca": self.ca}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> KeyOrigin:
        """Return the origin that ``as_data`` wrote. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything
        else."""
        return cls(str(data["scheme"]), str(data["host"]), int(data["port"]), str(data["proxy"]), str(data["ca"]))


class WithheldFor(StrEnum):
    """The reason why a secret that exists is not used."""

    ELSEWHERE = "elsewhere"  # entered for another origin
    UNKNOWN = "unknown"  # an earlier version stored it without its server
    OPEN = "open"  # it would travel unencrypted, without the person's consent
    VARIABLE = "variable"  # an environment variable names the server, so only a key from the environment goes there


@dataclass(frozen=True, slots=True)
class Withheld:
    """A secret that counts as absent. ``kept``: the origin that it was given for, if that is known."""

    reason: WithheldFor
    wanted: KeyOrigin
    kept: KeyOrigin | None = None
    variable: str = ""

    @property
    def can_be_agreed(self) -> bool:
        return self.reason is not WithheldFor.VARIABLE

    def question(self, label: str) -> str:
        """Return the title of the dialog that asks."""
        return Text("Send the key of {short} to {server}?", short=_short(label), server=self.wanted.server)

    def sentence(self, label: str) -> str:
        """Return the reason as a sentence that names both servers, for the dialog, the window and the command line."""
        label = _short(label)
        if self.reason is WithheldFor.VARIABLE:
            return Text(
                "The variable {variable} names the server of {label}, {server}. Only a key from a "
                "variable is sent there, never one that is kept.",
                variable=self.variable,
                label=label,
                server=self.wanted.server,
            )
        if self.reason is WithheldFor.OPEN:
            return Text(
                "The key of {label} would travel unencrypted to {words}: anybody on the way could read it.",
                label=label,
                words=self.wanted.description,
            )
        if self.kept is None:
            found = Text(
                "The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It "
                "would be sent to {words}.",
                label=label,
                words=self.wanted.description,
            )
        else:
            found = Text(
                "The key of {label} was given for {words}. It would be sent to {wanted}.",
                label=label,
                words=self.kept.description,
                wanted=self.wanted.description,
            )
        return Sentences.of(found, Text("It would travel unencrypted.")) if self.wanted.is_open else found

    def next_step(self, provider: str) -> str:
        """Return a sentence about the person's remedy."""
        if self.reason is WithheldFor.VARIABLE:
            return Text("Put the key for that server into OPENAI_API_KEY, or remove the variable.")
        return Text(
            "If that is what you want, agree in Settings, Providers, or with 'chatdesk providers --agree {provider}'.",
            provider=provider,
        )


class KeyNotAgreed(NotPossible):
    """A key would be sent to an address without consent. ``title`` and ``what`` are the question to the person; with
    their consent the same call succeeds."""

    code = "key_not_agreed"
    safe = Text("Nothing was changed.")
    next_step = Text("Agree, or enter the key again.")

    def __init__(self, withheld: Withheld, label: str) -> None:
        super().__init__(withheld.sentence(label))
        self.title = withheld.question(label)


def _short(label: str) -> str:
    """Return the label cut to a length at which a name from a file cannot tell a story of its own in a question."""
    return shortened(label, _LONGEST_LABEL)


def _as_ascii(host: str) -> str:
    """Return the host as it is looked up, so that names that only look alike differ; empty for a host that two readers
    of addresses might take for different servers, as the two versions of IDNA do with a sharp s."""
    name = host.lower()
    if not name.isascii():
        try:
            encoded = name.encode("idna")
            name = encoded.decode() if encoded.decode("idna") == name else ""
        except UnicodeError:
            return ""
    return name if _HOST.fullmatch(name) else ""
