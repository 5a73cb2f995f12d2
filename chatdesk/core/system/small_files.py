"""Reads ChatDesk's own small files: settings, lists, notes.

A data directory may be foreign or damaged. A pipe in place of such a file would block the start for ever, a device or a
huge file would take all memory.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_small_file(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of an ordinary file. Raises ``OSError`` for anything else, ``ValueError`` for a larger one."""
    with open_ordinary(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError("the file is too large")
    return data


def open_ordinary(path: Path) -> BinaryIO:
    """Open an ordinary file for reading. Raises ``OSError`` for anything else."""
    _check_ordinary(path, path.stat())  # looked at first: to open a device may do something
    file = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        _check_ordinary(path, os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def read_small_json(path: Path, most_bytes: int) -> object:
    """Return the document of a small file. Raises as ``read_small_file``, and ``ValueError`` for invalid JSON."""
    data = read_small_file(path, most_bytes)
    try:
        return json.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("the document is nested too deeply") from error


def _check_ordinary(path: Path, facts: os.stat_result) -> None:
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
