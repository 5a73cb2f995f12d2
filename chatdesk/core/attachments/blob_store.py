"""Stores the bytes that messages refer to, each in a file that is named by its content.

A blob is at ``<folder>/<first two hex digits>/<sha256>``. It is written under another name, brought to the disk and
renamed, so that a file with a blob's name is always whole. Equal bytes are kept once. Names that people or files give
never become part of a path.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chatdesk.core.attachments.virus_scan import VirusScan
from chatdesk.core.errors import AttachmentTooLarge, AttachmentUnusable
from chatdesk.core.paths import make_private_folder, sync_directory
from chatdesk.core.system.file_writing import remove_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_UNFINISHED = ".part-"
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are on the disk."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob as the folder lists it; ``age_s`` is the time since it was last put there."""

    sha256: str
    size_bytes: int
    age_s: float


class BlobStore:
    """The folder of blobs. Safe to use from any thread; everything here waits for the disk. Nothing is created before
    the first ``put``."""

    def __init__(self, folder: Path, scan: VirusScan | None = None) -> None:
        self.folder = folder
        self.scan = scan or VirusScan()

    def put(self, stream: BinaryIO | Iterable[bytes], *, max_bytes: int) -> Blob:
        """Store the bytes of ``stream``. Raises ``AttachmentTooLarge`` as soon as there are more than ``max_bytes``,
        ``FileInfected`` or ``FileNotScanned`` by what the virus scanner says, and ``AttachmentUnusable`` where the disk
        does not take it; nothing is left behind then. Errors of ``stream`` are passed on."""
        unfinished = self._new_file()
        try:
            blob = _write(unfinished, _pieces(stream), max_bytes)
            self.scan.check(unfinished, blob.sha256)
            self._finish(unfinished, blob)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        return blob

    def path(self, sha256: str) -> Path:
        """Return the path of a blob, stored or not. Raises ``AttachmentUnusable`` for an invalid sum."""
        return self.folder / relative_path(sha256)

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def check(self, sha256: str) -> None:
        """Have a blob scanned that may have come in before there was a scanner. Raises as ``put`` does."""
        if self.has(sha256):
            self.scan.check(self.path(sha256), sha256)

    def read(self, sha256: str, *, max_bytes: int) -> bytes:
        """Return the bytes of a blob. Raises ``AttachmentUnusable`` where they are missing or more than
        ``max_bytes``."""
        try:
            with self.path(sha256).open("rb") as file:
                found = file.read(max_bytes + 1)
        except OSError as error:
            raise AttachmentUnusable(Text("The attached file is no longer there.")) from error
        if len(found) > max_bytes:
            raise AttachmentUnusable(Text("The attached file is larger than it was."))
        return found

    def remove(self, sha256: str) -> None:
        """Delete a blob; a missing one is not an error."""
        remove_file(self.path(sha256))

    def list(self) -> Iterator[StoredBlob]:
        """Yield every blob in the folder, in no order."""
        now_s = time.time()
        for directory in _entries(self.folder):
            if len(directory.name) != 2 or not directory.is_dir(follow_symlinks=False):
                continue
            for entry in _entries(Path(directory.path)):
                if _SHA256.match(entry.name) and entry.name.startswith(directory.name):
                    with contextlib.suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        yield StoredBlob(entry.name, status.st_size, max(now_s - status.st_mtime, 0.0))

    def remove_unfinished(self, *, older_than_s: float) -> None:
        """Delete the files that a process was writing when it died."""
        for entry in list(_entries(self.folder)):
            if entry.name.startswith(_UNFINISHED):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > older_than_s:
                        Path(entry.path).unlink()

    def unfinished(self, sha256: str) -> Path:
        """Return the path at which a blob is assembled from pieces over days; upkeep removes it when it is old."""
        return self.folder / f"{_UNFINISHED}{Path(relative_path(sha256)).name}"

    def _new_file(self) -> Path:
        try:
            make_private_folder(self.folder)
            return self.folder / f"{_UNFINISHED}{secrets.token_hex(8)}"
        except OSError as error:
            raise _not_kept(error) from error

    def _finish(self, unfinished: Path, blob: Blob) -> None:
        target = self.path(blob.sha256)
        try:
            make_private_folder(target.parent)
            # Also over equal bytes: that repairs a damaged file, and makes it young, so that upkeep leaves it alone.
            unfinished.replace(target)
            sync_directory(target.parent)
        except OSError as error:
            raise _not_kept(error) from error


def relative_path(sha256: str) -> str:
    """Return the path of a blob below the folder, as an artifact's ``path`` has it. Raises ``AttachmentUnusable``."""
    if not _SHA256.match(sha256):
        raise AttachmentUnusable(Text("That is not the checksum of a file."))
    return f"{sha256[:2]}/{sha256}"


def _write(path: Path, pieces: Iterator[bytes], max_bytes: int) -> Blob:
    digest = hashlib.sha256()
    size_bytes = 0
    descriptor = _opened(path)
    with open(descriptor, "wb", buffering=0) as file:
        for piece in pieces:
            size_bytes += len(piece)
            if size_bytes > max_bytes:
                raise AttachmentTooLarge.of(max_bytes)
            digest.update(piece)
            try:
                _write_all(file.fileno(), piece)
            except OSError as error:
                raise _not_kept(error) from error
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise _not_kept(error) from error
    return Blob(digest.hexdigest(), size_bytes)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise _not_kept(error) from error


def _write_all(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _pieces(stream: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(stream, "read", None)
    if read is None:
        yield from stream
        return
    while piece := read(_PIECE_BYTES):
        yield piece


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


def _not_kept(error: OSError) -> AttachmentUnusable:
    return AttachmentUnusable(
        Text(
            "The file could not be stored with your messages: {reason}.",
            reason=reason_text(error),
        ),
        next_step=Text("Make room on the disk or choose another data directory, then attach it again."),
    )
