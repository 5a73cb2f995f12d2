"""Serves HTML to the person's own browser, from an address of this computer that is read once.

Each page has a server of its own, on a thread, for some seconds: bound to 127.0.0.1, with an unguessable path, and only
for requests that name this very address. It ends when the page was read, when its time is over, or with ChatDesk.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final

from chatdesk.core.attachments import sandboxed_page

_log = logging.getLogger(__name__)

LIFE_S: Final = 30.0
_REQUEST_S: Final = 5.0
_MOST_AT_ONCE: Final = 8
_MOST_CONNECTIONS: Final = 16


class SandboxedPages:
    """The pages that wait to be read by a browser. ``life_s`` is how long each waits."""

    def __init__(self, *, life_s: float = LIFE_S) -> None:
        self._life_s = life_s
        self._open: list[_PageServer] = []

    async def serve(self, text: str, title: str = "Page of an answer") -> str:
        """Return the address at which a browser finds the page. Raises ``InvalidInput``, and ``OSError`` where no
        address can be had."""
        page = await asyncio.to_thread(lambda: sandboxed_page.sandboxed(sandboxed_page.checked(text)))
        server = _PageServer(page, title, self._life_s)
        self._open = [each for each in self._open if not each.is_closed]
        for oldest in self._open[: max(0, len(self._open) + 1 - _MOST_AT_ONCE)]:
            oldest.close()
        self._open.append(server)
        server.start()
        return server.address

    def close(self) -> None:
        """End all servers."""
        for server in self._open:
            server.close()
        self._open.clear()


class _PageServer:
    def __init__(self, page: bytes, title: str, life_s: float) -> None:
        self._http = _Server(self)
        self.host = f"127.0.0.1:{self._http.server_address[1]}"
        origin = f"http://{self.host}"
        frame_path, page_path = (f"/{secrets.token_urlsafe(32)}" for _each in range(2))
        self.address = origin + frame_path
        self._lock = threading.Lock()
        self._left: dict[str, tuple[str, bytes, Mapping[str, str]]] = {
            frame_path: (
                "document",
                sandboxed_page.frame(page_path, title),
                sandboxed_page.frame_headers(origin, page_path),
            ),
            page_path: ("iframe", page, sandboxed_page.page_headers(origin)),
        }
        self._page_path = page_path
        self._timer = threading.Timer(life_s, self.close)
        self._timer.daemon = True
        self.is_closed = False

    def start(self) -> None:
        threading.Thread(target=self._http.serve_forever, args=(0.2,), name="page for a browser", daemon=True).start()
        self._timer.start()

    def close(self) -> None:
        with self._lock:
            if self.is_closed:
                return
            self.is_closed = True
            self._left.clear()
        self._timer.cancel()
        threading.Thread(target=self._end, name="end of a page for a browser", daemon=True).start()

    def _end(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def pop_answer(self, path: str, headers: Any) -> tuple[bytes, Mapping[str, str], bool] | None:
        """Return the answer to a request, its headers and whether it is the last one; None without one. Each file is
        given once."""
        if headers.get_all("Host") != [self.host]:
            return None
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return None
        with self._lock:
            found = next((each for each in self._left if hmac.compare_digest(each.encode(), path.encode())), None)
            if found is None or headers.get("Sec-Fetch-Dest", self._left[found][0]) != self._left[found][0]:
                return None
            _kind, body, more = self._left.pop(found)
        return body, more, found == self._page_path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = _MOST_CONNECTIONS

    def __init__(self, page: _PageServer) -> None:
        self.page = page
        self._slots = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__(("127.0.0.1", 0), _Request)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # not HTTPServer's, which looks up the name of this computer
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("a connection to a page broke off")


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout = _REQUEST_S
    server_version, sys_version = "ChatDesk", ""

    def do_GET(self) -> None:
        """Answer with the page that is left under the path, or with nothing."""
        found = self.server.page.pop_answer(self.path, self.headers)
        self.close_connection = True
        if found is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, headers, is_last = found
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if is_last:
            self.server.page.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Log nothing: a line would have the path."""
