"""Copies a file that a person chose into the blob store, with words for everything that can be wrong with it.

Everything here waits for the disk; call it on a thread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from chatdesk.core.attachments.attachment_limits import AttachmentLimits
from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.file_kinds import HEAD_BYTES, kind_of
from chatdesk.core.attachments.file_reader import FileReader
from chatdesk.core.domain.attachment import IMAGE_MIMES, Attachment, clean_name
from chatdesk.core.errors import AttachmentUnusable
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

_PIECE_BYTES = 256 * 1024
_SYSTEM_FOLDERS = ("/proc", "/sys", "/dev")
_FILES_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - where people and programs keep ordinary files

Progress = Callable[[int, int], None]


class Intake:
    """Adds files to the blob store. ``add_*`` raise ``AttachmentTooLarge`` or ``AttachmentUnusable``; nothing is kept
    then."""

    def __init__(self, blobs: BlobStore, reader: FileReader) -> None:
        self._blobs = blobs
        self._reader = reader

    def add_file(self, path: Path, *, limits: AttachmentLimits, progress: Progress | None = None) -> Attachment:
        """Add a file from the disk. ``progress`` is called on this thread with the copied and the total number of
        bytes."""
        name = clean_name(path.name)
        with open_given(path, name) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            limits.check_size(name, size_bytes)
            return self._add(_pieces(file, name, size_bytes, progress), name, limits)

    def add_bytes(self, data: bytes, name: str, *, limits: AttachmentLimits) -> Attachment:
        """Add bytes that are in memory already: a pasted picture, or a text."""
        cleaned = clean_name(name)
        limits.check_size(cleaned, len(data))
        return self._add(iter([data] if data else []), cleaned, limits)

    def _add(self, pieces: Iterator[bytes], name: str, limits: AttachmentLimits) -> Attachment:
        head = bytearray()

        def watched() -> Iterator[bytes]:
            for piece in pieces:
                if len(head) < HEAD_BYTES:
                    head.extend(piece[: HEAD_BYTES - len(head)])
                yield piece
            if not head:  # before the store would keep nothing at all
                raise empty_file(name)

        blob = self._blobs.put(watched(), max_bytes=limits.file_bytes)
        mime = kind_of(bytes(head), name)
        limits.check_kind(name, mime)
        attachment = Attachment(name, mime, blob.sha256, blob.size_bytes)
        if mime not in IMAGE_MIMES:
            return attachment
        size = self._reader.measure(self._blobs.path(blob.sha256))
        if isinstance(size, str):
            raise AttachmentUnusable(
                Text("The image “{name}” cannot be attached. {reason}", name=name, reason=size),
                next_step=Text("Save it again with a drawing program, smaller if need be, and attach that."),
            )
        return Attachment(name, mime, blob.sha256, blob.size_bytes, *size)


def open_given(path: Path, name: str) -> FileIO:
    """Open a file that a person named, for reading. Raises ``AttachmentUnusable`` if it is not a regular file of
    theirs."""
    if _is_of_the_system(path):
        raise _not_a_file(name)
    try:
        # Opening a pipe would block until a writer opens it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise AttachmentUnusable(Text("“{name}” is not there.", name=name)) from error
    except IsADirectoryError as error:
        raise _folder(name) from error
    except (OSError, ValueError) as error:
        if path.is_dir():  # Windows says no more than that it may not be read
            raise _folder(name) from error
        raise _unreadable(name, error) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise _folder(name) if stat.S_ISDIR(mode) else _not_a_file(name)
    return os.fdopen(descriptor, "rb", buffering=0)


def empty_file(name: str) -> AttachmentUnusable:
    return AttachmentUnusable(Text("“{name}” is empty.", name=name), next_step=Text("Attach a file that is not empty."))


def _is_of_the_system(path: Path) -> bool:
    """Return whether this is no file on a disk but a view into the system: variables with keys, memory, devices. Links
    are followed; opening one of these may do more than read."""
    try:
        real = path.resolve()
        device = real.stat().st_dev
    except (OSError, ValueError, RuntimeError):
        return False  # opening it will report the fault
    own = Path("/").stat().st_dev if os.name == "posix" else None
    for each in map(Path, _SYSTEM_FOLDERS if os.name == "posix" else ()):
        if each in (real, *real.parents) and _FILES_IN_MEMORY not in real.parents:
            return True
        with suppress(OSError):
            if device == each.stat().st_dev != own:  # the same file system, mounted elsewhere as well
                return True
    return False


def _not_a_file(name: str) -> AttachmentUnusable:
    return AttachmentUnusable(Text("“{name}” is not a file that can be read.", name=name))


def _pieces(file: BinaryIO, name: str, size_bytes: int, progress: Progress | None) -> Iterator[bytes]:
    copied = 0
    while True:
        try:
            piece = file.read(_PIECE_BYTES)
        except OSError as error:
            raise _unreadable(name, error) from error
        if not piece:
            return
        copied += len(piece)
        if progress is not None:
            progress(copied, max(size_bytes, copied))
        yield piece


def _folder(name: str) -> AttachmentUnusable:
    return AttachmentUnusable(Text("“{name}” is a folder.", name=name), next_step=Text("Attach the files in it."))


def _unreadable(name: str, error: Exception) -> AttachmentUnusable:
    reason = reason_text(error) if isinstance(error, OSError) else Text("its name or place is not valid")
    return AttachmentUnusable(
        Text("“{name}” cannot be read: {reason}.", name=name, reason=reason),
        next_step=Text("Check the file, then attach it again."),
    )
