"""Fetching an image that a message names, after the reader has asked for exactly that. Nothing else calls this.

What a message says must not make this program talk to a printer, a router or a metadata service: names are resolved
once, private addresses are refused unless the URL itself spells the address, and the connection goes to the address
that was checked. A host that sends the reader on to another one is named, and has to be asked for as well.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from chatdesk.core.errors import ChatDeskError

MAX_IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_STEP_TIMEOUT_S = 10.0
_TOTAL_TIMEOUT_S = 30.0
_MAX_REDIRECTS = 3
_CHUNK_BYTES = 64 * 1024
_PORTS = {"http": 80, "https": 443}


class ImageNotLoaded(ChatDeskError):
    code = "image_not_loaded"
    what = "The image could not be loaded."
    safe = ""
    next_step = ""


class ImageElsewhere(ImageNotLoaded):
    """The host sends the reader on: ``url`` is at another one, ``host``."""

    code = "image_elsewhere"

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        super().__init__(f"The image is at another place: {host}.")


def fetch_image(url: str, *, now: Callable[[], float] = time.monotonic) -> bytes:
    """The bytes at ``url``, kept in memory only. Blocks, at most half a minute: call it on a thread.

    Raises ``ImageElsewhere`` or ``ImageNotLoaded``.
    """
    deadline = now() + _TOTAL_TIMEOUT_S
    place = _checked(url)
    for _ in range(_MAX_REDIRECTS + 1):
        try:
            found = _get(place, deadline, now)
        except (OSError, http.client.HTTPException) as error:
            reason = "in time" if isinstance(error, TimeoutError) else "as it should"
            raise ImageNotLoaded(f"{place.hostname} did not answer {reason}.") from error
        if isinstance(found, bytes):
            return found
        target = _checked(urljoin(place.geturl(), found))
        is_same = target.hostname == place.hostname and _port(target) in (_port(place), _PORTS["https"])
        if not is_same or (place.scheme, target.scheme) == ("https", "http"):
            raise ImageElsewhere(target.geturl(), target.hostname or "")
        place = target
    raise ImageNotLoaded(f"{place.hostname} sends in circles.")


def _checked(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        is_valid = place.scheme in _PORTS and bool(place.hostname) and _port(place) > 0
    except ValueError:
        is_valid = False
    if not is_valid or any(sign <= " " for sign in url):
        raise ImageNotLoaded("The address of the image is not one that can be loaded.")
    return place


def _port(place: SplitResult) -> int:
    return place.port or _PORTS[place.scheme]


def _get(place: SplitResult, deadline: float, now: Callable[[], float]) -> bytes | str:
    """The image, or where it has gone."""
    connection = _Connection(place)
    try:
        target = quote(place.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
            "?" + quote(place.query, safe="/%:@!$&'()*+,;=~-._?") if place.query else ""
        )
        headers = {"Accept": ", ".join(IMAGE_TYPES), "Accept-Encoding": "identity", "User-Agent": "ChatDesk"}
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        if response.status in (301, 302, 303, 307, 308):
            return response.getheader("Location") or ""
        if response.status != 200:
            raise ImageNotLoaded(f"{place.hostname} answered with {response.status} instead of the image.")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if kind not in IMAGE_TYPES:
            raise ImageNotLoaded(f"What {place.hostname} has there is not an image that can be shown.")
        return _read(response, deadline, now)
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse, deadline: float, now: Callable[[], float]) -> bytes:
    body = bytearray()
    if (response.length or 0) > MAX_IMAGE_BYTES:
        raise _too_large()
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_IMAGE_BYTES:
            raise _too_large()
        if now() > deadline:
            raise TimeoutError
    if response.length:  # the connection ended before the image did
        raise ImageNotLoaded("The image did not arrive whole.")
    return bytes(body)


def _too_large() -> ImageNotLoaded:
    return ImageNotLoaded(f"The image is larger than {MAX_IMAGE_BYTES // 1024 // 1024} MB.")


class _Connection(http.client.HTTPConnection):
    """To an address that was checked, under the name that was asked for. No proxy of the environment is used."""

    def __init__(self, place: SplitResult) -> None:
        super().__init__(place.hostname or "", _port(place), timeout=_STEP_TIMEOUT_S)
        self.default_port = _PORTS[place.scheme]
        self._is_secure = place.scheme == "https"

    def connect(self) -> None:
        address = _address_of(self.host, self.port)
        self.sock = socket.create_connection((address, self.port), _STEP_TIMEOUT_S)
        if self._is_secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _address_of(host: str, port: int) -> str:
    """The address to connect to. A name may only lead into the open network; an address that is spelt may be any."""
    if _is_spelt(host):
        return host
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(ipaddress.ip_address(each.partition("%")[0]).is_global for each in found):
        raise ImageNotLoaded(f"{host} is a place in a private network.")
    return found[0]


def _is_spelt(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
