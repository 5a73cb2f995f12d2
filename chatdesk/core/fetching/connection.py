"""Opens the connections of the guarded fetches: to one of the addresses that were checked, or through a proxy."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.system_proxy import SystemProxy, refusal_text
from chatdesk.core.texts import Text

PORTS: Final = {"http": 80, "https": 443}
_STEP_S: Final = 10.0


class FetchFailed(ChatDeskError):
    code = "fetch_failed"
    what = Text("It could not be loaded.")
    safe = ""
    next_step = ""


def port_of(place: SplitResult) -> int:
    return place.port or PORTS[place.scheme]


class Connection(http.client.HTTPConnection):
    """A connection to the first of some addresses that answers, all of which were checked, under the name that was
    asked for, or through a proxy."""

    def __init__(
        self,
        place: SplitResult,
        addresses: Sequence[str],
        proxy: SystemProxy | None,
        hold: Callable[[socket.socket], None],
        is_given_up: Callable[[], bool],
    ) -> None:
        super().__init__(place.hostname or "", port_of(place), timeout=_STEP_S)
        self.default_port = PORTS[place.scheme]
        self._addresses = addresses
        self._proxy = proxy
        self._hold = hold
        self._is_given_up = is_given_up
        self._is_secure = place.scheme == "https"

    @property
    def proxy_headers(self) -> dict[str, str]:
        """Return the headers that authenticate to the proxy."""
        parts = urlsplit(self._proxy.address if self._proxy is not None else "")
        if parts.username is None:
            return {}
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Proxy-Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}

    def connect(self) -> None:
        if self._proxy is None:
            self._connect_directly()
        else:
            self._connect_through(self._proxy)
        if self._is_secure:
            context = ssl.create_default_context()
            secure = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = secure
            self._hold(secure)
            secure.do_handshake()

    def _connect_through(self, proxy: SystemProxy) -> None:
        parts = urlsplit(proxy.address)
        try:
            self.sock = socket.create_connection((parts.hostname, parts.port or PORTS["http"]), _STEP_S)
        except OSError as error:
            raise FetchFailed(refusal_text(proxy.shown, "")[0]) from error
        self._hold(self.sock)
        if self._is_secure:
            place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
            lines = (f"CONNECT {place} HTTP/1.1", f"Host: {place}", *map(": ".join, self.proxy_headers.items()))
            self.sock.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))
            answer = http.client.HTTPResponse(self.sock, method="CONNECT")
            answer.begin()
            answer.close()
            if answer.status != 200:
                raise FetchFailed(refusal_text(proxy.shown, str(answer.status))[0])

    def _connect_directly(self) -> None:
        for address in self._addresses:
            try:
                self.sock = socket.create_connection((address, self.port), _STEP_S)
                break
            except OSError:  # one of IPv6 where only IPv4 goes out, or a server that listens on the other
                if address == self._addresses[-1] or self._is_given_up():
                    raise
        self._hold(self.sock)
