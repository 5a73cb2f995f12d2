"""Finds the network of an address, so that a link in a text cannot make this program connect to a printer, a router or
a metadata service."""

from __future__ import annotations

import ipaddress
from enum import StrEnum

_PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
)
# Addresses with one of IPv4 inside, which some gateway may send on to: mapped, compatible, translated, 6to4, Teredo.
_EMBEDDING = tuple(
    ipaddress.ip_network(each)
    for each in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
# NAT64: networks without IPv4 reach it under this prefix, and their name servers return such addresses (RFC 6052).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class AddressScope(StrEnum):
    """The network that an address belongs to. ``OPEN``: the open network. ``PRIVATE``: the reader's own network, to
    which they may agree. ``CLOSED``: this computer, its neighbours on the wire, services for machines: no text has a
    reason to name those."""

    OPEN = "open"
    PRIVATE = "private"
    CLOSED = "closed"


def is_address(host: str) -> bool:
    """Return whether ``host`` is an address itself, not a name that has to be looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public_name(host: str) -> bool:
    """Return whether a name that cannot be looked up here may be one of the internet."""
    return "." in host and not host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))


def address_scope(address: str) -> AddressScope:
    """Return the network of ``address``, which may have a zone. Raises ``ValueError`` for an invalid address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6 and found in _TRANSLATED:
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        return AddressScope.OPEN if address_scope(str(inner)) is AddressScope.OPEN else AddressScope.CLOSED
    if any(found in each for each in _EMBEDDING if each.version == found.version):
        return AddressScope.CLOSED
    if any(found in each for each in _PRIVATE if each.version == found.version):
        return AddressScope.PRIVATE
    return (
        AddressScope.OPEN
        if found.is_global and not found.is_multicast and not found.is_reserved
        else AddressScope.CLOSED
    )


def any_scope(_address: str) -> AddressScope:
    """Return ``OPEN`` for every address: for a server that the person named themselves, wherever it is."""
    return AddressScope.OPEN
