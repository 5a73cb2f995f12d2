"""Describes a server (address, key, headers and connection options) and checks the description before use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from chatdesk.core.domain.key_origin import is_loopback
from chatdesk.core.texts import Text

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

    @classmethod
    def of(
        cls,
        base_url: str | None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        connection: ConnectionOptions | None = None,
    ) -> Endpoint:
        """Return an endpoint with spaces and trailing slashes removed; an empty address means OpenAI. A missing ``/v1``
        stays missing, for some servers have none.
        """
        address = (base_url or "").strip().rstrip("/") or OPENAI_BASE_URL
        return cls(address, (api_key or "").strip() or None, dict(headers or {}), connection or ConnectionOptions())

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
        """Return a sentence that says what is wrong with the address, the key or the headers; None if nothing is."""
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
        if self.connection.ca_file and not Path(self.connection.ca_file).is_file():
            return Text("The file of certificates is not there.")
        return None


def shown_address(base_url: str) -> str:
    """Return ``base_url`` without a user name or password."""
    scheme, separator, rest = base_url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if separator else base_url


def _can_be_sent(text: str) -> bool:
    return text.isascii() and text.isprintable()
