"""Backups as files: packed, checked against what was packed, and unpacked again, whatever shape they have.

A backup is a database (``.db``), one that is packed (``.db.gz``), or a zip with the database and the files that
messages name. Those files are listed beside a packed one (``.files``): their bytes never change and lie in the data
directory, so a backup does not copy them, and who tidies there must not remove what a kept backup names.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.paths import sync_directory
from chatdesk.core.storage.backup import sync_file
from chatdesk.core.storage.backup_shelf import FILES_ENDING
from chatdesk.core.storage.connection import make_private_file
from chatdesk.core.storage.plain_text import from_json

PACKED: Final = ".gz"
DATABASE_IN_ZIP: Final = "chatdesk.db"
BLOBS_IN_ZIP: Final = "blobs/"
# Measured on text like ours: level 1 leaves 35 % at 72 MB/s, 4 leaves 31 % at 47, 6 leaves 30 % at 38; LZMA 27 % at 7.
_LEVEL: Final = 4
_PIECE_BYTES: Final = 1024 * 1024
_NOT_WHOLE = StorageCorrupt(
    "The backup that was just made is damaged, so it was not kept.",
    safe="Your messages and the older backups are as they were.",
    next_step="Check the disk; it is tried again within the hour.",
)

Stop = Callable[[], bool]


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def pack(source: Path, target: Path, *, named: Iterable[str]) -> Path:
    """Pack the database at ``source`` into ``target``, which gets its name when what was packed has been read back."""
    temporary = target.with_name(target.name + ".new")
    listed = target.with_name(target.name + FILES_ENDING)
    try:
        make_private_file(temporary)
        wanted = hashlib.sha256()
        with (
            source.open("rb") as reading,
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", _LEVEL, raw, 0) as packed,
        ):
            _copy(reading, packed, wanted)
        found = hashlib.sha256()
        with gzip.open(temporary, "rb") as again:
            _copy(again, None, found)
        if found.digest() != wanted.digest():
            raise _NOT_WHOLE
        sync_file(temporary)
        _write_list(listed, named)
        temporary.replace(target)
        sync_directory(target.parent)
    except BaseException:
        for path in (temporary, listed):
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise
    return target


def unpack(backup: Path, target: Path) -> None:
    """The database of any backup, written to ``target``. Raises ``StorageCorrupt`` for what is none, ``OSError``."""
    make_private_file(target)
    try:
        with _opened(backup) as source, target.open("wb") as sink:
            _copy(source, sink)
            sink.flush()
            os.fsync(sink.fileno())
    except (EOFError, zipfile.BadZipFile, KeyError, ValueError, RuntimeError, zlib.error) as error:
        raise not_a_backup(backup) from error


def not_a_backup(path: Path) -> StorageCorrupt:
    """What is said of a file that cannot be restored."""
    return StorageCorrupt(
        f"{path.name} is not a whole backup of ChatDesk.",
        safe="Nothing was changed.",
        next_step="Choose another backup.",
    )


def _opened(backup: Path) -> IO[bytes]:
    with backup.open("rb") as file:
        begin = file.read(16)
    if begin.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(backup, "rb"))
    if begin.startswith(b"PK\x03\x04"):
        return _Member(zipfile.ZipFile(backup), DATABASE_IN_ZIP)  # type: ignore[return-value]
    if begin.startswith(b"SQLite format 3\x00"):
        return backup.open("rb")
    raise not_a_backup(backup)


class _Member:
    """A file in a zip that closes the zip with itself."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        try:
            self._file = archive.open(name)
        except BaseException:
            archive.close()
            raise

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def __enter__(self) -> _Member:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()
        self._archive.close()


def named_files(database: sqlite3.Connection) -> set[str]:
    """The names of all bytes that messages and drafts refer to."""
    found = set()
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "artifacts" in tables:
        found |= {row[0] for row in database.execute("SELECT DISTINCT sha256 FROM artifacts")}
    columns = {row[1] for row in database.execute("PRAGMA table_info(drafts)")}
    if "attachments" in columns:
        for (text,) in database.execute("SELECT attachments FROM drafts WHERE attachments <> '[]'"):
            found |= {str(each["sha256"]) for each in _listed(text)}
    return found


