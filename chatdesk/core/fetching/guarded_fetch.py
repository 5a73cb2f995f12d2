"""Fetches addresses that a text or a model names, behind a guard: images that a reader asked for, web pages, answers of
search engines.

Names are resolved once and must lead into the open network, and the connection goes to the address that was checked.
Every redirect is checked in the same way. Bytes, unpacked ones too, and time are bounded. No cookie and no key of
another server is used. Through a proxy that the system names, which looks names up itself, a name that is unknown here
is left to the proxy; one that is known here must lead into the open network all the same.
"""

from __future__ import annotations

import http.client
import socket
import threading
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from chatdesk.core.fetching.addresses import AddressScope, address_scope, is_address, is_public_name
from chatdesk.core.fetching.connection import PORTS, Connection, port_of
from chatdesk.core.fetching.connection import FetchFailed as FetchFailed
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.core.settings.system_proxy import refusal_text, system_proxy, unusable_text
from chatdesk.core.texts import Text

_TOTAL_TIMEOUT_S = 30.0
_CHUNK_BYTES = 64 * 1024
_UNESCAPED = "/%:@!$&'()*+,;=~-._"
_REDIRECTS = (301, 302, 303, 307, 308)
# zlib finds out by itself whether it is gzip or zlib.
_PACKED, _ANY_WINDOW = ("gzip", "x-gzip", "deflate"), 47
_WRONG_KIND = Text("{who} sent something of another kind.")


@dataclass(frozen=True, slots=True)
class FetchRules:
    """The rules for one kind of thing. ``types`` are accepted and asked for; empty: all. ``wrong_kind`` is the sentence
    on another type, with the host as ``{who}``. ``stays`` keeps redirects on the host; without it other hosts are
    followed, each behind the same guard. ``may_be_packed`` asks for gzip."""

    max_bytes: int
    types: tuple[str, ...] = ()
    wrong_kind: Text = _WRONG_KIND
    schemes: tuple[str, ...] = ("https", "http")
    max_redirects: int = 3
    stays: bool = True
    may_be_packed: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: with a ``body`` it is a POST."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to an ``Ask``. ``url`` is the address after all redirects, ``mime`` is in lower case, ``charset``
    is unchanged."""

    url: str
    mime: str
    charset: str
    body: bytes = field(repr=False)


class RefusedByServer(FetchFailed):
    """The server answered with another ``status`` than 200."""

    code = "fetch_refused_by_server"

    def __init__(self, what: str, status: int) -> None:
        self.status = status
        super().__init__(what)


class PlaceElsewhere(FetchFailed):
    """The host redirects to another one: ``url`` is the new address, ``host`` its host."""

    code = "fetch_elsewhere"

    def __init__(self, what: str, url: str, host: str) -> None:
        self.url = url
        self.host = host
        super().__init__(what)


class PlaceInOwnNetwork(FetchFailed):
    """The address is in the reader's own network, where a request to ``host`` may do more than show something."""

    code = "fetch_in_own_network"

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        super().__init__(Text("{host} is in your own network.", host=host))


