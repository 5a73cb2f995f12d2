"""Listens on a UNIX socket that only its user can reach, and connects to one.

Both ends verify the other's user through the system before a byte is read. ``pipes`` does the same for Windows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import struct
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chatdesk.core.local_api.incoming_connection import Admit, IncomingConnection, RoomIn, Streams
from chatdesk.core.local_api.instance import PRIVATE_PREFIX, remove_socket
from chatdesk.core.local_api.proof import NotProven

_log = logging.getLogger(__name__)

# The shortest that any system allows for the name of a socket, with its final zero.
_LONGEST_NAME_BYTES = 103
_BACKLOG = 64
_LONGEST_WAIT_S = 5
_NO_DESCRIPTOR_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a socket, which connected or began to listen. ``pid`` is 0 where the system does
    not say."""

    uid: int
    pid: int


if sys.platform == "linux":

    def peer_of(connection: socket.socket) -> Peer:
        """Return the process at the other end of a connected UNIX socket, as the system knows it. Raises
        ``OSError``."""
        size = struct.calcsize("3i")
        pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return Peer(uid, pid)

else:

    def peer_of(connection: socket.socket) -> Peer:
        """Return the process at the other end of a connected UNIX socket, as the system knows it. Raises
        ``OSError``."""
        import ctypes
        import ctypes.util

        uid, gid = ctypes.c_uint(), ctypes.c_uint()
        library = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
        if library.getpeereid(connection.fileno(), ctypes.byref(uid), ctypes.byref(gid)):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return Peer(uid.value, 0)


class SocketTransport:
    """A UNIX socket that accepts connections; the next one is accepted when ``room_in_s`` returns 0."""

    def __init__(self, admit: Admit, room_in_s: RoomIn) -> None:
        self._admit = admit
        self._room_in_s = room_in_s
        self._socket: socket.socket | None = None
        self._place: Path | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_waiting = False

    async def open(self, wanted: Path) -> str:
        """Listen at ``wanted``; in a private directory of the system's where that name is too long for a socket or its
        file system has none. Return the address. Raises ``OSError``."""
        self._socket, self._place = await asyncio.to_thread(bind_privately, wanted)
        self._listen()
        return str(self._place)

    def close(self) -> None:
        listening, self._socket = self._socket, None
        if listening is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._is_waiting:
            asyncio.get_running_loop().remove_reader(listening)
            self._is_waiting = False
        listening.close()
        if self._place is not None:
            remove_socket(self._place)

    def _listen(self) -> None:
        self._timer = None
        if self._socket is not None and not self._is_waiting:
            asyncio.get_running_loop().add_reader(self._socket, self._on_readable)
            self._is_waiting = True

    def _on_readable(self) -> None:
        """Accept one connection, so that everything else on the loop has its turn before the next."""
        if self._socket is None:
            return
        wait_s = self._room_in_s()
        if wait_s > 0:
            self._pause(wait_s)
            return
        try:
            connection, _address = self._socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:  # no descriptor is left in this process: theirs can wait
            _log.warning("a local connection was not taken: errno %s", error.errno)
            self._pause(_NO_DESCRIPTOR_PAUSE_S)
            return
        self._admit_own(connection)

    def _admit_own(self, connection: socket.socket) -> None:
        """Admit a connection of this user; close those of others."""
        try:
            connection.setblocking(False)
            is_own = peer_of(connection).uid == os.geteuid()
        except OSError:
            is_own = False
        if not is_own:
            _log.debug("another user's connection was closed")
            connection.close()
            return
        self._admit(IncomingConnection(partial(_streams_of, connection), connection.close))

    def _pause(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._is_waiting and self._socket is not None:
            loop.remove_reader(self._socket)
            self._is_waiting = False
            self._timer = loop.call_later(seconds, self._listen)


def bind_privately(wanted: Path) -> tuple[socket.socket, Path]:
    """Return a socket that listens, reachable for its user alone, and its place: ``wanted``, or one in a private
    directory of the system's. Raises ``OSError``."""
    if len(os.fsencode(wanted)) <= _LONGEST_NAME_BYTES:
        try:
            return _listening_at(wanted), wanted
        except OSError as error:
            _log.info("no socket beside the database: errno %s", error.errno)
    import tempfile  # seldom needed, and never at a usual start

    directory = Path(tempfile.mkdtemp(prefix=PRIVATE_PREFIX, dir=_runtime_dir()))
    try:
        return _listening_at(directory / wanted.name), directory / wanted.name
    except OSError:
        directory.rmdir()
        raise


def _listening_at(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        path.unlink(missing_ok=True)
        os.fchmod(listening.fileno(), 0o600)  # before the name is there, and whatever the umask is
        listening.bind(os.fsencode(path))
        path.chmod(0o600)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _runtime_dir() -> str | None:
    """Return the person's own directory for sockets, where its permissions are right; else None, for the system's
    temporary one, where a new directory is private too."""
    place = os.environ.get("XDG_RUNTIME_DIR", "")
    try:
        found = Path(place).stat() if place else None
    except OSError:
        return None
    is_private = found is not None and stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return place if is_private and found is not None and not found.st_mode & 0o077 else None


async def _streams_of(connection: socket.socket) -> Streams:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection)
    except BaseException:
        connection.close()
        raise
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def reach(address: str, owner_pid: int) -> Streams:
    """Connect to the process that listens at ``address``. Raises ``NotProven`` where that is not this user's process
    ``owner_pid``, and ``OSError``."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Blocking, on a thread: where many call, the system lets those who wait in by turns, and turns others away.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _LONGEST_WAIT_S, 0))
        await asyncio.to_thread(connection.connect, address)
        connection.setblocking(False)
        peer = peer_of(connection)
        if peer.uid != os.geteuid() or peer.pid not in (0, owner_pid):
            raise NotProven
        return await _streams_of(connection)
    except BaseException:
        connection.close()
        raise
