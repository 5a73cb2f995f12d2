"""Opens an export, which is a file, a zip or a folder, and yields its threads one by one, whatever program wrote it."""

from __future__ import annotations

import codecs
import logging
import os
import re
import stat
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from chatdesk.core.domain.imported import ImportedExtras, ImportedFile, ImportLine, ImportOutcome
from chatdesk.core.errors import ImportRefused
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports import chatgpt, claude, jan
from chatdesk.core.transfer.imports.archive import ZIP_ERRORS, Archive, memory_documents, sorted_documents
from chatdesk.core.transfer.imports.document import Document, Found, ImportState, problem_line
from chatdesk.core.transfer.imports.formats import LABELS
from chatdesk.core.transfer.imports.json_stream import JsonStream, NotJson
from chatdesk.core.transfer.imports.memories import MEMORY_FILE, OF_CLAUDE, FoundMemories
from chatdesk.core.transfer.imports.values import dict_of, key_of, list_of

_log = logging.getLogger(__name__)

_LARGEST_SMALL = 16 * 1024 * 1024
_EDGE_BYTES = 4096
_PIECE_BYTES = 1024 * 1024
_ENDS = {b"[": b"]", b"{": b"}"}
_BLANK = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + b" \t\r\n\0"  # zeros: a character may have several bytes
_ZIP_MAGIC = b"PK\x03\x04", b"PK\x05\x06"
# How newer versions of Cherry Studio keep their own database in a backup.
_RAW_DATABASE = re.compile(r"(?:^|/)IndexedDB/")
_PAGES: Final = (".html", ".htm")
_DEEPEST: Final = 12
_MOST_FILES: Final = 200_000
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class ImportCancelled(Exception):
    """The person stopped the import while the file was read."""


