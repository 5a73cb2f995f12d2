"""Finds the proxy that the system names for an address, and the setting that names it, so that its failures can be told
from the server's. All requests that leave this computer follow it: to models, tool servers and the web."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from chatdesk.core.domain.key_origin import is_loopback
from chatdesk.core.texts import Text

# The protocols of proxies that the HTTP client supports. SOCKS would need another package.
_USABLE: Final = ("http", "https")
_VARIABLES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class SystemProxy:
    """A proxy and the place where it is named: an environment variable, or empty for the desktop's settings."""

    address: str
    variable: str = ""

    @property
    def is_usable(self) -> bool:
        try:
            parts = urlsplit(self.address)
            return parts.scheme in _USABLE and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False

    @property
    def shown(self) -> str:
        """The address without a user name or password, and where it is named."""
        scheme, separator, rest = self.address.rpartition("://")
        address = f"{scheme}{separator}{rest.rpartition('@')[2]}"
        return f"{self.variable}={address}" if self.variable else address


def system_proxy(url: str) -> SystemProxy | None:
    """Return the proxy that the system names for ``url``: the first one that can be used, else the first; None if it
    names none, as for this computer's own addresses."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        is_direct = not parts.hostname or is_loopback(parts.hostname) or urllib.request.proxy_bypass(host)
        found = [] if is_direct else list(_named(parts.scheme))
    except ValueError:
        return None  # no address at all
    return next((each for each in found if each.is_usable), found[0] if found else None)


def proxy_variables() -> dict[str, str]:
    """Return the variables that name proxies, for a process of ChatDesk's own that sends requests."""
    return {name: value for name, value in os.environ.items() if name.lower() in _VARIABLES}


def unusable_text(proxy: SystemProxy) -> str:
    """Return the sentence about a proxy of a kind that is not spoken."""
    return Text("The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.", proxy=proxy.shown)


def _named(scheme: str) -> Iterator[SystemProxy]:
    proxies = urllib.request.getproxies()
    for name in (scheme, "all"):
        address = (proxies.get(name) or "").strip()
        if address:
            variable = next((each for each in (f"{name}_proxy", f"{name}_proxy".upper()) if each in os.environ), "")
            yield SystemProxy(address if "://" in address else f"http://{address}", variable)


def refusal_text(shown: str, answer: str) -> tuple[str, str]:
    """Return the sentence about a proxy that did not let a request through, and the next step. ``answer`` is what it
    said, which begins with a status; empty if it did not answer."""
    if answer.startswith("407"):
        return (
            Text("The proxy wants a user name and a password: {proxy}. Nothing was sent.", proxy=shown),
            Text("Write them into its address, as in http://name:password@proxy:3128."),
        )
    if answer[:3].isdigit():
        return (
            Text("The proxy let nothing through ({answer}): {proxy}.", answer=answer[:3], proxy=shown),
            Text("Ask who runs it, or set the proxy of this provider in Settings, Providers."),
        )
    return (
        Text("The proxy could not be reached: {proxy}. Nothing was sent.", proxy=shown),
        Text("Check the proxy, or set the proxy of this provider in Settings, Providers."),
    )
