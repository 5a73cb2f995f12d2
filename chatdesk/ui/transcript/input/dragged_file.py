"""Provides the data of a drag: text or a picture, and a file that is written only when another program asks for it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMetaType, QMimeData, QObject, QUrl

_URLS = "text/uri-list"


class DragFolder(QObject):
    """A directory that only its owner can read.

    It lasts until the program ends, because the program that took a file may open it long after the drop.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._number = 0
        self._remove: Callable[[], object] | None = None

    def write(self, name: str, content: bytes) -> Path:
        """Write a new file and return its path; ``name`` is chosen by ChatDesk, never by a message."""
        if self._path is None:
            self._path = Path(tempfile.mkdtemp(prefix="chatdesk-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._path, ignore_errors=True)
        self._number += 1
        place = self._path / str(self._number)
        place.mkdir(mode=0o700)
        file = place / name
        file.write_bytes(content)
        return file

    def remove(self) -> None:
        if self._remove is not None:
            self._remove()
        self._path = self._remove = None


class FileOnDemand(QMimeData):
    """The data of a file; ``content`` is called at most once, when a program wants the file."""

    def __init__(self, folder: DragFolder, name: str, content: Callable[[], bytes]) -> None:
        super().__init__()
        self._folder = folder
        self._name = name
        self._content = content
        self._file: Path | None = None

    def formats(self) -> list[str]:
        return [*super().formats(), _URLS]

    def retrieveData(self, kind: str, wanted: QMetaType) -> object:  # type: ignore[override]
        if kind != _URLS:
            return super().retrieveData(kind, wanted)
        if self._file is None:
            self._file = self._folder.write(self._name, self._content())
        return [QUrl.fromLocalFile(str(self._file))]
