"""Packs backups, checks them against their source, and unpacks backups of any form.

A backup is a database (``.db``), one that is packed (``.db.gz``), or a zip with the database and the files that
messages name. Those files are listed beside a packed one (``.files``): their bytes never change and are in the data
directory, so a backup does not copy them, and a clean-up there must not remove files that a kept backup names.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

from chatdesk.core.domain.attachment import attachment_from
from chatdesk.core.domain.prompt import setup_from
from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.paths import make_private_folder, sync_directory
from chatdesk.core.storage.engine import stored_bytes, unfinished_files
from chatdesk.core.storage.engine.backup import FILES_ENDING, sync_file
from chatdesk.core.storage.engine.connection import connect, make_private_directory, make_private_file
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.system.file_writing import replacing
from chatdesk.core.texts import Text

PACKED: Final = ".gz"
_GZIP: Final = b"\x1f\x8b"
_DATABASE: Final = b"SQLite format 3\x00"
_SMALLEST_PAGE: Final = 512
# Exceptions besides ``OSError`` from reading a file that is not a backup, or is cut short.
_BROKEN: Final = (EOFError, zipfile.BadZipFile, KeyError, ValueError, RuntimeError, zlib.error)
DATABASE_IN_ZIP: Final = "chatdesk.db"
BLOBS_IN_ZIP: Final = "blobs/"
# Measured on text like ours: level 1 leaves 35 % at 72 MB/s, 4 leaves 31 % at 47, 6 leaves 30 % at 38; LZMA 27 % at 7.
_LEVEL: Final = 4
_PIECE_BYTES: Final = 1024 * 1024
_NOT_WHOLE = StorageCorrupt(
    Text("The backup that was just made is damaged, so it was not kept."),
    safe=Text("Your messages and the older backups are unchanged."),
    next_step=Text("Check the disk; ChatDesk tries again within the hour."),
)

Stop = Callable[[], bool]
Room = Callable[[int], None]


def pack(source: Path, target: Path, *, named: Iterable[str]) -> Path:
    """Pack the database at ``source`` into ``target``, which gets its name when the packed copy has been read back."""
    temporary = unfinished_files.name_for(target)
    listed = target.with_name(target.name + FILES_ENDING)
    try:
        make_private_file(temporary)
        wanted = hashlib.sha256()
        with (
            source.open("rb") as reading,
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", _LEVEL, raw, 0) as packed,
        ):
            _copy(reading, packed, wanted.update)
        found = hashlib.sha256()
        with gzip.open(temporary, "rb") as again:
            _copy(again, None, found.update)
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


def unpack(backup: Path, target: Path, *, is_room: Room) -> None:
    """Write the database of any backup to ``target``. ``is_room`` is called for every piece with the bytes so far, and
    raises if they are too many. Raises ``StorageCorrupt`` for a file that is not a backup, and ``OSError``."""
    make_private_file(target)
    try:
        with _opened(backup) as source, target.open("wb") as sink:
            _copy(source, sink, is_room=is_room)
            sink.flush()
            os.fsync(sink.fileno())
    except _BROKEN as error:
        raise not_a_backup(backup) from error


def looks_whole(backup: Path) -> bool:
    """Return whether a file begins and ends as a backup does, without unpacking all that is between. Raises
    ``OSError``."""
    try:
        with _opened(backup) as source:
            begins = source.read(len(_DATABASE)) == _DATABASE
        size = backup.stat().st_size
        with backup.open("rb") as file:
            if file.read(2) == _GZIP:  # the last four bytes of a gzip file are its unpacked size
                file.seek(-4, os.SEEK_END)
                size = int.from_bytes(file.read(), "little")
    except (StorageCorrupt, *_BROKEN):
        return False
    return begins and (backup.suffix == ".zip" or size % _SMALLEST_PAGE == 0)


def not_a_backup(path: Path) -> StorageCorrupt:
    """Return the error for a file that cannot be restored."""
    return StorageCorrupt(
        Text("{name} is not a complete backup of ChatDesk.", name=path.name),
        safe=Text("Nothing was changed."),
        next_step=Text("Choose another backup."),
    )


def _opened(backup: Path) -> IO[bytes]:
    with backup.open("rb") as file:
        begin = file.read(16)
    if begin.startswith(_GZIP):
        return cast(IO[bytes], gzip.open(backup, "rb"))
    if begin.startswith(b"PK\x03\x04"):
        return _Member(zipfile.ZipFile(backup), DATABASE_IN_ZIP)  # type: ignore[return-value]
    if begin == _DATABASE:
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
    """Return the names of all bytes that messages, drafts and assistants refer to."""
    return set(named_sizes(database))


def named_sizes(database: sqlite3.Connection) -> dict[str, int]:
    """Return the sizes in bytes that messages, drafts and assistants state for their files, by name. Invalid names are
    left out."""
    found: dict[Any, Any] = {}
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "artifacts" in tables:
        for name, size in database.execute("SELECT sha256, max(size_bytes) FROM artifacts GROUP BY sha256"):
            found[name] = size
    columns = {row[1] for row in database.execute("PRAGMA table_info(drafts)")}
    if "attachments" in columns:
        for (text,) in database.execute("SELECT attachments FROM drafts WHERE attachments <> '[]'"):
            for each in _listed(text):
                found.setdefault(each["sha256"], each.get("size_bytes", 0))
    columns = {row[1] for row in database.execute("PRAGMA table_info(prompts)")}
    if "setup" in columns:
        for (text,) in database.execute("SELECT setup FROM prompts WHERE setup <> ''"):
            for file in setup_from(from_json(text)).files:
                found.setdefault(file.sha256, file.size_bytes)
    return {
        name: size
        for name, size in found.items()
        if isinstance(name, str) and _is_digest(name) and isinstance(size, int)
    }


def names_of(database: Path) -> set[str]:
    """Return the names of all bytes that the database in a file refers to."""
    with closing(connect(database, "read")) as conn:
        return named_files(conn)


def _listed(text: str) -> list[dict[str, Any]]:
    listed = from_json(f'{{"list":{text}}}').get("list")
    return [each for each in listed if isinstance(each, dict) and "sha256" in each] if isinstance(listed, list) else []


def names_in(backup: Path) -> set[str]:
    """Return the file names that are listed beside a backup; of one without a list that is not packed, those that its
    database refers to."""
    with suppress(OSError, UnicodeError):
        return set(backup.with_name(backup.name + FILES_ENDING).read_text("ascii").split())
    if backup.name.endswith(PACKED):
        return set()
    with closing(connect(backup, "read")) as conn:
        try:
            return named_files(conn)
        except sqlite3.Error:
            return set()


def _write_list(path: Path, names: Iterable[str]) -> None:
    make_private_file(path)
    path.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="ascii", errors="replace")
    sync_file(path)


def write_zip(database: Path, blobs: Path, target: Path, *, about: dict[str, Any], is_stopped: Stop) -> tuple[str, ...]:
    """Write ``database`` and the files that it names to one zip at ``target``. Files that are missing or not what was
    saved are left out. Returns sentences that name them."""
    lost: list[str] = []
    with closing(connect(database, "read")) as conn:
        names = sorted(named_files(conn))
        with replacing(target) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
                archive.writestr("backup.json", json.dumps(about, indent=2))
                archive.write(database, DATABASE_IN_ZIP)
                for name in names:
                    if is_stopped():
                        raise InterruptedError
                    complaint = stored_bytes.complaint(blobs, name) or _pack(archive, blobs, name)
                    if complaint:
                        lost.append(f"“{_called(conn, name)}” {complaint}.")
            with zipfile.ZipFile(file) as archive:
                if archive.testzip() is not None:
                    raise _NOT_WHOLE
    return tuple(lost)


def _pack(archive: zipfile.ZipFile, blobs: Path, name: str) -> str:
    entry = zipfile.ZipInfo(BLOBS_IN_ZIP + name)
    entry.external_attr = 0o600 << 16
    with archive.open(entry, "w", force_zip64=True) as sink:
        if stored_bytes.copy(blobs, name, cast(BinaryIO, sink)):
            return ""
    raise _NOT_WHOLE  # the file changed between the two checks


def _called(conn: sqlite3.Connection, name: str) -> str:
    """Return the name of an attached file that people see."""
    row = conn.execute(
        "SELECT p.content FROM artifacts a JOIN message_parts p ON p.id = a.part_id WHERE a.sha256 = ?"
        " ORDER BY a.kind = 'document' LIMIT 1",
        (name,),
    ).fetchone()
    attachment = attachment_from(from_json(row[0])) if row is not None else None
    return name[:12] + "…" if attachment is None else attachment.name


def blobs_of_zip(backup: Path) -> dict[str, int]:
    """Return the names of the files that a zip includes, with how many bytes each of them says that it has."""
    if not zipfile.is_zipfile(backup):
        return {}
    with zipfile.ZipFile(backup) as archive:
        return {
            name.removeprefix(BLOBS_IN_ZIP): entry.file_size
            for entry in archive.infolist()
            if (name := entry.filename).startswith(BLOBS_IN_ZIP) and _is_digest(name.removeprefix(BLOBS_IN_ZIP))
        }


def unpack_blobs(backup: Path, blobs: Path, sizes: Mapping[str, int], *, is_room: Room) -> int:
    """Copy the missing files from a zip into the directory of blobs. Returns how many. ``sizes``: the wanted files,
    with their bytes by the database. A file whose content does not fit its name is left out."""
    wanted = [name for name in blobs_of_zip(backup) if name in sizes and not (blobs / name[:2] / name).is_file()]
    if not wanted:
        return 0
    make_private_directory(blobs)
    unfinished_files.clear(blobs)
    with zipfile.ZipFile(backup) as archive:
        return sum(_unpack_blob(archive, name, blobs, sizes[name], is_room) for name in wanted)


def _unpack_blob(archive: zipfile.ZipFile, name: str, blobs: Path, size: int, is_room: Room) -> bool:
    target, temporary = blobs / name[:2] / name, unfinished_files.name_for(blobs / name)
    hasher = hashlib.sha256()

    def is_expected(count: int) -> None:
        is_room(count)
        if count > size:
            raise ValueError

    try:
        make_private_folder(target.parent)
        make_private_file(temporary)
        with archive.open(BLOBS_IN_ZIP + name) as source, temporary.open("wb") as sink:
            _copy(source, sink, hasher.update, is_room=is_expected)
            sink.flush()
            os.fsync(sink.fileno())
        if hasher.hexdigest() == name:
            temporary.replace(target)
            sync_directory(target.parent)
            return True
    except (EOFError, zipfile.BadZipFile, ValueError, RuntimeError, zlib.error):
        return False
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return False


def _is_digest(name: str) -> bool:
    return len(name) == 64 and not set(name) - set("0123456789abcdef")


def _copy(
    source: Any, sink: Any, digest: Callable[[bytes], object] | None = None, *, is_room: Room | None = None
) -> None:
    count = 0
    while piece := source.read(_PIECE_BYTES):
        count += len(piece)
        if is_room is not None:
            is_room(count)
        if digest is not None:
            digest(piece)
        if sink is not None:
            sink.write(piece)
