"""Asks clamd, where a person has named one, whether a file may come in.

The protocol is clamd's own (INSTREAM): the bytes in pieces with their lengths, then one line with the verdict.
Everything here waits for the scanner; call it on a thread.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.domain.key_origin import is_loopback
from chatdesk.core.errors import AttachmentUnusable
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.paths import make_private_folder
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.system.processes import environment
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_PIECE_BYTES: Final = 64 * 1024
_WHOLE_S: Final = 60.0
# Where files come in unscanned, an import of thousands waits once for a scanner that is silent, not once a file.
_NOT_ASKED_S: Final = 60.0
_LONGEST_VERDICT_BYTES: Final = 4_096
_LONGEST_NAME: Final = 80
_MOST_CLEAN: Final = 10_000
# Names a scanner for one run.
VARIABLE: Final = "CHATDESK_VIRUS_SCANNER"


class FileInfected(AttachmentUnusable):
    code = "file_infected"
    what = Text("The virus scanner found something in the file.")
    safe = Text("The file was kept out; your text and the other attachments are kept.")
    next_step = Text("Do not open the file. If you trust it, ask whoever looks after the scanner.")


class FileNotScanned(AttachmentUnusable):
    code = "file_not_scanned"
    what = Text("The virus scanner does not answer, so the file was kept out.")
    safe = Text("Your text and the other attachments are kept.")
    next_step = Text(
        "Start the scanner, or change the scanner or what happens without it in Settings, Data and backup."
    )


class ScannerNotAgreed(FileNotScanned):
    code = "scanner_not_agreed"
    safe = Text("Nothing was sent there. The file was kept out; your text and the other attachments are kept.")
    next_step = Text(
        "Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.", variable=VARIABLE
    )

    def __init__(self, address: str) -> None:
        super().__init__(
            Text(
                "The settings in this data directory, which may be somebody else's, name a virus scanner on another"
                " computer: {address}.",
                address=clean_line(address)[:_LONGEST_NAME],
            )
        )


@dataclass(frozen=True, slots=True)
class ScanRules:
    """The scanner for viruses, and the rule for files that it cannot scan. ``address`` is the path of clamd's socket or
    ``host:port``; empty: nothing is scanned. ``is_strict``: a file that cannot be scanned is kept out."""

    address: str = ""
    is_strict: bool = True


class VirusScan:
    """Scans files by the rules that are in force. Safe to use from any thread."""

    def __init__(self, rules: ScanRules | None = None, *, agreed: Callable[[], Path] | None = None) -> None:
        """Scan by ``rules``. ``agreed`` returns the file with the scanner that this person named, if the first rules
        may be another's; None: they are this person's."""
        self._rules = rules or ScanRules()
        self._agreed = agreed
        self._given: str | None = None  # the address that the settings had at the start of this run
        self._is_first = True
        self._clean: dict[str, None] = {}
        self._silent_until_s = 0.0

    def use(self, rules: ScanRules) -> None:
        """Scan by other rules from now on; files that were clean for another scanner are scanned again."""
        if self._is_first:
            self._given, self._is_first = rules.address, False
        elif rules.address != self._given:
            self._given = None
        if rules != self._rules:
            self._rules, self._clean, self._silent_until_s = rules, {}, 0.0

    def check(self, path: Path, sha256: str) -> None:
        """Have a file scanned, unless its bytes were clean before in this run. Raises ``FileInfected`` and, where the
        rules are strict, ``FileNotScanned``."""
        rules, clean = self._rules, self._clean
        is_silent = not rules.is_strict and time.monotonic() < self._silent_until_s
        if not rules.address or sha256 in clean or is_silent:
            return
        if not self._may_ask(rules.address):
            _log.warning("a file was not scanned: nobody has agreed to the scanner")
            if rules.is_strict:
                raise ScannerNotAgreed(rules.address)
            return
        try:
            found = _asked(rules.address, path)
        except (OSError, ValueError) as error:
            _log.warning("a file was not scanned: %s", type(error).__name__)
            if isinstance(error, OSError):
                self._silent_until_s = time.monotonic() + _NOT_ASKED_S
            if rules.is_strict:
                raise FileNotScanned from error
            return
        if found:
            raise FileInfected(Text("The virus scanner found “{found}” in the file.", found=found))
        while len(clean) >= _MOST_CLEAN:
            clean.pop(next(iter(clean)), None)
        clean[sha256] = None

    def _may_ask(self, address: str) -> bool:
        """Return whether a scanner is on this computer, or was named by this person, which is kept for later runs."""
        if self._agreed is None or _is_here(address) or address == environment().get(VARIABLE):
            return True
        kept = self._agreed()
        try:
            is_agreed = read_small_file(kept, _LONGEST_VERDICT_BYTES).decode("utf-8", "replace") == address
        except (OSError, ValueError):
            is_agreed = False
        if not is_agreed and address != self._given:
            is_agreed = True
            with suppress(OSError):
                make_private_folder(kept.parent)
                write_text(kept, address)
        return is_agreed


def _is_here(address: str) -> bool:
    host, colon, _port = address.rpartition(":")
    return not colon or "/" in host or is_loopback(host.strip("[]"))


def _asked(address: str, path: Path) -> str:
    """Return the name of the virus that clamd found; empty without one. Raises ``OSError`` and ``ValueError`` if it did
    not scan the whole file."""
    ends_s = time.monotonic() + _WHOLE_S
    with _connected(address, ends_s) as clamd, path.open("rb") as file:
        try:
            clamd.sendall(b"zINSTREAM\0")
            while piece := file.read(_PIECE_BYTES):
                _limit(clamd, ends_s)
                clamd.sendall(len(piece).to_bytes(4, "big") + piece)
            clamd.sendall(bytes(4))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the scanner hung up after it sent its verdict
        verdict = _line(clamd, ends_s)
    if verdict == "stream: OK":
        return ""
    if verdict.startswith("stream: ") and verdict.endswith(" FOUND"):
        name = verdict.removeprefix("stream: ").removesuffix(" FOUND")
        return clean_line(name)[:_LONGEST_NAME] or "something"
    raise ValueError("the scanner refused the file")


def _connected(address: str, ends_s: float) -> socket.socket:
    host, colon, port = address.rpartition(":")
    if colon and port.isascii() and port.isdigit() and "/" not in host:
        return socket.create_connection((host.strip("[]"), int(port)), timeout=ends_s - time.monotonic())
    if not hasattr(socket, "AF_UNIX"):
        raise ValueError("no such sockets here")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(ends_s - time.monotonic())
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


def _line(clamd: socket.socket, ends_s: float) -> str:
    received = b""
    while b"\0" not in received:
        _limit(clamd, ends_s)
        piece = clamd.recv(_LONGEST_VERDICT_BYTES)
        received += piece
        if not piece or len(received) > _LONGEST_VERDICT_BYTES:
            raise ValueError("no verdict")
    return received.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _limit(clamd: socket.socket, ends_s: float) -> None:
    left_s = ends_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    clamd.settimeout(left_s)
