"""Describes a thread from another program's export in ChatDesk's terms: readers of all formats make it, storage writes
it.

``key`` is always the vendor's own id. Nothing in here has been written yet, and nothing of it has been trusted: texts
may hold anything, and files are only named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """The file behind an image or file part: bytes that came along (``data``), or a place in the export (``pointer``,
    as the vendor writes it). With neither, the export does not have it."""

    name: str
    pointer: str = ""
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class ImportedDocument:
    """A version of a document that was opened from a part. Versions of one document have its ``key``, a ChatDesk id."""

    key: str
    file: ImportedFile
    language: str = ""
    number: int = 1
    is_by_hand: bool = False
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class ImportedPart:
    """A part of an imported message. ``key`` names the step of the vendor that the part came with, where several became
    one message. ``values`` are further columns of the part, ``documents`` the versions that come from it."""

    type: PartType
    content: Mapping[str, Any]
    key: str = ""
    file: ImportedFile | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    documents: tuple[ImportedDocument, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedMessage:
    """A message of the imported tree. ``keys`` are all vendor ids that it stands for, its own first. ``values`` are
    further columns of the message, in our units. ``wanted_id``: the id it should have, if that is free."""

    key: str
    parent_key: str | None
    role: Role
    created_at: int
    parts: tuple[ImportedPart, ...]
    status: Status = Status.COMPLETE
    keys: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    wanted_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedProject:
    """The project that a thread belongs to, where the export tells; ``key`` is a ChatDesk id."""

    key: str
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedThread:
    """A thread of an export. ``messages`` has parents before their children and each key once. ``chosen`` says which
    child of a message is shown, by keys; its key None is the first message. ``values`` are further columns of the
    thread, with message keys where a column names a message. ``left_out`` counts what the vendor hid from the
    reader, ``marks_left_out`` the marks in texts that hold nothing to read; ``memories`` are pages of facts that the
    program remembered."""

    source: str
    key: str
    title: str
    created_at: int
    last_activity_at: int
    messages: tuple[ImportedMessage, ...]
    chosen: Mapping[str | None, str]
    values: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    summaries: tuple[Mapping[str, Any], ...] = ()
    project: ImportedProject | None = None
    wanted_id: str | None = None
    left_out: int = 0
    marks_left_out: int = 0
    memories: tuple[str, ...] = ()


# A row, and the files that it names.
WithFiles = tuple[Mapping[str, Any], tuple[ImportedFile, ...]]


@dataclass(frozen=True, slots=True)
class ImportedExtras:
    """The contents of a full export besides threads: rows of prompts and of drafts, with the files they name."""

    prompts: tuple[WithFiles, ...] = ()
    drafts: tuple[WithFiles, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportedMemory:
    """A fact that another program remembered; ``project`` is the name of its project that it is for, or empty."""

    text: str
    project: str = ""


class ImportOutcome(StrEnum):
    """The result of importing one thread."""

    NEW = "new"
    EXTENDED = "extended"
    UNCHANGED = "unchanged"
    IN_TRASH = "in_trash"
    DELETED = "deleted"
    SKIPPED = "skipped"


OUTCOME_TEXTS: Final = {
    ImportOutcome.NEW: Text("new", "thread"),
    ImportOutcome.EXTENDED: Text("has new messages"),
    ImportOutcome.UNCHANGED: Text("here already"),
    ImportOutcome.IN_TRASH: Text("in the trash"),
    ImportOutcome.DELETED: Text("deleted before"),
    ImportOutcome.SKIPPED: Text("skipped"),
}


@dataclass(frozen=True, slots=True)
class ImportLine:
    """A line of an import's report. ``reason`` is a sentence, or empty; ``thread_id`` is our thread, where there is
    one."""

    outcome: ImportOutcome
    title: str
    messages: int = 0
    reason: str = ""
    thread_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """The progress of an import: ``done_bytes`` of ``total_bytes`` of the export were read; ``threads`` were examined,
    and ``messages`` written."""

    done_bytes: int
    total_bytes: int
    threads: int
    messages: int
