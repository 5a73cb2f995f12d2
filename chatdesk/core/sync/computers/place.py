"""Reads and writes the folder of a person's computers.

Whatever carries the folder may rename copies, deliver files late, twice or in part, and remove them; so a file is found
by the beginning of its name, all that could be it are returned, and only its contents prove that it is.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from chatdesk.core.storage.sync.private_log import Span
from chatdesk.core.sync.computers.library_key import LATER
from chatdesk.core.sync.errors import TeamUnreachable
from chatdesk.core.system.file_writing import replacing
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

LIBRARY: Final = "chatdesk.library"
FILES: Final = "files"
_HEAD: Final = "head"
_COMPUTER: Final = re.compile(r"([0-9a-f]{32})(?![0-9a-f])")
_REMOVAL: Final = re.compile(r"removed-([0-9a-f]{32})(?![0-9a-f])")
_LATER: Final = re.compile(LATER + r"[0-9a-f]{32}")
_SEGMENT: Final = re.compile(r"([0-9]{8})(?![0-9]).*\.seg")
_MERGED: Final = re.compile(r"([0-9]{8})-([0-9]{8})(?![0-9]).*\.merged")
# More than a segment, or any other file that is read at once, can have.
MOST_BYTES: Final = 80_000_000
_COPIED_BYTES: Final = 1024 * 1024
_FULL: Final = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class PlaceUnreachable(TeamUnreachable):
    code = "computers_place_unreachable"
    what = Text("The folder of your computers cannot be reached.")
    safe = Text("Everything you wrote is kept on this computer.")
    next_step = Text("Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.")


class PlaceOfOthers(TeamUnreachable):
    code = "computers_place_of_others"
    what = Text("The folder of your computers belongs to another recovery phrase.")
    safe = Text("Nothing was written there, and everything you wrote is kept on this computer.")
    next_step = Text("Put the folder back, or forget it and join again. ChatDesk tries again by itself.")


class PlaceFull(TeamUnreachable):
    code = "computers_place_full"
    what = Text("The disk with the folder of your computers is full.")
    safe = Text("Everything you wrote is kept on this computer.")
    next_step = Text("Make room there. ChatDesk tries again by itself.")


class Place:
    """The folder. Raises ``PlaceUnreachable`` and ``PlaceFull``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        with _translated():
            self.path.mkdir(parents=True, exist_ok=True)

    def is_empty(self) -> bool:
        """Return whether nothing is there but what systems put into every folder."""
        return not any(name for name in self._names("") if not name.startswith(".") and name != "desktop.ini")

    def libraries(self) -> list[str]:
        """Return the paths of what may be the file of the library."""
        return [name for name in self._names("") if name.casefold().startswith(LIBRARY)]

    def computers(self) -> dict[str, list[str]]:
        """Return the folders of each computer; a carrier may have made two of one."""
        found: dict[str, list[str]] = {}
        for name in self._names(""):
            if match := _COMPUTER.match(name.casefold()):
                found.setdefault(match[1], []).append(name)
        return found

    def removals(self) -> list[tuple[str, str]]:
        """Return the files that may be notices of a removal: the computer that removed another one, and the path."""
        found = ((match[1], name) for name in self._names("") if (match := _REMOVAL.match(name.casefold())))
        return list(found)

    @staticmethod
    def removal_name(computer: str) -> str:
        return f"removed-{computer}"

    @property
    def chosen(self) -> Path:
        """The folder that the person chose: this one, or the one around a library that followed another."""
        return self.path.parent if _LATER.fullmatch(self.path.name) else self.path

    def later_ones(self) -> list[Place]:
        """Return the folders of libraries that followed the one that was here first."""
        return [Place(self.path / name) for name in self._names("") if _LATER.match(name.casefold())]

    def sizes(self) -> dict[str, int]:
        """Return how many bytes each computer has written, as far as it has arrived."""
        return {
            computer: sum(_bytes_in(self.path / each) for each in folders)
            for computer, folders in self.computers().items()
        }

    def total_size(self) -> int:
        return sum(self.sizes().values())

    def remove(self, computer: str) -> None:
        """Remove the files of a computer; those that cannot be removed stay."""
        for folder in self.computers().get(computer, ()):
            shutil.rmtree(self.path / folder, ignore_errors=True)

    def segments(self, folders: list[str]) -> dict[Span, list[str]]:
        """Return the paths of what may be segments and merged ones, by their numbers, those with the right name
        first."""
        found: dict[Span, list[str]] = {}
        for folder in folders:
            for name in self._names(folder):
                if match := _SEGMENT.fullmatch(name.casefold()):
                    found.setdefault((int(match[1]), int(match[1])), []).append(f"{folder}/{name}")
                elif (match := _MERGED.fullmatch(name.casefold())) and int(match[1]) < int(match[2]):
                    found.setdefault((int(match[1]), int(match[2])), []).append(f"{folder}/{name}")
        return {span: sorted(paths, key=len) for span, paths in found.items()}

    def heads(self, folders: list[str]) -> list[str]:
        return [f"{each}/{name}" for each in folders for name in self._names(each) if _is_named(name, _HEAD)]

    def files(self, folders: list[str], name: str) -> list[str]:
        """Return the paths of what may be an attached file."""
        inner = [f"{each}/{FILES}" for each in folders]
        return [f"{each}/{found}" for each in inner for found in self._names(each) if _is_named(found, name)]

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file; None where it cannot be read, as while it is being copied."""
        try:
            return read_small_file(self.path / path, MOST_BYTES)
        except (OSError, ValueError) as error:
            _log.info("a file of the computers was not read: %s", type(error).__name__)
            return None

    def size(self, path: str) -> int:
        """Return the size of a file; -1 where it is none."""
        try:
            return (self.path / path).stat().st_size
        except OSError:
            return -1

    def write(self, path: str, data: bytes) -> None:
        """Write a file beside its name, bring it to the disk and rename it."""
        with self._writing(path) as file:
            file.write(data)

    def remove_file(self, path: str) -> None:
        with _translated():
            (self.path / path).unlink(missing_ok=True)

    def copy(self, source: Path, path: str) -> None:
        """Copy a file into the folder, like ``write``."""
        with self._writing(path) as file, source.open("rb") as whole:
            shutil.copyfileobj(whole, file, _COPIED_BYTES)

    @contextmanager
    def _writing(self, path: str) -> Iterator[BinaryIO]:
        target = self.path / path
        with _translated():
            if not self.path.is_dir():  # a disk that is not connected must not be written beside
                raise PlaceUnreachable
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as file:
                yield file

    def stamp(self, *, but: str) -> object:
        """Return a value that differs once a file came into the folder, or left it, but for those of one computer."""
        try:
            with os.scandir(self.path) as entries:
                return sorted((each.name, each.stat().st_mtime_ns) for each in entries if each.name != but)
        except OSError:
            return None

    def _names(self, folder: str) -> list[str]:
        """Return the names in a folder, links and hidden files left out; none where there is no such folder."""
        try:
            with os.scandir(self.path / folder) as entries:
                return sorted(each.name for each in entries if each.name[:1] != "." and not each.is_symlink())
        except (FileNotFoundError, NotADirectoryError) as error:
            if not folder:
                raise PlaceUnreachable from error
            return []
        except OSError as error:
            raise failure_of(error) from error


def _bytes_in(folder: Path) -> int:
    """Return the bytes of the files in a folder, links left out; what vanishes meanwhile counts as nothing."""
    size = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for each in entries:
            if each.is_dir(follow_symlinks=False):
                size += _bytes_in(Path(each.path))
            elif not each.is_symlink():
                size += each.stat().st_size
    return size


def segment_name(span: Span) -> str:
    first, last = span
    return f"{first:08}.seg" if first == last else f"{first:08}-{last:08}.merged"


def head_name() -> str:
    return _HEAD


def _is_named(name: str, wanted: str) -> bool:
    """Return whether a name is ``wanted``, or that of a copy of it that a carrier made."""
    folded = name.casefold()
    return folded == wanted or (folded.startswith(wanted) and not folded[len(wanted)].isalnum())


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failure_of(error) from error


def failure_of(error: Exception) -> TeamUnreachable:
    """Return the error for a person, of the folder or of the files beside the profile."""
    if not isinstance(error, OSError):
        return PlaceUnreachable()
    if error.errno in _FULL:
        return PlaceFull()
    return PlaceUnreachable(Text("The folder of your computers cannot be used: {reason}.", reason=reason_text(error)))
