"""Fetches an image that a message names, after the reader has asked for exactly that. Nothing else calls this.

What a message says must not make this program talk to a printer, a router or a metadata service: names are resolved
once and must lead into the open network, an address in the reader's own network is asked about once more, and the
connection goes to the address that was checked. A host that sends the reader on to another one is named, and has to be
asked for as well.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.rendering.safety import is_safe_link

MAX_IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_STEP_TIMEOUT_S = 10.0
_TOTAL_TIMEOUT_S = 30.0
_MAX_REDIRECTS = 3
_CHUNK_BYTES = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
)
# Addresses with one of IPv4 inside, which some gateway may send on to: mapped, compatible, translated, 6to4, Teredo.
_EMBEDDING = tuple(
    ipaddress.ip_network(each)
    for each in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
# Networks without IPv4 reach all of it this way, and their name servers give such addresses (RFC 6052).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class AddressScope(StrEnum):
    """The network that an address belongs to. ``OPEN``: the open network. ``PRIVATE``: the reader's own network, to
    which they may agree. ``CLOSED``: this computer, its neighbours on the wire, services for machines: no message has a
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


class ImageNotLoaded(ChatDeskError):
    code = "image_not_loaded"
    what = "The image could not be loaded."
    safe = ""
    next_step = ""


class ImageElsewhere(ImageNotLoaded):
    """The host redirects to another one: ``url`` is the new address, ``host`` its host."""

    code = "image_elsewhere"

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        super().__init__(f"The image is at another place: {host}.")


class ImageInOwnNetwork(ImageNotLoaded):
    """The image is in the reader's own network, where a request to ``host`` may do more than show an image."""

    code = "image_in_own_network"

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        super().__init__(f"{host} is in your own network.")


class ImageFetcher:
    """Fetches images on the calling threads; ``close`` gives up what is under way, at once.

    Each request runs on a thread of its own that is abandoned when its time is over: looking up a name and answers that
    come letter by letter hold up nobody. ``scope_of`` classifies addresses; tests put loopback into the open network.
    """

    def __init__(
        self, *, timeout_s: float = _TOTAL_TIMEOUT_S, scope_of: Callable[[str], AddressScope] = address_scope
    ) -> None:
        self._timeout_s = timeout_s
        self._scope_of = scope_of
        self._lock = threading.Lock()
        self._running: set[_Request] = set()
        self._is_closed = False

    def fetch(self, url: str, *, is_agreed: bool = False) -> bytes:
        """Return the bytes at ``url``, kept in memory only; blocks for half a minute at most.

        ``is_agreed``: the reader has agreed to an address in their own network. Raises ``ImageInOwnNetwork``,
        ``ImageElsewhere`` or ``ImageNotLoaded``.
        """
        request = _Request(_checked(url), self._scope_of, is_agreed=is_agreed)
        with self._lock:
            if self._is_closed:
                raise ImageNotLoaded("ChatDesk was closing.")
            self._running.add(request)
        try:
            return request.result_within(self._timeout_s)
        finally:
            with self._lock:
                self._running.discard(request)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            running = tuple(self._running)
        for request in running:
            request.give_up()


