"""Creates the files of an export: safe names, nothing overwritten unasked."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from chatdesk.core.attachments.origin_mark import mark_origin
from chatdesk.core.domain.attachment import clean_name
from chatdesk.core.storage.engine import stored_bytes
from chatdesk.core.system.file_writing import open_new, own_folder
from chatdesk.core.transfer.exports.to_json import is_digest

_LONGEST_NAME_BYTES = 120  # most file systems take 255, and folders, numbers and endings come to it
_KEPT_MARKS = " -_.,()&+'’"
_WINDOWS_NAMES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10)))
)


def safe_name(title: str, *, otherwise: str = "thread") -> str:
    """Return a file name made from a title: letters, digits and a few marks, on every system, never a path, never
    hidden."""
    composed = unicodedata.normalize("NFC", title[:1000])
    kept = "".join(each if _is_kept(each) else " " for each in composed)
    name = " ".join(kept.split())
    name = name.encode()[:_LONGEST_NAME_BYTES].decode("utf-8", "ignore").strip(" .")
    return otherwise if not name or name.split(".")[0].strip().lower() in _WINDOWS_NAMES else name


def _is_kept(character: str) -> bool:
    # Marks belong to the letters of many scripts; controls and format characters to none of a name.
    return character in _KEPT_MARKS or unicodedata.category(character)[0] in "LNM"


def safe_file_name(name: str) -> str:
    """Return a safe name for an attached file, which keeps its ending."""
    stem, dot, ending = name.rpartition(".")
    if not dot or not ending.isalnum() or not ending.isascii() or len(ending) > 10:
        return safe_name(name, otherwise="file")
    return f"{safe_name(stem, otherwise='file')}.{ending}"


class UniqueNames:
    """Gives each name in a folder once, also on systems that do not tell capitals apart."""

    def __init__(self, folder: Path | None = None) -> None:
        self._taken: set[str] = set()
        if folder is not None:
            with suppress(FileNotFoundError):
                self._taken = {each.name.casefold() for each in folder.iterdir()}

    def unique(self, stem: str, ending: str) -> str:
        number = 1
        while True:
            name = f"{stem}{ending}" if number == 1 else f"{stem} ({number}){ending}"
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name
            number += 1


class StoredFiles:
    """The bytes behind the attachments of one export, found by their SHA-256. A file that is missing, damaged or a link
    is checked once and remembered by the name that a person knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._complaints: dict[str, str] = {}
        self._lost: dict[str, str] = {}

    @property
    def lost(self) -> tuple[str, ...]:
        """A sentence for each requested file that is missing or damaged."""
        return tuple(self._lost.values())

    def path(self, sha256: object, name: str = "") -> Path | None:
        """Return the path of the bytes; None if they are missing or damaged, or if ``sha256`` is not a digest."""
        if not is_digest(sha256):
            return None
        if sha256 not in self._complaints:
            self._complaints[sha256] = stored_bytes.complaint(self.folder, sha256)
        if not self._complaints[sha256]:
            return stored_bytes.place(self.folder, sha256)
        if name or sha256 not in self._lost:
            self._lost[sha256] = f"“{clean_name(name) if name else sha256[:12] + '…'}” {self._complaints[sha256]}."
        return None

    def copy(self, sha256: str, sink: BinaryIO) -> bool:
        """Copy the bytes to ``sink`` if they are sound; return whether they were."""
        return self.path(sha256) is not None and stored_bytes.copy(self.folder, sha256, sink)


class AttachmentFolder:
    """The folder of attachments beside one text, made when the first file comes into it."""

    def __init__(self, folder: Path, shown_as: str, stored: StoredFiles) -> None:
        self._folder = folder
        self._shown_as = shown_as
        self._stored = stored
        self._names: UniqueNames | None = None
        self._known: dict[str, str | None] = {}
        self.missing = 0
        self.count = 0

    def link_to(self, sha256: str, name: str) -> str | None:
        """Return the path from the text to the copy of an attachment; None when its bytes are missing or damaged."""
        if sha256 not in self._known:
            self._known[sha256] = self._copy(sha256, name)
            self.missing += self._known[sha256] is None
        return self._known[sha256]

    def _copy(self, sha256: str, name: str) -> str | None:
        if self._stored.path(sha256, name) is None:
            return None
        own_folder(self._folder)
        if self._names is None:
            self._names = UniqueNames(self._folder)
        safe = Path(safe_file_name(name))
        given = self._names.unique(safe.stem, safe.suffix)
        target = self._folder / given
        with open_new(target) as file:
            is_whole = self._stored.copy(sha256, file)
            mark_origin(file)
        if not is_whole:
            target.unlink()
            return None
        self.count += 1
        return f"{self._shown_as}/{given}"
