"""Turns exceptions of SQLAlchemy, sqlite3 and the file system into our own errors; no other module does."""

from __future__ import annotations

import errno
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chatdesk.core.errors import (
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageReadOnly,
)
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_READONLY = 8
_IOERR = 10
_LEAST_ROOM_BYTES = 128 * 1024
_KINDS: dict[int, type[StorageError]] = {
    5: StorageBusy,
    6: StorageBusy,
    8: StorageReadOnly,
    11: StorageCorrupt,
    13: StorageFull,
    26: StorageCorrupt,
}
_NAMED: dict[type[StorageError], Text] = {
    StorageError: Text("The database {path} could not be used."),
    StorageBusy: Text("Another program is using the database {path}."),
    StorageReadOnly: Text("The database {path} cannot be written to."),
    StorageCorrupt: Text("The database file {path} is damaged."),
    StorageFull: Text("The disk of {folder} is full, so this could not be saved."),
}


def sqlite_code(error: BaseException) -> int | None:
    """Return SQLite's extended result code behind ``error``; None if there is none."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    return code if isinstance(code, int) else None


def is_io_error(error: BaseException) -> bool:
    """Return whether the state of the connection is unknown after ``error``: it must be reopened before it is used
    again."""
    code = sqlite_code(error)
    return code is not None and code & 0xFF in (_IOERR, 11, 26)


def is_read_only(error: BaseException) -> bool:
    """Return whether ``error`` says that the connection may only read."""
    code = sqlite_code(error)
    return code is not None and code & 0xFF == _READONLY


def translated(error: BaseException, path: Path | None = None) -> StorageError:
    """Return ChatDesk's error for ``error``. The log gets SQLite's code and message, which name columns but hold no
    values."""
    code = sqlite_code(error)
    _log.warning("database failed: %s, code %s: %s", type(error).__name__, code, _message_of(error))
    if isinstance(error, OSError):
        return _named(_for_os_error(error), path)
    if code is None:
        return _named(StorageError, path)
    primary = code & 0xFF
    if primary == 14 and path is not None:
        return cannot_open(path)
    if primary == _IOERR and path is not None and _is_full(path.parent):
        return _named(StorageFull, path)  # SQLite has no room for its own small files, and calls that an I/O error
    if primary == _IOERR:
        return StorageError(
            Text("The disk reported an error while {file} was used.", file=path or Text("the database")),
            safe=Text("What was saved before is unchanged; what was not confirmed counts as not saved."),
            next_step=Text("Check the disk and its free space, then try again."),
        )
    return _named(_KINDS.get(primary, StorageError), path)


def _named(kind: type[StorageError], path: Path | None) -> StorageError:
    return kind() if path is None else kind(_NAMED[kind].filled(path=path, folder=path.parent))


def _is_full(directory: Path) -> bool:
    try:
        return shutil.disk_usage(directory).free < _LEAST_ROOM_BYTES
    except OSError:
        return False


def _message_of(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"errno {error.errno}"
    return str(error.orig if isinstance(error, DBAPIError) else error.__class__.__name__)


_NOT_READ: Final = {
    "safe": Text("Nothing was changed."),
    "next_step": Text("Change its owner or permissions, or choose another data directory."),
}


def cannot_open(path: Path) -> StorageError:
    """Return the error for a file that SQLite cannot open. SQLite has one code for half a dozen causes; the file system
    is asked for the cause."""
    parent = path.parent
    try:
        if path.is_dir():
            return StorageError(
                Text("{path} is a directory, not a database file.", path=path),
                next_step=Text("Choose another data directory."),
            )
        if path.exists() and not path.is_file():
            return StorageError(
                Text("{path} is not a file, so it is no database.", path=path),
                next_step=Text("Choose another data directory."),
            )
        if not parent.exists():
            return StorageError(
                Text("The directory {parent} does not exist.", parent=parent),
                next_step=Text("Create it or choose another one."),
            )
        path.stat()
        return StorageReadOnly(Text("The database file {path} may not be opened by this user.", path=path), **_NOT_READ)
    except PermissionError:
        return StorageReadOnly(Text("The directory {parent} may not be read by this user.", parent=parent), **_NOT_READ)
    except FileNotFoundError:
        return StorageReadOnly(Text("No database can be created in {parent}.", parent=parent))
    except OSError:
        return StorageError(Text("The database file {path} cannot be opened.", path=path))


def _for_os_error(error: OSError) -> type[StorageError]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageReadOnly
    return StorageError


@contextmanager
def translating(path: Path | None = None) -> Iterator[None]:
    """Turn database and file errors that are raised inside the block into ``StorageError``."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise translated(error, path) from error
