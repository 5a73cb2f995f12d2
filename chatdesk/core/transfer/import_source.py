"""Opens an export and gives its threads one by one, whatever program wrote it: the format is told by the content."""

from __future__ import annotations

import codecs
import logging
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from chatdesk.core.domain.imported import ImportedExtras, ImportedFile, ImportedThread, ImportLine, ImportOutcome
from chatdesk.core.errors import ImportRefused
from chatdesk.core.transfer import (
    import_chatdesk,
    import_chatgpt,
    import_claude,
    import_librechat,
    import_open_webui,
)
from chatdesk.core.transfer.import_archive import ZIP_ERRORS, Archive
from chatdesk.core.transfer.import_values import dict_of, key_of, list_of
from chatdesk.core.transfer.json_stream import LARGEST_PIECE, JsonStream, NotJson, Piece

_log = logging.getLogger(__name__)

#: How people know the programs.
LABELS: Final[Mapping[str, str]] = {
    import_chatgpt.SOURCE: "ChatGPT",
    import_claude.SOURCE: "Claude",
    import_open_webui.SOURCE: "Open WebUI",
    import_librechat.SOURCE: "LibreChat",
    import_chatdesk.SOURCE: "ChatDesk",
}
_STREAMED = frozenset(("conversations", "chats", "threads"))
_LARGEST_PROJECTS = 16 * 1024 * 1024
_EDGE_BYTES = 4096
_PIECE_BYTES = 1024 * 1024
_ENDS = {b"[": b"]", b"{": b"}"}
_BLANK = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + b" \t\r\n\0"  # zeros: a character may have several bytes
_ZIP_MAGIC = b"PK\x03\x04", b"PK\x05\x06"
# What reading a value of the wrong shape can raise; it costs one thread and not the import.
_SHAPE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError)


class ImportCancelled(Exception):
    """The person stopped the import while the file was read."""


