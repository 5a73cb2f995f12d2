"""Stores attached files in the folder of a person's computers, each in pieces of a megabyte that are sealed by
themselves.

A file is put together beside the profile and written into the folder when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from chatdesk.core.domain.sharing.sync_wire import CHUNK_BYTES
from chatdesk.core.paths import make_private_folder
from chatdesk.core.sync.computers.library_key import (
    HEAD_BYTES,
    TAG_BYTES,
    CannotUnseal,
    Kind,
    LibraryKey,
    class_of,
    padded,
    unpadded,
)
from chatdesk.core.sync.computers.place import FILES, Place, failure_of
from chatdesk.core.system.file_writing import remove_file
from chatdesk.core.system.small_files import open_ordinary

_LENGTH_BYTES: Final = 4
# A piece that others follow, as it is in the file.
_WHOLE: Final = _LENGTH_BYTES + CHUNK_BYTES
_PIECE: Final = _WHOLE + TAG_BYTES


class PlaceFiles:
    """The attached files of all computers. ``computer`` returns the name of this computer in the folder; ``unsent`` is
    where files are put together. Raises ``TeamError``."""

    def __init__(self, place: Place, key: LibraryKey, unsent: Path, computer: Callable[[], str]) -> None:
        self._place = place
        self._key = key
        self._unsent = unsent
        self._computer = computer

    def have(self, _project_id: str, sha256: str) -> set[int]:
        """Return the numbers of the pieces that are in the folder or put together so far."""
        name = self._key.name_of("file", sha256)
        total = self._whole_total(name)
        return set(range(total)) if total else set(range(_pieces_of(self._unsent / name)))

    def put(self, _project_id: str, sha256: str, index: int, total: int, data: bytes) -> None:
        """Add a piece; the last one brings the file into the folder."""
        name = self._key.name_of("file", sha256)
        path = self._unsent / name
        try:
            make_private_folder(self._unsent)
            if index == 0 or _pieces_of(path) != index:
                path.write_bytes(self._key.new_box(Kind.FILE, name).head)
            with path.open("r+b") as file:
                box = self._key.box(Kind.FILE, name, file.read(HEAD_BYTES))
                file.seek(HEAD_BYTES + index * _PIECE)
                file.truncate()
                plain = padded(data, _WHOLE if total > 1 else min(class_of(_LENGTH_BYTES + len(data)), _WHOLE))
                file.write(box.lock(_number(index, total), plain))
            if index + 1 < total:
                return
            self._place.copy(path, f"{self._computer()}/{FILES}/{name}")
        except (OSError, CannotUnseal) as error:
            remove_file(path)
            raise failure_of(error) from error
        remove_file(path)

    def get(self, _project_id: str, sha256: str, index: int) -> tuple[int, bytes] | None:
        """Return how many pieces a file has, and one of them; None while no whole copy of the file is there."""
        name = self._key.name_of("file", sha256)
        for path in self._candidates(name):
            total = _total_of(self._place.size(path))
            try:
                with open_ordinary(self._place.path / path) as file:
                    box = self._key.box(Kind.FILE, name, file.read(HEAD_BYTES))
                    file.seek(HEAD_BYTES + index * _PIECE)
                    return total, unpadded(box.unlock(_number(index, total), file.read(_PIECE)))
            except (OSError, CannotUnseal):
                continue  # on its way, or damaged: another computer may have it, too
        return None

    def discard_broken(self, _project_id: str, _sha256: str) -> bool:
        """Return false: a piece that was changed is not opened."""
        return False

    def _candidates(self, name: str) -> list[str]:
        return [path for folders in self._place.computers().values() for path in self._place.files(folders, name)]

    def _whole_total(self, name: str) -> int:
        """Return how many pieces the file has in the folder; 0 where it is not there to its last piece."""
        for path in self._candidates(name):
            total = _total_of(self._place.size(path))
            try:
                with open_ordinary(self._place.path / path) as file:
                    box = self._key.box(Kind.FILE, name, file.read(HEAD_BYTES))
                    file.seek(HEAD_BYTES + (total - 1) * _PIECE)
                    box.unlock(_number(total - 1, total), file.read(_PIECE))
            except (OSError, ValueError, CannotUnseal):
                continue
            return total
        return 0


def _number(index: int, total: int) -> int:
    """Return the number that a piece is sealed with: it says also how many there are."""
    return total << 40 | index


def _total_of(size: int) -> int:
    return max(1, -(-(size - HEAD_BYTES) // _PIECE))


def _pieces_of(path: Path) -> int:
    try:
        return max(0, path.stat().st_size - HEAD_BYTES) // _PIECE
    except OSError:
        return 0
