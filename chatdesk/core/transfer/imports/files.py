"""Keeps the files that an export has for its messages. The export's own word on a file's kind is not believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chatdesk.core.attachments.attachment_limits import LARGEST_IMPORTED_BYTES
from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.file_kinds import HEAD_BYTES, kind_of
from chatdesk.core.attachments.file_reader import FileReader
from chatdesk.core.attachments.virus_scan import FileInfected
from chatdesk.core.domain.attachment import IMAGE_MIMES, Attachment, clean_name
from chatdesk.core.domain.imported import ImportedFile
from chatdesk.core.errors import AttachmentTooLarge, ImportRefused
from chatdesk.core.transfer.imports.archive import zip_errors
from chatdesk.core.transfer.imports.source import ExportFile
from chatdesk.core.transfer.imports.values import count_of

_PIECE_BYTES = 256 * 1024
_MOST_PIXELS_A_SIDE = 100_000
_MOST_MEASURED = 500


class FileKeeper:
    """Stores the files of new messages, on the thread that reads the export. Raises ``AttachmentUnusable`` if the disk
    refuses a file, or no virus scanner looks at it. ``infected`` are the names of those that were kept out;
    ``is_refused`` says which kinds are."""

    def __init__(self, export: ExportFile, blobs: BlobStore, is_refused: Callable[[str], bool]) -> None:
        self._export = export
        self._is_refused = is_refused
        self._blobs = blobs
        self._reader = FileReader()
        self._measured = 0
        self._kept: dict[str, Attachment] = {}
        self.infected: list[str] = []

    def keep(self, file: ImportedFile, content: Mapping[str, Any]) -> Attachment | None:
        """Store a file; return None if the export does not have it, or if it is damaged, too large, infected or of a
        kind that is kept out."""
        known = self._kept.get(file.pointer)
        if known is not None and file.data is None:
            return known
        try:
            pieces = self._pieces(file)
            if pieces is None:
                return None
            attachment = self._store(pieces, file, content)
        except FileInfected:
            self.infected.append(clean_name(file.name or self._export.name_of(file)))
            return None
        except (AttachmentTooLarge, ImportRefused):
            return None
        if attachment is not None and file.data is None:
            self._kept[file.pointer] = attachment
        return attachment

    def close(self) -> None:
        self._reader.close()

    def _pieces(self, file: ImportedFile) -> Iterator[bytes] | None:
        if file.data is not None:
            return iter([file.data]) if file.data else None
        stream = self._export.open_file(file)
        if stream is None:
            return None

        def read() -> Iterator[bytes]:
            with stream, zip_errors():
                while piece := stream.read(_PIECE_BYTES):
                    yield piece

        return read()

    def _store(self, pieces: Iterator[bytes], file: ImportedFile, content: Mapping[str, Any]) -> Attachment | None:
        head = bytearray()

        def watched() -> Iterator[bytes]:
            for piece in pieces:
                if len(head) < HEAD_BYTES:
                    head.extend(piece[: HEAD_BYTES - len(head)])
                yield piece

        blob = self._blobs.put(watched(), max_bytes=LARGEST_IMPORTED_BYTES)
        own_name = self._export.name_of(file).rsplit("/", 1)[-1]
        mime = kind_of(bytes(head), own_name or file.name)
        if self._is_refused(mime):
            return None
        name = clean_name(file.name or own_name)
        if mime in IMAGE_MIMES and "." not in name[-6:]:
            name = f"{name}.{mime.removeprefix('image/')}"
        if mime not in IMAGE_MIMES:
            return Attachment(name, mime, blob.sha256, blob.size_bytes)
        width, height = _side(content.get("width")), _side(content.get("height"))
        if width is None or height is None:
            # Looking into a picture is for a process of its own.
            size = self._reader.measure(self._blobs.path(blob.sha256)) if self._measured < _MOST_MEASURED else ""
            self._measured += 1
            width, height = size if not isinstance(size, str) else (None, None)
        return Attachment(name, mime, blob.sha256, blob.size_bytes, width, height)


def _side(value: object) -> int | None:
    number = count_of(value)
    return number if number is not None and 0 < number < _MOST_PIXELS_A_SIDE else None