class ExportFile:
    """One export, opened to be read once, on one thread; ``close`` it. Raises ``ImportRefused`` when there is nothing
    in it that is known."""

    def __init__(self, path: Path, *, now_ms: int, stop: threading.Event | None = None) -> None:
        self._path = path
        self._now_ms = now_ms
        self._stop = stop or threading.Event()
        self._projects: dict[str, Mapping[str, Any]] = {}
        self._has_found = self._has_documents = False
        self.has_foreign_bytes = False
        self.source: str | None = None
        self.extras = ImportedExtras()
        self.done_bytes = 0
        self._archive: Archive | None = None
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for somebody to write into it
                raise ImportRefused(f"{path.name} is not a file.", next_step="Choose the export itself.")
            with path.open("rb") as file:
                beginning = file.read(4)
            self.total_bytes = path.stat().st_size
            if beginning in _ZIP_MAGIC:
                self._archive = Archive(path, tick=self._check)
                self.total_bytes = self._archive.size_bytes
                self._check_ends(self._archive)
            elif _is_cut_off(*_edges_of_file(path)):
                raise _cut_off(path.name)
        except OSError as error:
            raise unreadable(path, error) from error

    def _check_ends(self, archive: Archive) -> None:
        """Refuse a document that is cut off before anything of the zip is stored. Unpacking it once more costs a
        hundredth of the import; what is damaged in another way is told when it is met."""
        try:
            for name in archive.documents:
                with suppress(ImportRefused, *ZIP_ERRORS), archive.open(name) as stream:
                    first, last = stream.read(_EDGE_BYTES), b""
                    while piece := stream.read(_PIECE_BYTES):
                        self._check()
                        last = (last + piece)[-_EDGE_BYTES:]
                    if _is_cut_off(first, last or first):
                        break
            else:
                return
        except BaseException:
            archive.close()
            raise
        archive.close()
        raise _cut_off(name.rsplit("/", 1)[-1])

    def _check(self) -> None:
        if self._stop.is_set():
            raise ImportCancelled

    def threads(self) -> Iterator[ImportedThread | ImportLine]:
        """Threads, and lines about what could not be read."""
        if self._archive is None:
            yield from self._document(self._path.name, self._path.open("rb"))
        else:
            for name in self._archive.projects:
                self._read_projects(name)
            for name in self._archive.documents:
                shown = name.rsplit("/", 1)[-1]
                try:
                    stream = self._archive.open(name)
                except ImportRefused:
                    yield ImportLine(ImportOutcome.SKIPPED, shown, reason="It is damaged.")
                    continue
                yield from self._document(shown, stream)
            yield from self._project_documents()
        if not self._has_found:
            raise ImportRefused(
                "There is nothing in this file that ChatDesk can import."
                if self._archive is not None
                else "This file is not an export that ChatDesk knows."
            )

    def open_file(self, file: ImportedFile) -> IO[bytes] | None:
        """The bytes of a file that a message names; None when the export does not have them."""
        if not file.pointer:
            return None
        if self._archive is not None:
            return self._archive.open_file(file.pointer)
        folder = self._path.with_name(f"{self._path.stem}-attachments")
        # Only a sum becomes part of a path.
        if len(file.pointer) != 64 or set(file.pointer) - set("0123456789abcdef"):
            return None
        try:
            return (folder / file.pointer).open("rb")
        except OSError:
            return None

    def name_of(self, file: ImportedFile) -> str:
        """The name that the export's own file has; empty where there is none."""
        return self._archive.name_of(file.pointer) if self._archive is not None else ""

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()

    def _document(self, name: str, stream: IO[bytes]) -> Iterator[ImportedThread | ImportLine]:
        reader = import_chatdesk.ChatDeskReader()
        header: dict[str, Any] = {}
        size = count = 0
        with stream:
            json_stream = JsonStream(_Measured(stream, self), streamed=_STREAMED, parts=reader.parts)
            try:
                for piece in json_stream.pieces():
                    count += 1
                    if piece.problem:
                        yield self._problem(name, piece, count)
                    elif piece.is_element:
                        yield from self._element(piece, reader, count)
                    elif piece.key is not None:
                        size += piece.size
                        if size > LARGEST_PIECE:
                            raise ImportRefused("This file is one conversation that is larger than any export holds.")
                        header[piece.key] = piece.value
                        reader.member(piece.key, piece.value)
            except NotJson:
                return
            except ZIP_ERRORS as error:
                if not self._has_found:
                    raise ImportRefused(
                        "The file is damaged or not complete.", next_step="Download the export again, then import it."
                    ) from error
                yield ImportLine(ImportOutcome.SKIPPED, name, reason="The rest of the file could not be read.")
            self.has_foreign_bytes = self.has_foreign_bytes or json_stream.has_foreign_bytes
        if header:
            yield from self._whole(header, reader)

    def _problem(self, name: str, piece: Piece, count: int) -> ImportLine:
        title = f"Entry {count:,} of {name}" if piece.is_element else f"“{piece.key}” of {name}"
        rest = " Nothing behind it could be read." if piece.is_end else ""
        return ImportLine(ImportOutcome.SKIPPED, title, reason=f"It {piece.problem}.{rest}")

    def _element(
        self, piece: Piece, reader: import_chatdesk.ChatDeskReader, count: int
    ) -> Iterator[ImportedThread | ImportLine]:
        if not isinstance(piece.value, dict):
            return
        value = piece.value
        if piece.key == "threads" and reader.is_known:
            yield from self._read(import_chatdesk.SOURCE, lambda: reader.thread(value, self._now_ms), count)
        else:
            yield from self._foreign(value, count)

    def _whole(
        self, header: dict[str, Any], reader: import_chatdesk.ChatDeskReader
    ) -> Iterator[ImportedThread | ImportLine]:
        """A document that is one object: one conversation, or what stood around the threads."""
        if reader.is_known:
            self._has_found = True
            self.source = import_chatdesk.SOURCE
            self.extras = reader.extras
            thread = reader.finish(self._now_ms)
            if thread is not None:
                yield thread
        else:
            yield from self._foreign(header, 1)

    def _foreign(self, value: dict[str, Any], count: int) -> Iterator[ImportedThread | ImportLine]:
        now = self._now_ms
        if import_chatgpt.is_conversation(value):
            yield from self._read(import_chatgpt.SOURCE, lambda: import_chatgpt.read_conversation(value, now), count)
        elif import_claude.is_conversation(value):
            projects = self._projects
            yield from self._read(
                import_claude.SOURCE, lambda: import_claude.read_conversation(value, now, projects), count
            )
        elif import_open_webui.is_conversation(value):
            yield from self._read(
                import_open_webui.SOURCE, lambda: import_open_webui.read_conversation(value, now), count
            )
        elif import_librechat.is_conversation(value):
            yield from self._read(
                import_librechat.SOURCE, lambda: import_librechat.read_conversation(value, now), count
            )
        else:
            yield from self._project(value, count)

    def _read(self, source: str, read: Any, count: int) -> Iterator[ImportedThread | ImportLine]:
        self._has_found = True
        self.source = self.source or source
        try:
            thread: ImportedThread = read()
        except _SHAPE_ERRORS as error:
            _log.warning("thread %d of an import from %s could not be read: %s", count, source, type(error).__name__)
            yield ImportLine(ImportOutcome.SKIPPED, f"Entry {count:,}", reason="It is damaged.")
            return
        if thread.messages or source == import_chatdesk.SOURCE:
            yield thread
        else:
            yield ImportLine(ImportOutcome.SKIPPED, thread.title, reason="It holds no messages.")

    def _read_projects(self, name: str) -> None:
        """Claude's projects, which its conversations may name: all in one document, or one each. Whatever is wrong with
        them, there are none then."""
        assert self._archive is not None
        whole: dict[str, Any] = {}
        try:
            with self._archive.open(name) as stream:
                for piece in JsonStream(stream, largest=_LARGEST_PROJECTS).pieces():
                    if piece.is_element:
                        self._keep_project(dict_of(piece.value))
                    elif piece.key is not None and not piece.problem:
                        whole[piece.key] = piece.value
        except (NotJson, ImportRefused, *ZIP_ERRORS) as error:
            _log.info("the projects of an import could not be read: %s", type(error).__name__)
        self._keep_project(whole)

    def _keep_project(self, project: Mapping[str, Any]) -> None:
        """Their documents are read when the conversations are done; until then only where they stand is kept."""
        key = key_of(project.get("uuid"))
        if key:
            self._projects[key] = {name: value for name, value in project.items() if name != "docs"}
            self._has_documents = self._has_documents or bool(list_of(project.get("docs")))

    def _project_documents(self) -> Iterator[ImportedThread | ImportLine]:
        """A thread for the documents of each of Claude's projects, as no conversation in the export holds them."""
        assert self._archive is not None
        if not self._has_documents or self.source not in (None, import_claude.SOURCE):
            return
        for name in self._archive.projects:
            yield from self._documents_in(name)

    def _documents_in(self, name: str) -> Iterator[ImportedThread | ImportLine]:
        assert self._archive is not None
        whole: dict[str, Any] = {}
        try:
            with self._archive.open(name) as stream:
                for count, piece in enumerate(
                    JsonStream(_Measured(stream, self), largest=_LARGEST_PROJECTS).pieces(), 1
                ):
                    if piece.problem:
                        yield self._problem(name.rsplit("/", 1)[-1], piece, count)
                    elif piece.is_element:
                        yield from self._project(dict_of(piece.value), count)
                    elif piece.key is not None:
                        whole[piece.key] = piece.value
        except (NotJson, ImportRefused, *ZIP_ERRORS):
            yield ImportLine(ImportOutcome.SKIPPED, name.rsplit("/", 1)[-1], reason="It is damaged.")
        yield from self._project(whole, 1)

    def _project(self, project: Mapping[str, Any], count: int) -> Iterator[ImportedThread | ImportLine]:
        if import_claude.has_documents(project):
            now = self._now_ms
            yield from self._read(import_claude.SOURCE, lambda: import_claude.read_project(project, now), count)


