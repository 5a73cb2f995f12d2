"""Reads pages that try to send something out, each in a way of its own (``tests/data/leaking_pages.txt``), and listens
whether one did.

In the file a line ``=== name`` begins a page; one that needs a click of a person is called ``click: name``. Each is
written for a host of its own: a name below ``localhost``, so that a log of the browser's network tells whose it was.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).parents[1] / "data" / "leaking_pages.txt"
_OK: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Content-Length: 2\r\nConnection: close\r\n\r\nok"
)
# Covers the page, so that a click anywhere meets it.
_OVER: Final = "position:fixed;inset:0;width:100vw;height:100vh"


@dataclass
class Canary:
    """Listens for connections and datagrams on loopback; ``heard`` are the first bytes of each."""

    tcp_port: int = 0
    udp_port: int = 0
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def canary() -> Iterator[Canary]:
    made = Canary()
    tcp = socket.create_server(("127.0.0.1", 0), backlog=100)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    made.tcp_port, made.udp_port = tcp.getsockname()[1], udp.getsockname()[1]
    threads = [threading.Thread(target=_accept, args=(tcp, made)), threading.Thread(target=_receive, args=(udp, made))]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        with socket.create_connection(("127.0.0.1", made.tcp_port)) as last:
            last.sendall(b"end")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", ("127.0.0.1", made.udp_port))
        for thread in threads:
            thread.join()
        tcp.close()
        udp.close()


def _accept(server: socket.socket, made: Canary) -> None:
    while True:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(0.3)
            try:
                first = connection.recv(4096)
            except OSError:
                first = b""  # opened, and nothing was said: that a name was used is enough
            if first == b"end":
                return
            made.heard.append(first[:200])
            try:
                connection.sendall(_OK)
            except OSError:
                continue


def _receive(server: socket.socket, made: Canary) -> None:
    while (first := server.recv(4096)) != b"end":
        made.heard.append(first[:40])


def leaking_pages() -> dict[str, str]:
    """Return the pages by name, with places for what ``aimed`` fills in."""
    found = re.split(r"^=== (.+)\n", _FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def aimed(page: str, at: str, *, udp_port: int) -> str:
    """Return a page that tries to reach the host and port ``at``, or a port for datagrams on this computer."""
    places = {"$URL": f"http://{at}/", "$HOST": at, "$OVER": _OVER, "$UDP": str(udp_port)}
    for place, value in places.items():
        page = page.replace(place, value)
    return page
