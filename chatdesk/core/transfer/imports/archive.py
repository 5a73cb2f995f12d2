"""Finds the documents in an export's zip file, and the files that messages name. Nothing is unpacked.

Names in the zip are only compared, never made into paths. What an archive claims is checked before it is read: entries
that are encrypted, unusual compressions and sizes that no export has are refused. A vendor's privacy portal packs zips
into a zip: those are opened one level deep, and only where the outer one has no conversations of its own.
"""

from __future__ import annotations

import errno
import json
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from chatdesk.core.errors import ImportRefused
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.memories import MEMORY_FILE

_LARGEST_DIRECTORY: Final = 64 * 1024 * 1024
_MOST_DOCUMENTS: Final = 20_000
_MOST_NESTED: Final = 100
_PIECE_BYTES: Final = 1024 * 1024
_LARGEST_NAMES: Final = 16 * 1024 * 1024
# JSON shrinks to a tenth, in odd cases to a fiftieth; a bomb to a thousandth.
_MOST_RATIO: Final = 250
# Compressed data hardly shrinks further.
_MOST_RATIO_NESTED: Final = 5
_FREE_OF_RATIO: Final = 16 * 1024 * 1024
_MAIN = re.compile(r"(?:^|/)(?:conversations(?:[-_]\d{1,5})?|chatdesk)\.json\Z", re.IGNORECASE)
_OTHERS = re.compile(
    r"(?:^|/)(?:user|users|message_feedback|shared_conversations|model_comparisons|group_chats|shopping|sora|projects"
    r"|memories|user_settings|conversation_asset_file_names(?:[-_]\d{1,5})?|library_files|export_manifest)\.json\Z",
    re.IGNORECASE,
)
_PROJECTS = re.compile(r"(?:^|/)(?:projects\.json|projects/[^/]{1,200}\.json)\Z", re.IGNORECASE)
_ASSET_NAMES = re.compile(
    r"(?:^|/)(?:conversation_asset_file_names(?:[-_]\d{1,5})?|library_files)\.json\Z", re.IGNORECASE
)
_DOCUMENTS = (".json", ".jsonl")
# Files attached in Cherry Studio are no exports, whatever they contain. Files beside messages are read with them.
_NO_DOCUMENT = re.compile(r"(?:^|/)Data/Files/")
_BESIDE = "thread.json", "messages.jsonl"
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
    """An opened zip file; ``close`` it."""

    def __init__(self, path: Path, *, tick: Callable[[], None] = lambda: None) -> None:
        """Open the zip file. ``tick`` is called again and again while zips in the zip are copied, and may raise."""
        self._tick = tick
        self._open = ExitStack()
        try:
            with zip_errors():
                with path.open("rb") as file:
                    _check_directory(file)
                outer = self._open.enter_context(zipfile.ZipFile(path))
            self._by_name = _entries_of(outer, "")
            self._no_documents: set[str] = set()
            if not any(_MAIN.search(name) for name in self._by_name):
                self._open_nested()
            self._sort_out()
        except BaseException:
            self.close()
            raise

    def _open_nested(self) -> None:
        """Open the zips in the zip. If one is named after conversations, only such ones have them: another may be a
        person's file that happens to look like an export."""
        nested = [name for name in self._by_name if name.lower().endswith(".zip")][:_MOST_NESTED]
        named = [name for name in nested if "conversations" in name.rsplit("/", 1)[-1].lower()]
        for name in nested:
            found = self._opened(name, is_needed=name in named)
            self._by_name.update(found)
            if named and name not in named:
                self._no_documents.update(found)

    def _opened(self, name: str, *, is_needed: bool) -> Mapping[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
        """Return the entries of a zip in the zip, through a copy on disk: reading backwards in a packed one would cost
        a reading from its beginning each time. A damaged one has none, unless it ``is_needed``; then this raises
        ``ImportRefused``."""
        outer, info = self._by_name[name]
        _check_entry(info, most_ratio=_MOST_RATIO_NESTED)
        copy = self._open.enter_context(tempfile.TemporaryFile(prefix="chatdesk-import-"))  # noqa: SIM115 - closed with it
        try:
            with zip_errors():
                with outer.open(info) as packed:
                    while piece := packed.read(_PIECE_BYTES):
                        self._tick()
                        copy.write(piece)
                _check_directory(copy)
                inner = self._open.enter_context(zipfile.ZipFile(copy))
        except ImportRefused as error:
            if is_needed or not isinstance(error.__cause__, zipfile.BadZipFile):
                raise
            return {}
        return _entries_of(inner, f"{name}/")

    def _sort_out(self) -> None:
        entries = self._by_name
        self.documents, self.projects = sorted_documents(entries.keys() - self._no_documents)
        small = {name for name, (_in, info) in entries.items() if info.file_size <= _LARGEST_NAMES}
        self.memories = memory_documents(small - self._no_documents)
        self._by_id: dict[str, str] = {}
        for name in entries:
            match = _FILE_ID.match(name.rsplit("/", 1)[-1])
            if match is not None:
                self._by_id.setdefault(match.group(), name)
        self._by_last = {name.rsplit("/", 1)[-1]: name for name in reversed(entries)}
        for name in (*self.documents, *self.projects):
            _check_entry(entries[name][1])
        self._shown_names = dict[str, str]()
        for name in entries:
            if name not in self._no_documents and _ASSET_NAMES.search(name):
                self._shown_names |= _shown_names(self.read_small(name))
        self._by_key = self._stored_under(self.read_small("manifest.json")) if self.has("manifest.json") else {}

    @property
    def names(self) -> Collection[str]:
        return self._by_name.keys()

    def has(self, name: str) -> bool:
        return name in self._by_name

    def read_small(self, name: str) -> object:
        """Return the value of a small optional document; None if anything is wrong with it."""
        info = self._by_name[name][1]
        if info.file_size > _LARGEST_NAMES:
            return None
        try:
            _check_entry(info)
            with self.open(name) as stream:
                return cast(object, json.loads(stream.read(_LARGEST_NAMES)))
        except (ImportRefused, RecursionError, *ZIP_ERRORS):
            return None

    def _stored_under(self, manifest: object) -> dict[str, str]:
        """Return the entries for the keys that messages name, which Chatbox's zip lists in its manifest."""
        found: dict[str, str] = {}
        resources = manifest.get("resources") if isinstance(manifest, dict) else None
        for each in resources if isinstance(resources, list) else ():
            path = each.get("path") if isinstance(each, dict) else None
            keys = each.get("originalStorageKeys") if isinstance(each, dict) else None
            if isinstance(path, str) and isinstance(keys, list) and path in self._by_name:
                found.update((key, path) for key in keys if isinstance(key, str))
        return found

    @property
    def size_bytes(self) -> int:
        """The unpacked size of the documents."""
        return sum(self._by_name[name][1].file_size for name in self.documents)

    def open(self, name: str) -> IO[bytes]:
        """Open an entry for reading. Raises ``ImportRefused``."""
        archive, info = self._by_name[name]
        with zip_errors():
            return archive.open(info)

    def open_file(self, pointer: str) -> IO[bytes] | None:
        """Open the file that a message points to; None when the export does not have it."""
        last = pointer.rsplit("/", 1)[-1].split("#", 1)[0]
        match = _FILE_ID.match(last)
        name = self._by_id.get(match.group()) if match is not None else None
        name = name or self._by_key.get(pointer) or self._by_last.get(last)
        if name is None or not last:
            return None
        _check_entry(self._by_name[name][1])
        return self.open(name)

    def name_of(self, pointer: str) -> str:
        """Return the file's name in the export; empty if it does not reveal the kind."""
        match = _FILE_ID.match(pointer.rsplit("/", 1)[-1])
        if match is None:
            return ""
        shown = self._shown_names.get(match.group())
        if shown is not None:
            return shown
        name = self._by_id.get(match.group(), "")
        return "" if name.lower().endswith(".dat") else name

    def close(self) -> None:
        self._open.close()


def sorted_documents(names: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of documents that may hold conversations, in the order of writing, and those of Claude's
    projects."""
    found = [name for name in names if name.lower().endswith(_DOCUMENTS) and not _NO_DOCUMENT.search(name)]
    main = [name for name in found if _MAIN.search(name)]
    projects = tuple(sorted(name for name in found if _PROJECTS.search(name))[:_MOST_DOCUMENTS])
    known = set(projects)
    others = [name for name in found if not _OTHERS.search(name) and name not in known and not _is_beside(name, names)]
    return tuple(sorted(main or others, key=_in_order)[:_MOST_DOCUMENTS]), projects


def memory_documents(names: Collection[str]) -> tuple[str, ...]:
    """Return the names of the files that hold what a program remembered."""
    found = (name for name in names if MEMORY_FILE.search(name) and not _NO_DOCUMENT.search(name))
    return tuple(sorted(found))[:_MOST_NESTED]


def _is_beside(name: str, names: Collection[str]) -> bool:
    small, large = _BESIDE
    return name.rsplit("/", 1)[-1] == small and f"{name.removesuffix(small)}{large}" in names


def _shown_names(value: object) -> dict[str, str]:
    """Return the person's own names of files, by file id: newer exports call all files ``….dat``."""
    pairs: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
    if isinstance(value, list):
        pairs = [(each.get("file_id"), each.get("file_name")) for each in value if isinstance(each, dict)]
    found: dict[str, str] = {}
    for key, shown in pairs:
        match = _FILE_ID.match(key) if isinstance(key, str) else None
        if match is not None and isinstance(shown, str) and shown.strip():
            found[match.group()] = shown.rsplit("/", 1)[-1][:255]
    return found


def _entries_of(archive: zipfile.ZipFile, above: str) -> dict[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
    return {f"{above}{info.filename}": (archive, info) for info in archive.infolist() if not info.is_dir()}


@contextmanager
def zip_errors() -> Iterator[None]:
    """Turn the errors of reading a zip into ``ImportRefused``."""
    try:
        yield
    except ZIP_ERRORS as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ImportRefused(
                Text("There is not enough room on the disk to open the zip files in this one."),
                next_step=Text("Make room, or unpack it and import the zip file of the conversations alone."),
            ) from error
        raise ImportRefused(
            Text("The zip file is damaged or not complete."),
            next_step=Text("Download the export again, then import it."),
        ) from error


def _check_directory(file: IO[bytes]) -> None:
    """Raise ``ImportRefused`` for a table of contents that would fill the memory."""
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
            raise ImportRefused(Text("The zip file claims more files than an export has."))


def _check_entry(info: zipfile.ZipInfo, *, most_ratio: int = _MOST_RATIO) -> None:
    if info.flag_bits & 0x1:
        raise ImportRefused(
            Text("The zip file is protected by a password."),
            next_step=Text("Unpack it, then import the JSON file in it."),
        )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ImportRefused(
            Text("The zip file is packed in a way that exports are not."),
            next_step=Text("Unpack it, then import the JSON file in it."),
        )
    if info.file_size > _FREE_OF_RATIO and info.file_size > most_ratio * max(info.compress_size, 1):
        raise ImportRefused(Text("The zip file unpacks to far more than an export holds, so it was not opened."))


def _in_order(name: str) -> tuple[str, int, str]:
    """Return a sort key that puts ``conversations-10.json`` after ``conversations-9.json``."""
    number = re.search(r"(\d{1,9})\.json\Z", name)
    return (name[: number.start()] if number else name, int(number.group(1)) if number else -1, name)
