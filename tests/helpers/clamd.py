"""A are-in for clamd that speaks its protocol, well or badly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# What the are-in takes for a virus.
SIGNATURE: Final = b"A-SIGNATURE-OF-OUR-OWN"


@dataclass
class FakeClamd:
    """``how``: empty for an honest scanner, else ``garbage``, ``hang-up``, ``flood``, ``too-large`` or ``silent``."""

    address: str
    how: str = ""
    scanned: list[bytes] = field(default_factory=list)

    def answer(self, caller: socket.socket) -> None:
        caller.settimeout(20)
        with caller, caller.makefile("rwb") as stream, suppress(OSError):
            if self.how == "hang-up":
                return
            assert stream.read(len(b"zINSTREAM\0")) == b"zINSTREAM\0"
            if self.how == "too-large":
                caller.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
            received = b""
            while size := int.from_bytes(stream.read(4), "big"):
                received += stream.read(size)
            self.scanned.append(received)
            if self.how == "silent":
                stream.read(1)
            elif self.how == "garbage":
                caller.sendall(b"\xff\xfe what?\0")
            elif self.how == "flood":
                caller.sendall(b"x" * 1_000_000)
            elif SIGNATURE in received:
                caller.sendall(b"stream: Own.\x1b[31mTest\xe2\x80\xae FOUND\0")
            else:
                caller.sendall(b"stream: OK\0")


@contextmanager
def fake_clamd(folder: Path, how: str = "", *, is_local: bool = True) -> Iterator[FakeClamd]:
    """Serve on a socket of the folder, or by TCP on loopback."""
    if is_local:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(str(folder / "clamd.ctl"))
        listening.listen()
        address = str(folder / "clamd.ctl")
    else:
        listening = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    clamd = FakeClamd(address, how)
    threads: list[threading.Thread] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listening.accept()
                threads.append(threading.Thread(target=clamd.answer, args=(caller,)))
                threads[-1].start()

    accepting = threading.Thread(target=serve)
    accepting.start()
    try:
        yield clamd
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(20)
        for each in threads:
            each.join(20)
