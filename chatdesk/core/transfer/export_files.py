"""Files that an export makes: safe names, nothing overwritten unasked, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chatdesk.core.errors import ChatDeskError, ExportFailed
from chatdesk.core.transfer.export_json import is_digest

_LONGEST_NAME_BYTES = 120  # most file systems take 255, and folders, numbers and endings come to it
_KEPT_MARKS = " -_.,()&+'’"
_WINDOWS_NAMES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10)))
)
_STEP_BYTES = 1024 * 1024


def safe_name(title: str, *, otherwise: str = "thread") -> str:
    """A file name from a title: letters, digits and a few marks, on every system, never a path and never hidden."""
    composed = unicodedata.normalize("NFC", title[:1000])
    kept = "".join(each if _is_kept(each) else " " for each in composed)
    name = " ".join(kept.split())
    name = name.encode()[:_LONGEST_NAME_BYTES].decode("utf-8", "ignore").strip(" .")
    return otherwise if not name or name.split(".")[0].strip().lower() in _WINDOWS_NAMES else name


def _is_kept(character: str) -> bool:
    # Marks belong to the letters of many scripts; controls and format characters to none of a name.
    return character in _KEPT_MARKS or unicodedata.category(character)[0] in "LNM"


def safe_file_name(name: str) -> str:
    """The same for a file that was attached, whose ending says what it is."""
    stem, dot, ending = name.rpartition(".")
    if not dot or not ending.isalnum() or not ending.isascii() or len(ending) > 10:
        return safe_name(name, otherwise="file")
    return f"{safe_name(stem, otherwise='file')}.{ending}"


class NameGiver:
    """Names of one folder, each given once; systems that do not tell capitals apart are thought of."""

    def __init__(self, folder: Path | None = None) -> None:
        self._taken: set[str] = set()
        if folder is not None:
            with suppress(FileNotFoundError):
                self._taken = {each.name.casefold() for each in folder.iterdir()}

    def give(self, stem: str, ending: str) -> str:
        number = 1
        while True:
            name = f"{stem}{ending}" if number == 1 else f"{stem} ({number}){ending}"
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name
            number += 1


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary name beside ``target``, which it replaces when all went well and it is on the disk."""
    temporary = target.with_name(f".{target.name[:80]}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(parent: Path, name: str) -> Iterator[tuple[Path, Path]]:
    """A folder that is being filled and the name it gets when all went well, which is free."""
    final = parent / NameGiver(parent).give(name, "")
    temporary = parent / f".{final.name[:80]}.{os.getpid()}.part"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary, final
        temporary.rename(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class StoredFiles:
    """The bytes behind attachments, found by their content's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: object) -> Path | None:
        """Where they lie; None when they are not there or that is no name."""
        if not is_digest(sha256):
            return None
        found = self.folder / str(sha256)[:2] / str(sha256)
        return found if found.is_file() else None

    def copy(self, sha256: str, target: Path) -> bool:
        """Copy them if they are there and what they should be; whether they were."""
        source = self.path(sha256)
        if source is None:
            return False
        hasher = hashlib.sha256()
        with source.open("rb") as reading, target.open("wb") as writing:
            while piece := reading.read(_STEP_BYTES):
                hasher.update(piece)
                writing.write(piece)
        return hasher.hexdigest() == sha256


class AttachmentFolder:
    """The folder beside one text, made when the first file comes into it."""

    def __init__(self, folder: Path, shown_as: str, stored: StoredFiles) -> None:
        self._folder = folder
        self._shown_as = shown_as
        self._stored = stored
        self._names: NameGiver | None = None
        self._known: dict[str, str | None] = {}
        self.missing = 0
        self.count = 0

    def link_to(self, sha256: str, name: str) -> str | None:
        """The way from the text to the copy of an attachment; None when its bytes are missing or damaged."""
        if sha256 not in self._known:
            self._known[sha256] = self._copy(sha256, name)
            self.missing += self._known[sha256] is None
        return self._known[sha256]

    def _copy(self, sha256: str, name: str) -> str | None:
        if self._stored.path(sha256) is None:
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._names is None:
            self._names = NameGiver(self._folder)
        safe = Path(safe_file_name(name))
        given = self._names.give(safe.stem, safe.suffix)
        target = self._folder / given
        if not self._stored.copy(sha256, target):
            target.unlink()
            return None
        self.count += 1
        return f"{self._shown_as}/{given}"


def failure(error: OSError, target: Path) -> ChatDeskError:
    """Words for what stopped an export."""
    next_step = "Choose another place."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what, next_step = f"The disk of {target} is full.", "Free some space, or choose another place."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        what = f"{target} may not be written by this user."
    elif error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENODEV):
        what, next_step = f"The folder of {target} is not there.", "Put the drive back, or choose another place."
    elif error.errno == errno.ENAMETOOLONG:
        what = f"The name {target.name[:40]}… is too long for that place."
    else:
        what = f"{target} could not be written: {error.strerror or error}."
    return ExportFailed(what, next_step=next_step)
