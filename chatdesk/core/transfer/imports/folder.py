"""Reads a folder as an export, for programs that keep their chats as files, like the zip that one would make of it.

Only plain files below the folder are looked at. Links are not followed, so nothing outside of it is ever read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from chatdesk.core.errors import ImportRefused
from chatdesk.core.transfer.imports.archive import sorted_documents

_DEEPEST: Final = 12
_MOST_FILES: Final = 200_000
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Folder:
    """The files of a folder by their names below it. ``tick`` is called again and again while it is searched, and may
    raise. Raises ``ImportRefused`` for a folder that holds more files than any program's chats."""

    def __init__(self, path: Path, *, tick: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._names = _names_below(path, tick)
        self.documents, self.projects = sorted_documents(self._names)
        self._by_last = {name.rsplit("/", 1)[-1]: name for name in reversed(self._names)}

    @property
    def size_bytes(self) -> int:
        """The size of the documents."""
        return sum((self._path / name).lstat().st_size for name in self.documents)

    def has(self, name: str) -> bool:
        return name in self._names

    def open(self, name: str) -> IO[bytes]:
        """Open a file that was found. Raises ``ImportRefused`` if it is no plain file any more."""
        try:
            handle = os.open(self._path / name, os.O_RDONLY | _NO_LINK | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise ImportRefused(f"{name} could not be read: {error.strerror or 'the disk refused it'}.") from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise ImportRefused(f"{name} is not a file.")
        return os.fdopen(handle, "rb")

    def open_file(self, pointer: str) -> IO[bytes] | None:
        """Open the file that a message points to; None when the folder does not have it."""
        name = self._by_last.get(pointer.rsplit("/", 1)[-1])
        return self.open(name) if name is not None and pointer else None

    def name_of(self, _pointer: str) -> str:
        return ""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _names_below(path: Path, tick: Callable[[], None]) -> dict[str, None]:
    names: dict[str, None] = {}
    for folder, inner, files in os.walk(path):
        tick()
        above = Path(folder).relative_to(path)
        if len(above.parts) >= _DEEPEST:
            inner.clear()
        inner.sort()
        for file in sorted(files):
            if stat.S_ISREG((Path(folder) / file).lstat().st_mode):
                names[(above / file).as_posix()] = None
        if len(names) > _MOST_FILES:
            raise ImportRefused(
                "This folder holds far more files than a program's chats.", next_step="Choose the folder of the chats."
            )
    return names
