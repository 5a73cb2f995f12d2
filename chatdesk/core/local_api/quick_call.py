"""Tells a running ChatDesk to show its quick window, before anything else is imported.

A key press waits for it, and loading the program takes longer than showing the window. So the request of ``client`` is
sent over a blocking socket, with the few modules of Python that this needs. In any unusual case nothing is sent, and
the command takes its ordinary way, which reports the fault.
"""

from __future__ import annotations

import os
import socket
import sys
from struct import calcsize, unpack

from chatdesk.core.local_api.frames import BadFrame, read_json, read_object, write_object
from chatdesk.core.local_api.proof import NotProven, prove_to_owner

TYPE_CHECKING = False  # replaces ``typing``'s, whose import takes a tenth of this module's time
if TYPE_CHECKING:  # a key press waits for this
    from collections.abc import Coroutine, Mapping, Sequence
    from typing import Any

# The request of ``chatdesk quick`` to a window. It is not a link, so that no page can open it.
QUICK = "quick:"
_OPTION = "--data-dir"
_WAIT_S = 2.0
_LONGEST_NOTE_BYTES = _LONGEST_ANSWER_BYTES = 4096


def show_quick_window(arguments: Sequence[str]) -> bool:
    """Return whether ``arguments`` are those of ``chatdesk quick``, and a window that is running shows it."""
    data_dir = data_dir_of(arguments, os.environ)
    return data_dir is not None and _is_shown(data_dir)


def data_dir_of(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return the data directory of the plain ``chatdesk quick`` on Linux, as ``AppPaths`` finds it; None for any other
    command line, and where the directory takes more than a look at the environment."""
    if sys.platform != "linux":
        return None
    words = list(arguments)
    chosen = environ.get("CHATDESK_DATA_DIR", "")
    if len(words) == 3 and _OPTION in words[:2]:
        at = words.index(_OPTION)
        chosen = words[at + 1]
        del words[at : at + 2]
    if words != ["quick"]:
        return None
    if not chosen:
        shared = environ.get("XDG_DATA_HOME", "")
        chosen = f"{shared if shared.startswith('/') else environ.get('HOME', '') + '/.local/share'}/chatdesk"
    return chosen if chosen.startswith("/") else None


def _is_shown(data_dir: str) -> bool:
    try:
        # As ``instance.read_holder`` does: a pipe in place of the file must not block.
        descriptor = os.open(f"{data_dir}/instance.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            note = read_json(file.read(_LONGEST_NOTE_BYTES))
        if note["purpose"] != "window":
            return False
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_WAIT_S)
            connection.connect(note["address"])
            return _ask(connection, note["pid"], bytes.fromhex(note["secret"]))
        finally:
            connection.close()
    except (OSError, EOFError, KeyError, TypeError, ValueError, RecursionError, BadFrame, NotProven):
        return False


def _ask(connection: socket.socket, pid: int, secret: bytes) -> bool:
    """Ask the owner after both have shown that they are of one person. Raises as ``client`` does."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, calcsize("3i"))
    peer_pid, peer_uid, _gid = unpack("3i", credentials)
    stream: Any = _WaitingStream(connection)
    if (peer_pid, peer_uid) != (pid, os.geteuid()) or _run(prove_to_owner(stream, stream, secret)) != pid:
        raise NotProven
    _run(write_object(stream, {"target": QUICK, "verb": "raise"}))
    return bool(_run(read_object(stream, _LONGEST_ANSWER_BYTES)).get("event") == "raised")


class _WaitingStream:
    """The reader and the writer of asyncio over a socket that waits, so that their coroutines never give way."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    async def readexactly(self, count: int) -> bytes:
        read = bytearray()
        while len(read) < count:
            piece = self._connection.recv(count - len(read))
            if not piece:
                raise EOFError
            read += piece
        return bytes(read)

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    async def drain(self) -> None:
        """Wait for nothing: ``write`` has sent everything."""


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine that never gives way."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    raise RuntimeError("the coroutine waits for a loop, and there is none")