class ExportFile:
    """An opened export, to be read once, on one thread; ``close`` it. Raises ``ImportRefused`` when nothing in it is
    known."""

    def __init__(self, path: Path, *, now_ms: int, stop: threading.Event | None = None) -> None:
        self._path = path
        self._stop = stop or threading.Event()
        self._state = ImportState(now_ms)
        self._has_documents = False
        self.done_bytes = 0
        self._archive: Archive | Folder | None = None
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                self._archive = Folder(path, tick=self._check)
            elif not stat.S_ISREG(mode):  # opening a pipe would block until a writer opens it
                raise ImportRefused(
                    Text("{name} is not a file.", name=visible_controls(path.name)),
                    next_step=Text("Choose the export itself."),
                )
            else:
                with path.open("rb") as file:
                    beginning = file.read(4)
                self.total_bytes = path.stat().st_size
                if beginning in _ZIP_MAGIC:
                    self._archive = Archive(path, tick=self._check)
                elif _is_cut_off(*_edges_of_file(path)):
                    raise _cut_off(visible_controls(path.name))
            if self._archive is not None:
                self.total_bytes = self._archive.size_bytes
                self._check_ends(self._archive)
        except OSError as error:
            raise unreadable(path, error) from error

    @property
    def source(self) -> str | None:
        """The program that wrote the export, None until something of it was recognised."""
        return self._state.source

    @property
    def extras(self) -> ImportedExtras:
        return self._state.extras

    @property
    def memories(self) -> FoundMemories:
        return self._state.memories

    @property
    def has_foreign_bytes(self) -> bool:
        return self._state.has_foreign_bytes

    def _check_ends(self, archive: Archive | Folder) -> None:
        """Raise ``ImportRefused`` for a document that is cut off, before anything of the zip is stored. Unpacking it
        again costs a hundredth of the import; other damage is reported when it is met."""
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

    def threads(self) -> Found:
        """Yield threads, and lines about what could not be read."""
        state = self._state
        if self._archive is None:
            if MEMORY_FILE.search(self._path.name):
                self._read_memories(lambda: self._path.open("rb"))
            yield from self._document(self._path.name, lambda: self._path.open("rb"), {})
        else:
            archive = self._archive
            for name in archive.projects:
                self._read_projects(name)
            for name in archive.documents:
                self._check()
                shown = name.rsplit("/", 1)[-1]
                try:
                    archive.open(name).close()
                except ImportRefused:
                    yield ImportLine(ImportOutcome.SKIPPED, shown, reason=Text("It is damaged."))
                    continue
                yield from self._document(shown, lambda name=name: archive.open(name), self._about(name))  # type: ignore[misc]
            yield from self._project_documents()
            for name in archive.memories:
                self._read_memories(lambda name=name: archive.open(name))  # type: ignore[misc]
        if not state.has_found:
            raise self._nothing_found()

    def _document(self, name: str, open_stream: Callable[[], IO[bytes]], about: Mapping[str, Any]) -> Found:
        yield from Document(self._state, name, about).read(lambda: _Measured(open_stream(), self))

    def _nothing_found(self) -> ImportRefused:
        if isinstance(self._archive, Archive) and any(_RAW_DATABASE.search(name) for name in self._archive.names):
            return ImportRefused(
                Text("This backup contains Cherry Studio's database as it is, which ChatDesk cannot read."),
                next_step=Text("In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file."),
            )
        names = self._archive.names if isinstance(self._archive, Archive) else (self._path.name,)
        if any(name.lower().endswith(_PAGES) for name in names):
            return ImportRefused(
                Text("This is a page to be read, not the data of an export."),
                next_step=Text(
                    "Choose the zip file of the export as it came. If it contains only pages, ask for it again with"
                    " JSON as its format: Google Takeout has a choice for that."
                ),
            )
        known = Text("Choose an export of one of these programs: {programs}.", programs=tuple(LABELS.values()))
        if isinstance(self._archive, Folder):
            return ImportRefused(Text("There is nothing in this folder that ChatDesk can import."), next_step=known)
        if self._archive is not None:
            return ImportRefused(Text("There is nothing in this file that ChatDesk can import."), next_step=known)
        return ImportRefused(Text("This file is not an export that ChatDesk knows."), next_step=known)

    def _about(self, name: str) -> Mapping[str, Any]:
        """Return Jan's own file of a thread, which is beside its messages; empty if it is missing or damaged."""
        assert self._archive is not None
        beside = name.removesuffix(jan.MESSAGES) + jan.THREAD
        if not name.endswith(jan.MESSAGES) or not self._archive.has(beside):
            return {}
        found: dict[str, Any] = {}
        try:
            with self._archive.open(beside) as stream:
                for piece in JsonStream(stream, largest=_LARGEST_SMALL).pieces():
                    if piece.key is not None and not piece.problem:
                        found[piece.key] = piece.value
        except (NotJson, ImportRefused, *ZIP_ERRORS) as error:
            _log.info("what stands beside a thread could not be read: %s", type(error).__name__)
        return found

    def open_file(self, file: ImportedFile) -> IO[bytes] | None:
        """Open a file that a message names; None when the export does not have its bytes."""
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
        """Return the name that the export's own file has; empty if there is none."""
        return self._archive.name_of(file.pointer) if self._archive is not None else ""

    def close(self) -> None:
        if self._archive is not None:
            self._archive.close()

    def _read_projects(self, name: str) -> None:
        """Read Claude's projects, which its conversations may name: all in one document, or one each. Damaged ones
        are ignored."""
        assert self._archive is not None
        whole: dict[str, Any] = {}
        try:
            with self._archive.open(name) as stream:
                for piece in JsonStream(stream, largest=_LARGEST_SMALL).pieces():
                    if piece.is_element:
                        self._keep_project(dict_of(piece.value))
                    elif piece.key is not None and not piece.problem:
                        whole[piece.key] = piece.value
        except (NotJson, ImportRefused, *ZIP_ERRORS) as error:
            _log.info("the projects of an import could not be read: %s", type(error).__name__)
        self._keep_project(whole)

    def _keep_project(self, project: Mapping[str, Any]) -> None:
        """Remember a project without its documents, which are read after the conversations."""
        key = key_of(project.get("uuid"))
        if key:
            self._state.projects[key] = {name: value for name, value in project.items() if name != "docs"}
            self._has_documents = self._has_documents or bool(list_of(project.get("docs")))

    def _read_memories(self, open_stream: Callable[[], IO[bytes]]) -> None:
        """Read a file of memories. A damaged one is read as far as it goes."""
        state, had = self._state, bool(self._state.memories)
        whole: dict[str, Any] = {}
        try:
            with open_stream() as stream:
                for piece in JsonStream(stream, largest=_LARGEST_SMALL).pieces():
                    self._check()
                    if piece.is_element and not piece.problem:
                        state.memories.add_document(piece.value, state.projects)
                        is_claude = bool(OF_CLAUDE & dict_of(piece.value).keys())
                        state.source = state.source or (claude.SOURCE if is_claude else None)
                    elif piece.key is not None and not piece.problem:
                        whole[piece.key] = piece.value
        except (NotJson, ImportRefused, *ZIP_ERRORS) as error:
            _log.info("the memories of an import could not be read: %s", type(error).__name__)
        state.memories.add_document(whole, state.projects)
        if bool(state.memories) and not had:
            state.has_found = True
            state.source = state.source or (claude.SOURCE if OF_CLAUDE & whole.keys() else chatgpt.SOURCE)

    def _project_documents(self) -> Found:
        """Yield a thread with the documents of each of Claude's projects, as no conversation in the export holds
        them."""
        assert self._archive is not None
        if not self._has_documents or self._state.source not in (None, claude.SOURCE):
            return
        for name in self._archive.projects:
            yield from self._documents_in(name)

    def _documents_in(self, name: str) -> Found:
        assert self._archive is not None
        whole: dict[str, Any] = {}
        try:
            with self._archive.open(name) as stream:
                for count, piece in enumerate(JsonStream(_Measured(stream, self), largest=_LARGEST_SMALL).pieces(), 1):
                    if piece.problem:
                        yield problem_line(name.rsplit("/", 1)[-1], piece, count)
                    elif piece.is_element:
                        yield from self._state.project(dict_of(piece.value), count)
                    elif piece.key is not None:
                        whole[piece.key] = piece.value
        except (NotJson, ImportRefused, *ZIP_ERRORS):
            yield ImportLine(ImportOutcome.SKIPPED, name.rsplit("/", 1)[-1], reason=Text("It is damaged."))
        yield from self._state.project(whole, 1)


