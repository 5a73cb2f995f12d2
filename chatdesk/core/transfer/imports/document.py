"""Reads the documents of an export piece by piece, and yields their threads. A document's content tells its format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedExtras, ImportedThread, ImportLine, ImportOutcome
from chatdesk.core.errors import ImportRefused
from chatdesk.core.texts import Sentences, Text
from chatdesk.core.transfer.imports import anythingllm, chatbox, chatdesk, cherry_studio, gemini, jan
from chatdesk.core.transfer.imports.archive import ZIP_ERRORS
from chatdesk.core.transfer.imports.claude import SOURCE as CLAUDE
from chatdesk.core.transfer.imports.claude import has_documents, read_project
from chatdesk.core.transfer.imports.formats import format_of
from chatdesk.core.transfer.imports.json_stream import LARGEST_PIECE, JsonStream, NotJson, Piece, Readable
from chatdesk.core.transfer.imports.memories import FoundMemories

_log = logging.getLogger(__name__)

Found = Iterator[ImportedThread | ImportLine]

_TOPICS: Final = f"{cherry_studio.DATABASE}.{cherry_studio.TOPICS}"
_BLOCKS: Final = f"{cherry_studio.DATABASE}.{cherry_studio.BLOCKS}"
_NESTED = frozenset((cherry_studio.DATABASE,))
_STREAMED = frozenset(("conversations", "chats", "threads", chatbox.SESSIONS, _TOPICS, _BLOCKS))
# Exceptions from a value of the wrong shape. They cost one thread, not the import.
SHAPE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError)


@dataclass(slots=True)
class ImportState:
    """The state of reading one export. ``projects`` are Claude's, by their ids."""

    now_ms: int
    projects: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    source: str | None = None
    has_found: bool = False
    has_foreign_bytes: bool = False
    extras: ImportedExtras = field(default_factory=ImportedExtras)
    memories: FoundMemories = field(default_factory=FoundMemories)

    def threads(self, source: str, read: Callable[[], Sequence[ImportedThread]], count: int) -> Found:
        """Yield the threads that ``read`` returns, or a line for the report if it fails on a value."""
        self.has_found = True
        self.source = self.source or source
        try:
            found = read()
        except SHAPE_ERRORS as error:
            _log.warning("thread %d of an import from %s could not be read: %s", count, source, type(error).__name__)
            yield ImportLine(ImportOutcome.SKIPPED, Text("Entry {number}", number=count), reason=Text("It is damaged."))
            return
        for thread in found:
            self.memories.add(thread.memories)
            if thread.messages or source == chatdesk.SOURCE:
                yield thread
            else:
                yield ImportLine(ImportOutcome.SKIPPED, thread.title, reason=Text("It contains no messages."))

    def project(self, value: Mapping[str, Any], count: int) -> Found:
        """Yield a thread with the documents of one of Claude's projects, if there are any."""
        if has_documents(value):
            yield from self.threads(CLAUDE, lambda: (read_project(value, self.now_ms),), count)


def problem_line(name: str, piece: Piece, count: int) -> ImportLine:
    """Return the report's line for a piece of a document that could not be read."""
    title = (
        Text("Entry {number} of {name}", number=count, name=name)
        if piece.is_element
        else Text("“{key}” of {name}", key=piece.key, name=name)
    )
    rest = Text("Nothing after it could be read.") if piece.is_end else ""
    return ImportLine(ImportOutcome.SKIPPED, title, reason=Sentences.of(piece.problem, rest))


