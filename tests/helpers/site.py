"""A web server on loopback, for tests of everything that is fetched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chatdesk.core.fetching.addresses import AddressScope, address_scope

Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """``answers`` by path (without the query), ``asked`` in order, with ``headers`` and ``bodies``."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.headers.append(dict(self.headers.items()))
                site.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                answer = site.answers.get(self.path) or site.answers.get(self.path.partition("?")[0])
                try:
                    (answer or missing)(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_POST = do_GET

            def log_message(self, *_arguments: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server.server_port}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def sent(body: bytes, kind: str, *, status: int = 200, length: int | None = None, **headers: str) -> Answer:
    """Answer with a body; ``headers`` have underscores in place of hyphens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if kind:
            handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirect(target: str) -> Answer:
    return sent(b"", "", status=302, Location=target)


missing = sent(b"not here", "text/plain", status=404)


def endless(kind: str, piece: bytes) -> Answer:
    """Answer with a body that never ends and whose length is not said."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        while True:
            handler.wfile.write(piece)

    return answer


def as_open(address: str) -> AddressScope:
    """As it is, but that the server on loopback stands for one in the open network."""
    return AddressScope.OPEN if address in ("127.0.0.1", "::1") else address_scope(address)
