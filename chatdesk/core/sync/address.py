"""Reads and checks the address of a team's server, as a person types it or an invitation names it.

Only a host is accepted, never the path of a socket or a list of hosts: an invitation may come from a stranger, and
libpq interprets many other values.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import parse_qs, unquote, urlsplit

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text

DEFAULT_PORT = 5432
# ``disable`` is only ever a person's explicit choice.
TLS_MODES = frozenset(("verify-full", "disable"))
_LONGEST = 4096
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?")
_NAME = re.compile(r"[^\x00-\x1f\x7f=:/'\"\\]{1,63}")
_SCHEMES = ("postgres", "postgresql")
# Carrier-grade NAT (RFC 6598) is also what private networks over the internet use.
_LOCAL_ENDINGS = (".local", ".lan", ".home", ".internal", ".home.arpa", ".localdomain")
_ONLY_HERE = Text(
    "The invitation names the server “{host}”, which only this computer reaches. Give the workspace a "
    "name or IP address that others reach before you invite anybody: Settings, Team sync, Address."
)
_ONLY_NEAR = Text(
    "The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a"
    " way into it, such as a VPN."
)
_SHARED_SPACE = ipaddress.ip_network("100.64.0.0/10")


class AddressUnusable(InvalidInput):
    code = "team_address_unusable"
    what = Text("That is not the address of a Postgres database.")
    safe = Text("Nothing was sent.")
    next_step = Text(
        "It looks like postgresql://name:password@db.example.org:5432/team; the server's operator shows it."
    )


def read_address(text: str) -> tuple[ServerAddress, str]:
    """Return the address and the password (or an empty string) in a Postgres connection string. ``sslmode=disable``
    switches TLS off; every other mode becomes ``verify-full``. Raises ``AddressUnusable``."""
    wanted = text.strip().removeprefix("psql ").strip().strip("'\"")
    if not wanted or len(wanted) > _LONGEST:
        raise AddressUnusable
    try:
        parts = urlsplit(wanted)
        port = parts.port or DEFAULT_PORT
        given = (parts.hostname, parts.username, parts.password, parts.path[1:])
        host, user, password, database = (unquote(each or "", errors="strict") for each in given)
    except ValueError:
        raise AddressUnusable from None
    if parts.scheme not in _SCHEMES:
        raise AddressUnusable
    is_open = parse_qs(parts.query).get("sslmode") == ["disable"]
    address = ServerAddress(
        host=host, port=port, database=database, user=user, tls="disable" if is_open else "verify-full"
    )
    return checked_address(address), password


def checked_address(address: ServerAddress) -> ServerAddress:
    """Return the address unchanged. Raises ``AddressUnusable`` with a sentence about the first part that is invalid."""
    if not is_host(address.host):
        raise AddressUnusable(
            Text("“{host}” is neither the name nor the IP address of a server.", host=address.host[:80])
        )
    if not 1 <= address.port <= 65_535:
        raise AddressUnusable(Text("A port is a number from 1 to 65535."))
    if not _NAME.fullmatch(address.database):
        raise AddressUnusable(
            Text("The name of the database is missing, or has characters that ChatDesk does not accept.")
        )
    if not _NAME.fullmatch(address.user):
        raise AddressUnusable(
            Text("The name of the login is missing, or has characters that ChatDesk does not accept.")
        )
    if address.tls not in TLS_MODES:
        raise AddressUnusable(Text("ChatDesk does not know this kind of encryption."))
    return address


def is_host(host: str) -> bool:
    """Return whether ``host`` is a single host name or IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _HOST.fullmatch(host) is not None
    return "%" not in host


def is_private(host: str, port: int) -> bool:
    """Return whether a server is on this computer or in a private network. Blocks on the DNS lookup; false if the name
    is unknown."""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(_is_own(ipaddress.ip_address(each.split("%")[0])) for each in found)


def reach_text(host: str) -> str:
    """Return a warning for an invitation to a server that is reached from this computer or network only; empty for
    every other host."""
    name = host.strip("[]").rstrip(".").casefold()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if name == "localhost" or name.endswith(".localhost"):
            return _ONLY_HERE.format(host=host)
        is_local = "." not in name or name.endswith(_LOCAL_ENDINGS)
        return _ONLY_NEAR.format(host=host) if is_local else ""
    if address.is_loopback:
        return _ONLY_HERE.format(host=host)
    return _ONLY_NEAR.format(host=host) if _is_own(address) else ""


def _is_own(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address) and address in _SHARED_SPACE:
        return True
    return address.is_private or address.is_loopback or address.is_link_local