class Document:
    """A document of an export, read once. ``about`` is the file beside it, for the formats that keep a title
    elsewhere."""

    def __init__(self, state: ImportState, name: str, about: Mapping[str, Any]) -> None:
        self._state = state
        self._name = name
        self._own = chatdesk.ChatDeskReader()
        self._header: dict[str, Any] = {}
        self._header_size = 0
        self._count = 0
        self._rows = anythingllm.Rows()
        self._activities = gemini.Activities()
        self._messages = jan.Messages(about)
        self._backup = cherry_studio.Backup()

    def read(self, open_stream: Callable[[], AbstractContextManager[Readable]]) -> Found:
        """Yield the threads. Raises ``ImportRefused`` if nothing of the export can be read, or if it would fill the
        memory."""
        state = self._state
        try:
            with open_stream() as stream:
                yield from self._json(stream)
        except NotJson:
            with open_stream() as stream:
                for row, size in anythingllm.csv_rows(stream):
                    self._count += 1
                    self._rows.add(row, size)
        except ZIP_ERRORS as error:
            if not state.has_found:
                raise ImportRefused(
                    Text("The file is damaged or not complete."),
                    next_step=Text("Download the export again, then import it."),
                ) from error
            yield ImportLine(ImportOutcome.SKIPPED, self._name, reason=Text("The rest of the file could not be read."))
        if self._header:
            yield from self._whole()
        now = state.now_ms
        for source, found in (
            (anythingllm.SOURCE, self._rows.threads(now)),
            (gemini.SOURCE, self._activities.threads(now)),
            (jan.SOURCE, self._messages.threads(now)),
            (cherry_studio.SOURCE, self._backup.rest(now)),
        ):
            for thread in found:
                yield from state.threads(source, lambda thread=thread: (thread,), self._count)  # type: ignore[misc]

    def _json(self, stream: Readable) -> Found:
        pieces = JsonStream(stream, streamed=_STREAMED, nested=_NESTED, parts=self._own.parts)
        for piece in pieces.pieces():
            self._count += 1
            if piece.problem:
                yield problem_line(self._name, piece, self._count)
            elif piece.is_element:
                if isinstance(piece.value, dict):
                    yield from self._element(piece, piece.value)
            elif piece.key is not None:
                yield from self._member(piece.key, piece)
        self._state.has_foreign_bytes = self._state.has_foreign_bytes or pieces.has_foreign_bytes

    def _member(self, key: str, piece: Piece) -> Found:
        if chatbox.is_member(key, piece.value):
            yield from self._foreign(piece.value, piece.size)
            return
        self._header_size += piece.size
        if self._header_size > LARGEST_PIECE:
            raise ImportRefused(Text("This file is one conversation that is larger than any export holds."))
        self._header[key] = piece.value
        self._own.member(key, piece.value)
        self._backup.member(key, piece.value)

    def _element(self, piece: Piece, value: dict[str, Any]) -> Found:
        now = self._state.now_ms
        if piece.key == "threads" and self._own.is_known:
            yield from self._state.threads(chatdesk.SOURCE, lambda: (self._own.thread(value, now),), self._count)
        elif piece.key == _BLOCKS:
            with suppress(*SHAPE_ERRORS):
                self._backup.block(value, piece.size)
        elif piece.key == _TOPICS:
            yield from self._state.threads(cherry_studio.SOURCE, lambda: self._topic(value, piece.size), self._count)
        else:
            if piece.key is None and self._header:  # the first of several lines
                yield from self._whole()
                self._header = {}
            yield from self._foreign(value, piece.size)

    def _topic(self, value: dict[str, Any], size: int) -> Sequence[ImportedThread]:
        thread = self._backup.topic(value, size, self._state.now_ms)
        return () if thread is None else (thread,)

    def _whole(self) -> Found:
        """Yield from a document that is one object: one conversation, or the object around the threads."""
        state = self._state
        if self._own.is_known:
            state.has_found = True
            state.source = chatdesk.SOURCE
            state.extras = self._own.extras
            thread = self._own.finish(state.now_ms)
            if thread is not None:
                yield thread
        else:
            yield from self._foreign(self._header, self._header_size)

    def _foreign(self, value: dict[str, Any], size: int) -> Found:
        state = self._state
        known = format_of(value)
        if known is not None:
            yield from state.threads(known.source, lambda: known.read(value, state.now_ms, state.projects), self._count)
        elif anythingllm.is_row(value):
            self._rows.add(value, size)
        elif gemini.is_activity(value):
            self._activities.add(value, size)
        elif jan.is_message(value):
            self._messages.add(value, size)
        else:
            yield from state.project(value, self._count)