class _Request:
    """A request for one image, with all its redirects, on a thread of its own."""

    def __init__(self, place: SplitResult, scope_of: Callable[[str], AddressScope], *, is_agreed: bool) -> None:
        self._place = place
        self._scope_of = scope_of
        self._is_agreed = is_agreed
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_given_up = False
        self._found: bytes | Exception = TimeoutError()

    def result_within(self, timeout_s: float) -> bytes:
        threading.Thread(target=self._run, name="image", daemon=True).start()
        self._ended.wait(timeout_s)
        self.give_up()
        found = self._found
        if isinstance(found, bytes):
            return found
        if isinstance(found, ImageNotLoaded):
            raise found
        reason = "in time" if isinstance(found, TimeoutError) else "as it should"
        raise ImageNotLoaded(f"{self._place.hostname} did not answer {reason}.") from found

    def give_up(self) -> None:
        """Wake whoever waits, and end the thread by closing its connection."""
        with self._lock:
            self._is_given_up = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
        self._ended.set()

    def hold(self, connected: socket.socket) -> None:
        with self._lock:
            self._socket = connected
            if self._is_given_up:
                raise TimeoutError

    def _run(self) -> None:
        try:
            found: bytes | Exception = self._follow()
        except (OSError, http.client.HTTPException, ValueError, ImageNotLoaded) as error:
            found = error
        with self._lock:
            self._socket = None
            if not self._is_given_up:
                self._found = found
        self._ended.set()

    def _follow(self) -> bytes:
        for _ in range(_MAX_REDIRECTS + 1):
            place = self._place
            found = self._get(place)
            if isinstance(found, bytes):
                return found
            target = _checked(urljoin(place.geturl(), found))
            is_same = target.hostname == place.hostname and _port(target) in (_port(place), _PORTS["https"])
            if not is_same or (place.scheme, target.scheme) == ("https", "http"):
                raise ImageElsewhere(target.geturl(), target.hostname or "")
            self._place = target
        raise ImageNotLoaded(f"{self._place.hostname} sends in circles.")

    def _get(self, place: SplitResult) -> bytes | str:
        """Return the image, or the address that the server redirects to."""
        connection = _Connection(place, self._address_of(place), self.hold)
        try:
            target = quote(place.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
                "?" + quote(place.query, safe="/%:@!$&'()*+,;=~-._?") if place.query else ""
            )
            headers = {"Accept": ", ".join(IMAGE_TYPES), "Accept-Encoding": "identity", "User-Agent": "ChatDesk"}
            connection.request("GET", target, headers=headers)
            with connection.getresponse() as response:
                return _taken(response, place)
        finally:
            connection.close()

    def _address_of(self, place: SplitResult) -> str:
        """Return the address to connect to. A name may lead into the open network only."""
        host = place.hostname or ""
        if is_address(host):
            scope = self._scope_of(host)
            if scope is AddressScope.PRIVATE and not self._is_agreed:
                raise ImageInOwnNetwork(place.geturl(), host)
            if scope is AddressScope.CLOSED:
                raise ImageNotLoaded(f"{host} is this computer or serves machines; no image is loaded from there.")
            return host
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, _port(place), type=socket.SOCK_STREAM)]
        if not found or not all(self._scope_of(each) is AddressScope.OPEN for each in found):
            raise ImageNotLoaded(f"{host} is a place in a private network.")
        return found[0]


def _checked(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        is_valid = place.scheme in _PORTS and bool(place.hostname) and _port(place) > 0
    except ValueError:
        is_valid = False
    if not is_valid or not is_safe_link(url):
        raise ImageNotLoaded("The address of the image is not one that can be loaded.")
    return place


def _port(place: SplitResult) -> int:
    return place.port or _PORTS[place.scheme]


def _taken(response: http.client.HTTPResponse, place: SplitResult) -> bytes | str:
    """Return the image, or the address that the server redirects to."""
    if response.status in (301, 302, 303, 307, 308):
        return response.getheader("Location") or ""
    if response.status != 200:
        raise ImageNotLoaded(f"{place.hostname} answered with {response.status} instead of the image.")
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind not in IMAGE_TYPES:
        raise ImageNotLoaded(f"What {place.hostname} has there is not an image that can be shown.")
    return _read(response)


def _read(response: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    if (response.length or 0) > MAX_IMAGE_BYTES:
        raise _too_large()
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_IMAGE_BYTES:
            raise _too_large()
    if response.length:  # the connection ended before the image did
        raise ImageNotLoaded("The image did not arrive whole.")
    return bytes(body)


def _too_large() -> ImageNotLoaded:
    return ImageNotLoaded(f"The image is larger than {MAX_IMAGE_BYTES // 1024 // 1024} MB.")


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was checked, under the name that was asked for. It uses no proxy of the
    environment."""

    def __init__(self, place: SplitResult, address: str, hold: Callable[[socket.socket], None]) -> None:
        super().__init__(place.hostname or "", _port(place), timeout=_STEP_TIMEOUT_S)
        self.default_port = _PORTS[place.scheme]
        self._address = address
        self._hold = hold
        self._is_secure = place.scheme == "https"

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), _STEP_TIMEOUT_S)
        self._hold(self.sock)
        if self._is_secure:
            context = ssl.create_default_context()
            secure = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = secure
            self._hold(secure)
            secure.do_handshake()
