"""Guards a data directory, which one process may write to: by a lock, and a file in which its owner states its address.

The owner holds a lock that the system drops when the process dies, however it dies. ``instance.json`` beside it is
written and removed under that lock only: a file that a killed owner left is removed by the next one before anything
else, so no process that matters reads the name of an ended one. ``client`` has the requests to the owner.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from chatdesk.core.errors import StorageError, StorageFull, StorageReadOnly
from chatdesk.core.system.file_writing import UNFINISHED, open_new, unfinished_name
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

# The purpose of a window's lock; every other purpose is the name of a command.
WINDOW = "window"
_PURPOSE = re.compile(r"[a-z]{1,20}")
_SECRET = re.compile(r"[0-9a-f]{64}")
_LONGEST_NOTE_BYTES = 4096
# The sockets of an owner: the line of ``local_api``, and the service for other programs.
SOCKET_NAME, SERVICE_SOCKET_NAME = "instance.sock", "service.sock"
PRIVATE_PREFIX = "chatdesk-"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock, by its own account. ``address`` is empty as long as it does not listen;
    ``listens`` tells whether it is going to."""

    pid: int
    purpose: str
    listens: bool
    address: str = ""
    secret: bytes = b""

    def is_alive(self) -> bool:
        """Return whether the process exists; true if its state is unknown."""
        try:
            if os.name == "posix":
                os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            return True
        return self.pid > 0


class InstanceLock:
    """Exclusive for as long as the process lives; ``acquire`` never waits. ``purpose`` is shown to other processes:
    ``WINDOW`` or the name of a command; ``listens`` tells whether they can expect an answer."""

    def __init__(self, data_dir: Path, *, purpose: str, listens: bool = False) -> None:
        self._path = data_dir / "instance.lock"
        self._note = _note_path(data_dir)
        self._purpose = purpose
        self._listens = listens
        self._file: IO[bytes] | None = None
        # Why this directory cannot be owned and is only good for reading.
        self.problem: StorageError | None = None

    @property
    def is_held(self) -> bool:
        """Return whether this process owns the directory."""
        return self._file is not None

    def acquire(self) -> bool:
        """Try to own the directory; return whether this process owns it now. If not, another one does, unless there is
        a ``problem``."""
        if self._file is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o600)
            file = open(descriptor, "r+b", buffering=0)  # noqa: SIM115 - held
        except OSError as error:
            self.problem = _cannot_be_made(error)
            return False
        try:
            _lock(file)
        except OSError as error:
            file.close()
            self.problem = None if error.errno in _HELD_BY_OTHERS else _cannot_lock(error)
            return False
        self.problem = None
        self._file = file
        self._clear()
        self.announce()
        return True

    def announce(self, address: str = "", secret: bytes = b"") -> None:
        """Write who holds the lock and, once it listens, its address and secret. If that cannot be written (a full
        disk), other processes cannot connect, and all else goes on."""
        if self._file is None:
            return
        note = {"pid": os.getpid(), "purpose": self._purpose, "listens": self._listens}
        if address:
            note |= {"address": address, "secret": secret.hex()}
        try:
            _write_privately(self._note, json.dumps(note))
        except OSError as error:
            _log.warning("the address for other processes was not written: errno %s", error.errno)

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # before the lock goes: afterwards it may be the next owner's
                self._note.unlink()
            file.close()

    def _clear(self) -> None:
        """Remove the files of an owner that was killed."""
        left = read_holder(self._note.parent)
        with suppress(OSError):
            self._note.unlink()
        for half_written in self._note.parent.glob(f".{self._note.name}.*{UNFINISHED}"):
            with suppress(OSError):
                half_written.unlink()
        if left is not None and left.address:
            remove_socket(Path(left.address))


def read_holder(data_dir: Path) -> Holder | None:
    """Return the process that holds the lock of ``data_dir`` by its own account; None where there is none or its file
    cannot be read."""
    try:
        # A planted pipe must not block.
        descriptor = os.open(_note_path(data_dir), os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            note = json.loads(file.read(_LONGEST_NOTE_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return _holder_of(note) if isinstance(note, dict) else None


def _holder_of(note: Mapping[str, Any]) -> Holder | None:
    pid, purpose, address, secret = (note.get(name) for name in ("pid", "purpose", "address", "secret"))
    if type(pid) is not int or not isinstance(purpose, str) or not _PURPOSE.fullmatch(purpose):
        return None
    listens = note.get("listens") is True
    if isinstance(address, str) and address and isinstance(secret, str) and _SECRET.fullmatch(secret):
        return Holder(pid, purpose, listens, address, bytes.fromhex(secret))
    return Holder(pid, purpose, listens)


def remove_socket(path: Path) -> None:
    """Remove a socket, and the private directory that was made for it alone."""
    with suppress(OSError, ValueError):
        if path.name in (SOCKET_NAME, SERVICE_SOCKET_NAME) and stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    if path.parent.name.startswith(PRIVATE_PREFIX):
        with suppress(OSError, ValueError):
            path.parent.rmdir()  # does nothing where anything is inside


def _note_path(data_dir: Path) -> Path:
    return data_dir / "instance.json"


def _write_privately(path: Path, content: str) -> None:
    """Replace the file without waiting for the disk: after a power cut no owner listens, whatever the file says."""
    temporary = unfinished_name(path)
    try:
        with open_new(temporary) as file:
            file.write(content.encode())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _cannot_be_made(error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(
            Text("The disk is full, so ChatDesk can only read."), safe=Text("Everything saved before is unchanged.")
        )
    return StorageReadOnly(Text("The data directory cannot be written to."))


def _cannot_lock(error: OSError) -> StorageError:
    """Return the reason to read only: without a lock two processes could write at once, as on some network file
    systems."""
    _log.warning("no lock on the data directory: errno %s", error.errno)
    return StorageReadOnly(
        Text("The file system of the data directory cannot lock files, so ChatDesk only reads from it."),
        next_step=Text("Choose a data directory on a local disk."),
    )


_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has none

if sys.platform == "win32":
    import msvcrt

    _HELD_BY_OTHERS = frozenset({errno.EACCES, errno.EDEADLK})

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    _HELD_BY_OTHERS = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