def _is_cut_off(first: bytes, last: bytes) -> bool:
    """Return whether a document's last bracket does not match its first. One that is cut right behind a matching
    bracket is not noticed, and read as far as it goes."""
    opening, closing = first.lstrip(_BLANK)[:1], last.rstrip(_BLANK)[-1:]
    return opening in _ENDS and closing not in (b"", _ENDS[opening])


def _edges_of_file(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        first = file.read(_EDGE_BYTES)
        file.seek(max(0, file.seek(0, 2) - _EDGE_BYTES))
        return first, file.read(_EDGE_BYTES)


def _cut_off(name: str) -> ImportRefused:
    return ImportRefused(
        Text("{name} is cut off: its end is missing.", name=name),
        next_step=Text("Download the export again, then import it."),
    )


class _Measured:
    """A stream that counts the bytes read, and raises ``ImportCancelled`` when the person stops the import."""

    def __init__(self, stream: IO[bytes], owner: ExportFile) -> None:
        self._stream = stream
        self._owner = owner

    def __enter__(self) -> _Measured:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int, /) -> bytes:
        self._owner._check()
        data = self._stream.read(size)
        self._owner.done_bytes += len(data)
        return data


def unreadable(path: Path, error: OSError) -> ImportRefused:
    return ImportRefused(
        Text("{name} could not be read: {reason}.", name=visible_controls(path.name), reason=reason_text(error)),
        next_step=Text("Check the file."),
    )


# For programs that keep their chats as files. Only plain files are read and no links followed: nothing outside of it.
class Folder:
    """The files of a folder by their names below it. ``tick`` is called again and again while it is searched, and may
    raise. Raises ``ImportRefused`` for a folder that holds more files than any program's chats."""

    def __init__(self, path: Path, *, tick: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._names = _names_below(path, tick)
        self.documents, self.projects = sorted_documents(self._names)
        self.memories = memory_documents(self._names)
        self._by_last = {name.rsplit("/", 1)[-1]: name for name in reversed(self._names)}

    @property
    def size_bytes(self) -> int:
        """The size of the documents."""
        return sum((self._path / name).lstat().st_size for name in self.documents)

    def has(self, name: str) -> bool:
        return name in self._names

    def open(self, name: str) -> IO[bytes]:
        """Open a file that was found. Raises ``ImportRefused`` if it is no longer a plain file."""
        try:
            handle = os.open(self._path / name, os.O_RDONLY | _NO_LINK | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise ImportRefused(
                Text(
                    "{name} could not be read: {reason}.",
                    name=name,
                    reason=reason_text(error),
                )
            ) from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise ImportRefused(Text("{name} is not a file.", name=name))
        return os.fdopen(handle, "rb")

    def open_file(self, pointer: str) -> IO[bytes] | None:
        """Open the file that a message points to; None when the folder does not have it."""
        name = self._by_last.get(pointer.rsplit("/", 1)[-1])
        return self.open(name) if name is not None and pointer else None

    def name_of(self, _pointer: str) -> str:
        return ""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _names_below(path: Path, tick: Callable[[], None]) -> dict[str, None]:
    names: dict[str, None] = {}
    for folder, inner, files in os.walk(path):
        tick()
        above = Path(folder).relative_to(path)
        if len(above.parts) >= _DEEPEST:
            inner.clear()
        inner.sort()
        for file in sorted(files):
            if stat.S_ISREG((Path(folder) / file).lstat().st_mode):
                names[(above / file).as_posix()] = None
        if len(names) > _MOST_FILES:
            raise ImportRefused(
                Text("This folder contains far more files than a program's chats would have."),
                next_step=Text("Choose the folder of the chats."),
            )
    return names