def _is_cut_off(first: bytes, last: bytes) -> bool:
    """Whether a document ends otherwise than it begins: seen before anything of it is stored. What happens to be cut
    behind a bracket is read as far as it goes."""
    opening, closing = first.lstrip(_BLANK)[:1], last.rstrip(_BLANK)[-1:]
    return opening in _ENDS and closing not in (b"", _ENDS[opening])


def _edges_of_file(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        first = file.read(_EDGE_BYTES)
        file.seek(max(0, file.seek(0, 2) - _EDGE_BYTES))
        return first, file.read(_EDGE_BYTES)


def _cut_off(name: str) -> ImportRefused:
    return ImportRefused(
        f"{name} is cut off: its end is missing.", next_step="Download the export again, then import it."
    )


class _Measured:
    """Counts what is read, and ends it when the person wants that."""

    def __init__(self, stream: IO[bytes], owner: ExportFile) -> None:
        self._stream = stream
        self._owner = owner

    def read(self, size: int, /) -> bytes:
        self._owner._check()
        data = self._stream.read(size)
        self._owner.done_bytes += len(data)
        return data


def unreadable(path: Path, error: OSError) -> ImportRefused:
    return ImportRefused(
        f"{path.name} could not be read: {error.strerror or 'the disk refused it'}.", next_step="Check the file."
    )