class GuardedFetcher:
    """Fetches on the calling threads; ``close`` aborts running fetches at once.

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

    def fetch(self, ask: Ask, rules: FetchRules, *, is_agreed: bool = False) -> Fetched:
        """Return the content of an address, kept in memory only; blocks for half a minute at most.

        ``is_agreed``: the reader has agreed to an address in their own network. Raises ``FetchFailed`` or one of its
        kinds.
        """
        request = _Request(ask, rules, self._scope_of, is_agreed=is_agreed)
        with self._lock:
            if self._is_closed:
                raise FetchFailed(Text("ChatDesk was closing."))
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
            request.abort()


class _Request:
    """A request for one thing, with all its redirects, on a thread of its own."""

    def __init__(
        self, ask: Ask, rules: FetchRules, scope_of: Callable[[str], AddressScope], *, is_agreed: bool
    ) -> None:
        self._ask = ask
        self._rules = rules
        self._place = _checked(ask.url, rules)
        self._scope_of = scope_of
        self._is_agreed = is_agreed
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_given_up = False
        self._found: Fetched | Exception = TimeoutError()

    def result_within(self, timeout_s: float) -> Fetched:
        threading.Thread(target=self._run, name="guarded fetch", daemon=True).start()
        self._ended.wait(timeout_s)
        self.abort()
        found = self._found
        if isinstance(found, Fetched):
            return found
        if isinstance(found, FetchFailed):
            raise found
        host = self._place.hostname
        if isinstance(found, TimeoutError):
            raise FetchFailed(Text("{host} did not answer in time.", host=host)) from found
        raise FetchFailed(Text("{host} did not give an answer that can be used.", host=host)) from found

    def abort(self) -> None:
        """Wake the caller, and end the thread by closing its connection."""
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
            found: Fetched | Exception = self._follow()
        except (OSError, http.client.HTTPException, ValueError, zlib.error, FetchFailed) as error:
            found = error
        with self._lock:
            self._socket = None
            if not self._is_given_up:
                self._found = found
        self._ended.set()

    def _follow(self) -> Fetched:
        rules = self._rules
        for _ in range(rules.max_redirects + 1):
            place = self._place
            found = self._get(place)
            if isinstance(found, Fetched):
                return found
            target = _checked(urljoin(place.geturl(), found), rules)
            is_same = target.hostname == place.hostname and port_of(target) in (port_of(place), PORTS["https"])
            if (rules.stays and not is_same) or (place.scheme, target.scheme) == ("https", "http"):
                host = target.hostname or ""
                raise PlaceElsewhere(
                    Text("The address leads to another server: {host}.", host=host),
                    target.geturl(),
                    host,
                )
            self._place = target
        host = self._place.hostname or ""
        if rules.max_redirects:
            raise FetchFailed(Text("{host} redirects in a circle.", host=host))
        raise FetchFailed(Text("{host} redirects to another address.", host=host))

    def _get(self, place: SplitResult) -> Fetched | str:
        """Return the answer, or the address that the server redirects to."""
        ask, rules = self._ask, self._rules
        proxy = system_proxy(place.geturl())
        if proxy is not None and urlsplit(proxy.address).scheme != "http":
            raise FetchFailed(unusable_text(proxy))
        addresses = self._addresses_of(place, is_known=proxy is None)
        connection = Connection(place, addresses, proxy, self.hold, lambda: self._is_given_up)
        try:
            target = quote(place.path or "/", safe=_UNESCAPED) + (
                "?" + quote(place.query, safe=_UNESCAPED + "?") if place.query else ""
            )
            headers = {
                "Accept": ", ".join(rules.types) or "*/*",
                "Accept-Encoding": "gzip, deflate" if rules.may_be_packed else "identity",
                "User-Agent": "ChatDesk",
                **ask.headers,
            }
            if proxy is not None and place.scheme == "http":
                target, headers = f"http://{place.netloc}{target}", {**headers, **connection.proxy_headers}
            connection.request("GET" if ask.body is None else "POST", target, body=ask.body, headers=headers)
            with connection.getresponse() as response:
                if proxy is not None and response.status == 407:
                    raise FetchFailed(refusal_text(proxy.shown, "407")[0])
                return _taken(response, place, rules)
        finally:
            connection.close()

    def _addresses_of(self, place: SplitResult, *, is_known: bool) -> list[str]:
        """Return the addresses to connect to, the first one that answers. A name may lead into the open network only;
        unless it has to be ``is_known`` here, a public one may have no addresses."""
        host = place.hostname or ""
        if is_address(host):
            scope = self._scope_of(host)
            if scope is AddressScope.PRIVATE and not self._is_agreed:
                raise PlaceInOwnNetwork(place.geturl(), host)
            if scope is AddressScope.CLOSED:
                raise FetchFailed(
                    Text(
                        "{host} is this computer or an address for machines only; nothing is loaded from there.",
                        host=host,
                    )
                )
            return [host]
        try:
            found = [str(each[4][0]) for each in socket.getaddrinfo(host, port_of(place), type=socket.SOCK_STREAM)]
        except OSError:
            if is_known or not is_public_name(host):
                raise
            return []
        if not found or not all(self._scope_of(each) is AddressScope.OPEN for each in found):
            raise FetchFailed(Text("{host} is in a private network.", host=host))
        return found


def _checked(url: str, rules: FetchRules) -> SplitResult:
    try:
        place = urlsplit(url)
        is_valid = place.scheme in rules.schemes and bool(place.hostname) and port_of(place) > 0
    except ValueError:
        is_valid = False
    if not is_valid or not is_safe_link(url):
        raise FetchFailed(Text("Nothing can be loaded from this address."))
    return place


def _taken(response: http.client.HTTPResponse, place: SplitResult, rules: FetchRules) -> Fetched | str:
    """Return the received content, or the address that the server redirects to."""
    if response.status in _REDIRECTS:
        return response.getheader("Location") or ""
    if response.status != 200:
        words = Text(
            "{hostname} answered with the error {status}.",
            hostname=place.hostname,
            status=str(response.status),
        )
        raise RefusedByServer(words, response.status)
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if rules.types and kind not in rules.types:
        raise FetchFailed(rules.wrong_kind.filled(who=place.hostname))
    charset = response.headers.get_content_charset("") if response.headers else ""
    return Fetched(place.geturl(), kind, charset, _read(response, rules))


def _read(response: http.client.HTTPResponse, rules: FetchRules) -> bytes:
    """Return the body, unpacked. A packed body may be as long as its unpacked form, and no longer."""
    body, arrived = bytearray(), 0
    packing = (response.getheader("Content-Encoding") or "").strip().lower()
    if packing not in ("", "identity") and not (rules.may_be_packed and packing in _PACKED):
        raise FetchFailed(Text("The data came compressed in a way that ChatDesk did not ask for."))
    unpacker = zlib.decompressobj(_ANY_WINDOW) if packing in _PACKED else None
    if (response.length or 0) > rules.max_bytes:
        raise _too_large(rules)
    while chunk := response.read1(_CHUNK_BYTES):
        arrived += len(chunk)
        body += chunk if unpacker is None else unpacker.decompress(chunk, rules.max_bytes - len(body) + 1)
        if max(len(body), arrived) > rules.max_bytes:
            raise _too_large(rules)
    if response.length or (unpacker is not None and not unpacker.eof):  # the connection ended before it did
        raise FetchFailed(Text("The data did not arrive completely."))
    return bytes(body)


def _too_large(rules: FetchRules) -> FetchFailed:
    return FetchFailed(Text("The data is larger than {max_bytes} MB.", max_bytes=str(rules.max_bytes // 1024 // 1024)))
