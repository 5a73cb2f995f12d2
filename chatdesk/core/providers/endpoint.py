"""Describes a server (address, key, headers and connection options) and checks the description before use."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from chatdesk.core.domain.key_origin import bare_key, is_loopback
from chatdesk.core.settings.system_proxy import SystemProxy, system_proxy
from chatdesk.core.texts import Text

# The name of a request at the end of an address, and those of Ollama's own protocol, which has another beginning.
_REQUEST = re.compile(
    r"(?i)/(?:(?:chat/)?completions|responses(?:/compact)?|messages(?:/count_tokens)?|embeddings|models"
    r"|audio/\w+|images/\w+|(?<=/v\d/)(?:chat|models/.+))\Z"
)
_OF_OLLAMA = re.compile(r"(?i)/api/(?:chat|generate|tags|version|show|embed)\Z")
OPENAI_BASE_URL = "https://api.openai.com/v1"
_OPENAI_HOST = "api.openai.com"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """Options of the connection to a server. ``proxy``: None is the system's, empty is none at all. ``needs_key``: None
    means that only OpenAI's own server needs one. ``ca_digest``: the digest of ``ca_file`` when the key was looked up.
    ``withheld``: (reason, next step) if nothing may be sent."""

    proxy: str | None = None
    ca_file: str = ""
    organisation: str = ""
    project: str = ""
    needs_key: bool | None = None
    ca_digest: str = ""
    withheld: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address, key, headers and options of a server. Neither ``repr`` nor ``str`` shows the key or the headers."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connection: ConnectionOptions = ConnectionOptions()
    query: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        base_url: str | None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        connection: ConnectionOptions | None = None,
    ) -> Endpoint:
        """Return an endpoint; an empty address means OpenAI. An address may be that of a whole request, as vendors show
        it: the name of the request is taken off, a query is added to each. A missing ``/v1`` stays missing, for some
        servers have none. A key may stand in what is often copied along with it.
        """
        address, query = _address_and_query((base_url or "").strip())
        key = bare_key(api_key or "") or None
        return cls(address or OPENAI_BASE_URL, key, dict(headers or {}), connection or ConnectionOptions(), query)

    @property
    def system_proxy(self) -> SystemProxy | None:
        """The proxy that the system names for this address, if it is to be used."""
        return system_proxy(self.base_url) if self.uses_system_proxy and self.host else None

    @property
    def proxy_shown(self) -> str:
        """The proxy in use as a person reads it; empty without one."""
        system = self.system_proxy
        return system.shown if system is not None else SystemProxy(self.own_proxy).shown if self.own_proxy else ""

    @property
    def host(self) -> str:
        try:
            return urlsplit(self.base_url).hostname or ""
        except ValueError:
            return ""

    @property
    def is_openai(self) -> bool:
        return self.host == _OPENAI_HOST

    @property
    def is_configured(self) -> bool:
        """Return whether nothing is withheld and there is a key or the server needs none."""
        needs_key = self.is_openai if self.connection.needs_key is None else self.connection.needs_key
        return self.connection.withheld is None and (self.api_key is not None or not needs_key)

    @property
    def is_nearby(self) -> bool:
        """Return whether the host is this computer or in the local network, where models are slow to begin."""
        if self.is_on_this_machine or self.host.endswith((".local", ".lan", ".home.arpa", ".internal")):
            return True
        try:
            return ipaddress.ip_address(self.host).is_private
        except ValueError:
            return bool(self.host) and "." not in self.host

    @property
    def uses_system_proxy(self) -> bool:
        return self.connection.proxy is None and not self.is_on_this_machine

    @property
    def own_proxy(self) -> str | None:
        return self.connection.proxy or None

    @property
    def is_on_this_machine(self) -> bool:
        """Return whether the host is a loopback address, which is reached directly, never through a proxy."""
        return is_loopback(self.host)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The strings that must never be shown."""
        return tuple(value for value in (self.api_key, *self.headers.values()) if value)

    def problem(self) -> str | None:
        """Return a sentence about the fault of the address, the key or the headers; None without a fault."""
        try:
            parts = urlsplit(self.base_url)
            is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable or any(character.isspace() or not character.isprintable() for character in self.base_url):
            return Text("The base URL is not a web address.")
        if parts.username is not None or parts.password is not None:
            return Text("The base URL for {hostname} contains a user name or a password.", hostname=parts.hostname)
        if self.api_key is not None and not _can_be_sent(self.api_key):
            return Text("The API key contains characters that no key has.")
        for name, value in self.headers.items():
            if not name or not _can_be_sent(name) or ":" in name or " " in name or not _can_be_sent(value):
                return Text("One of the extra headers contains characters that cannot be sent.")
            if name.lower() == "host":  # a gateway would pass the key on to that host, without the person's consent
                return Text("The extra header Host names another server than the address.")
        proxy = self.system_proxy
        if proxy is not None and not proxy.is_usable:
            return Text(
                "The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy "
                "of this provider.",
                proxy=proxy.shown,
            )
        if self.connection.ca_file and not Path(self.connection.ca_file).is_file():
            return Text("The file of certificates is not there.")
        return None


def _address_and_query(address: str) -> tuple[str, dict[str, str]]:
    """Return an address without the name of a request at its end, and its query."""
    address, _, _fragment = address.partition("#")
    path, _, query = address.partition("?")
    path = _OF_OLLAMA.sub("/v1", path.rstrip("/"))
    return _REQUEST.sub("", path).rstrip("/"), dict(parse_qsl(query, keep_blank_values=True))


def shown_address(base_url: str) -> str:
    """Return ``base_url`` without a user name or password."""
    scheme, separator, rest = base_url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else base_url


def _can_be_sent(text: str) -> bool:
    return text.isascii() and text.isprintable()