def names_of(database: Path) -> set[str]:
    """The same of a database that is a file."""
    with closing(sqlite3.connect(database)) as conn:
        return named_files(conn)


def _listed(text: str) -> list[dict[str, Any]]:
    listed = from_json(f'{{"list":{text}}}').get("list")
    return [each for each in listed if isinstance(each, dict) and "sha256" in each] if isinstance(listed, list) else []


def names_in(backup: Path) -> set[str]:
    """What the list beside a packed backup says; where there is none, what the database in it says."""
    with suppress(OSError, UnicodeError):
        return set(backup.with_name(backup.name + FILES_ENDING).read_text("ascii").split())
    if backup.name.endswith(PACKED):
        return set()
    with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as conn:
        try:
            return named_files(conn)
        except sqlite3.Error:
            return set()


def _write_list(path: Path, names: Iterable[str]) -> None:
    make_private_file(path)
    path.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="ascii", errors="replace")
    sync_file(path)


def write_zip(database: Path, blobs: Path, target: Path, *, about: dict[str, Any], is_stopped: Stop) -> int:
    """``database`` and the files that it names in one zip at ``target``; how many of those files were missing."""
    temporary = target.with_name(f".{target.name[:80]}.{os.getpid()}.new")
    missing = 0
    with closing(sqlite3.connect(database)) as conn:
        names = sorted(named_files(conn))
    try:
        make_private_file(temporary)
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            archive.writestr("backup.json", json.dumps(about, indent=2))
            archive.write(database, DATABASE_IN_ZIP)
            for name in names:
                if is_stopped():
                    raise InterruptedError
                source = blobs / name[:2] / name
                if source.is_file():
                    archive.write(source, BLOBS_IN_ZIP + name, zipfile.ZIP_STORED)
                else:
                    missing += 1
        with zipfile.ZipFile(temporary) as archive:
            if archive.testzip() is not None:
                raise _NOT_WHOLE
        sync_file(temporary)
        temporary.replace(target)
        sync_directory(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return missing


def blobs_of_zip(backup: Path) -> list[str]:
    """The names of the files that a zip brings along."""
    if not zipfile.is_zipfile(backup):
        return []
    with zipfile.ZipFile(backup) as archive:
        return [
            name.removeprefix(BLOBS_IN_ZIP)
            for name in archive.namelist()
            if name.startswith(BLOBS_IN_ZIP) and _is_digest(name.removeprefix(BLOBS_IN_ZIP))
        ]


def unpack_blobs(backup: Path, blobs: Path) -> int:
    """Put the files of a zip where they belong, those that are not there yet; how many. What is not what its name says
    is left out."""
    count = 0
    names = blobs_of_zip(backup)
    if not names:
        return 0
    with zipfile.ZipFile(backup) as archive:
        for name in names:
            target = blobs / name[:2] / name
            if target.is_file():
                continue
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = target.with_name(f".{name}.{os.getpid()}.new")
            hasher = hashlib.sha256()
            try:
                make_private_file(temporary)
                with archive.open(BLOBS_IN_ZIP + name) as source, temporary.open("wb") as sink:
                    _copy(source, sink, hasher)
                    sink.flush()
                    os.fsync(sink.fileno())
                if hasher.hexdigest() == name:
                    temporary.replace(target)
                    count += 1
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
    return count


def _is_digest(name: str) -> bool:
    return len(name) == 64 and not set(name) - set("0123456789abcdef")


def _copy(source: Any, sink: Any, hasher: _Hash | None = None) -> None:
    if hasher is None and sink is not None:
        shutil.copyfileobj(source, sink, _PIECE_BYTES)
        return
    while piece := source.read(_PIECE_BYTES):
        if hasher is not None:
            hasher.update(piece)
        if sink is not None:
            sink.write(piece)
