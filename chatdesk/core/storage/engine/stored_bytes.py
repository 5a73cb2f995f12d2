"""Reads the bytes of attached files from the data directory, and verifies them.

A file is named by the digest of its bytes, so that packing, copying and checking can detect damage. A link in its place
is not followed: it may lead to any file of this computer.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Final

_PIECE_BYTES: Final = 1024 * 1024
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# The complaints, as the end of a sentence about "the attached file".
MISSING, CHANGED, LINK, UNREADABLE = (
    "is missing",
    "is not what was saved",
    "is a link to another file",
    "cannot be read",
)


def place(blobs: Path, name: str) -> Path:
    """Return the path of the bytes with the digest ``name``, whether or not they exist."""
    return blobs / name[:2] / name


def open_file(blobs: Path, name: str) -> BinaryIO:
    """Open the file itself, never the target of a link. Raises ``OSError``."""
    path = place(blobs, name)
    if path.is_symlink():  # also on systems without O_NOFOLLOW
        raise OSError(errno.ELOOP, "a link stands in its place", str(path))
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return os.fdopen(descriptor, "rb")


def complaint(blobs: Path, name: str) -> str:
    """Return the fault of the bytes, one of the complaints above; empty when they are those that were saved."""
    try:
        with open_file(blobs, name) as file:
            return "" if digest(file) == name else CHANGED
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return LINK if error.errno == errno.ELOOP else UNREADABLE


def digest(file: BinaryIO) -> str:
    """Return the SHA-256 of the rest of ``file``, in hexadecimal."""
    hasher = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        hasher.update(piece)
    return hasher.hexdigest()


def copy(blobs: Path, name: str, sink: BinaryIO) -> bool:
    """Write the bytes to ``sink``. Returns whether they were those that were saved; if not, the caller must discard
    what was written."""
    hasher = hashlib.sha256()
    try:
        with open_file(blobs, name) as source:
            while piece := source.read(_PIECE_BYTES):
                hasher.update(piece)
                sink.write(piece)
    except OSError:
        if complaint(blobs, name):
            return False
        raise  # the sink's
    return hasher.hexdigest() == name


# Objects and lists for a body, of which a page holds hundreds, and for a whole file of parts.
MOST_IN_BODY: Final = 20_000
MOST_IN_FILE: Final = 300_000
# Values and words per object or list.
_VALUES: Final = 10
_WORD = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def is_bounded(text: str, most: int) -> bool:
    """Return whether ``text`` makes at most ``most`` objects and lists and ten times as many values. The contents of
    strings are not counted, so that a message about JSON is like any other."""
    if len(text) <= most:
        return True
    if text.count("{") + text.count("[") <= most and text.count(",") <= _VALUES * most:
        return True
    left, values, at = most, _VALUES * most, 0
    for word in _WORD.finditer(text):
        left -= text.count("{", at, word.start()) + text.count("[", at, word.start())
        values -= 1 + text.count(",", at, word.start())
        if left < 0 or values < 0:
            return False
        at = word.end()
    return left >= text.count("{", at) + text.count("[", at) and values >= text.count(",", at)
