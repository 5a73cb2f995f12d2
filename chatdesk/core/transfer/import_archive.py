"""The zip file of an export: which documents are in it, and the files that messages name. Nothing is unpacked.

Names in the zip are only compared, never made into paths. What an archive claims is checked before it is read: entries
that are encrypted, unusual compressions and sizes that no export has are refused.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from chatdesk.core.errors import ImportRefused

_LARGEST_DIRECTORY: Final = 64 * 1024 * 1024
_MOST_DOCUMENTS: Final = 2_000
#: JSON shrinks to a tenth, in odd cases to a fiftieth; a bomb to a thousandth.
_MOST_RATIO: Final = 250
_FREE_OF_RATIO: Final = 16 * 1024 * 1024
_MAIN = re.compile(r"(?:^|/)(?:conversations(?:[-_]\d{1,5})?|chatdesk)\.json\Z", re.IGNORECASE)
_OTHERS = re.compile(
    r"(?:^|/)(?:user|users|message_feedback|shared_conversations|model_comparisons|group_chats|shopping|sora|projects"
    r"|memories|user_settings)\.json\Z",
    re.IGNORECASE,
)
_FILE_ID = re.compile(r"file[-_][A-Za-z0-9]{6,64}")
_END = b"PK\x05\x06"

# Places in a damaged table of contents become places in the file that the system refuses.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    ValueError,
    OSError,
)


class Archive:
    """An opened zip; ``close`` it."""

    def __init__(self, path: Path) -> None:
        with zip_errors():
            _check_directory(path)
            self._zip = zipfile.ZipFile(path)
        entries = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        self._by_name = entries
        json_names = [name for name in entries if name.lower().endswith(".json")]
        main = [name for name in json_names if _MAIN.search(name)]
        wanted = main or [name for name in json_names if not _OTHERS.search(name)]
        self.documents = tuple(sorted(wanted, key=_in_order)[:_MOST_DOCUMENTS])
        self.projects = next((name for name in json_names if name.rsplit("/", 1)[-1].lower() == "projects.json"), None)
        self._by_id: dict[str, str] = {}
        for name in entries:
            match = _FILE_ID.match(name.rsplit("/", 1)[-1])
            if match is not None:
                self._by_id.setdefault(match.group(), name)
        self._by_last = {name.rsplit("/", 1)[-1]: name for name in reversed(entries)}
        try:
            for name in (*self.documents, *([self.projects] if self.projects else [])):
                _check_entry(entries[name])
        except BaseException:
            self.close()
            raise

    @property
    def size_bytes(self) -> int:
        """Of the documents, unpacked."""
        return sum(self._by_name[name].file_size for name in self.documents)

    def open(self, name: str) -> IO[bytes]:
        """The bytes of an entry. Raises ``ImportRefused``."""
        with zip_errors():
            return self._zip.open(self._by_name[name])

    def open_file(self, pointer: str) -> IO[bytes] | None:
        """The file that a message points to; None when the export does not have it."""
        last = pointer.rsplit("/", 1)[-1].split("#", 1)[0]
        match = _FILE_ID.match(last)
        name = self._by_id.get(match.group()) if match is not None else None
        name = name or self._by_last.get(last)
        if name is None or not last:
            return None
        _check_entry(self._by_name[name])
        return self.open(name)

    def name_of(self, pointer: str) -> str:
        match = _FILE_ID.match(pointer.rsplit("/", 1)[-1])
        return (self._by_id.get(match.group()) or "") if match is not None else ""

    def close(self) -> None:
        self._zip.close()


@contextmanager
def zip_errors() -> Iterator[None]:
    """What reading a zip raises, as ``ImportRefused``."""
    try:
        yield
    except ZIP_ERRORS as error:
        raise ImportRefused(
            "The zip file is damaged or not complete.", next_step="Download the export again, then import it."
        ) from error


def _check_directory(path: Path) -> None:
    """Refuse a table of contents that would fill the memory before anybody could look at it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_557))
        tail = file.read(65_557)
    at = tail.rfind(_END)
    if at >= 0 and len(tail) >= at + 16:
        directory_bytes = struct.unpack_from("<I", tail, at + 12)[0]
        if directory_bytes == 0xFFFFFFFF:
            record = tail.rfind(b"PK\x06\x06")
            directory_bytes = struct.unpack_from("<Q", tail, record + 40)[0] if record >= 0 else directory_bytes
        if directory_bytes > _LARGEST_DIRECTORY:
            raise ImportRefused("The zip file claims more files than an export has.")


def _check_entry(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x1:
        raise ImportRefused(
            "The zip file is protected by a password.", next_step="Unpack it, then import the JSON file in it."
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ImportRefused(
            "The zip file is packed in a way that exports are not.",
            next_step="Unpack it, then import the JSON file in it.",
        )
    if info.file_size > _FREE_OF_RATIO and info.file_size > _MOST_RATIO * max(info.compress_size, 1):
        raise ImportRefused("The zip file unpacks to far more than an export holds, so it was not opened.")


def _in_order(name: str) -> tuple[str, int, str]:
    """``conversations-10.json`` comes after ``conversations-9.json``."""
    number = re.search(r"(\d{1,9})\.json\Z", name)
    return (name[: number.start()] if number else name, int(number.group(1)) if number else -1, name)
