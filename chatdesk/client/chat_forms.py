"""Defines the service's answers about projects, threads, messages and files.

Unknown fields of a newer service are ignored; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Project:
    """A project. ``etag``, set if the project was read alone, names this version for ``if_match``."""

    id: str
    name: str
    colour: str = ""
    provider: str | None = None
    model: str | None = None
    created_at: str = ""
    last_chat_at: str | None = None
    archived_at: str | None = None
    deleted_at: str | None = None
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread. ``etag``, set if the thread was read alone, names this version for ``if_match``."""

    id: str
    project_id: str
    title: str
    provider: str | None = None
    model: str | None = None
    created_at: str = ""
    last_activity_at: str = ""
    archived_at: str | None = None
    pinned_at: str | None = None
    deleted_at: str | None = None
    message_count: int = 0
    tags: tuple[str, ...] = ()
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A page of a list; ``next_cursor`` is for the next one, None at the end."""

    threads: tuple[Thread, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that was sent. It may be named in a question, a note or a draft; ``sha256`` reads it again."""

    name: str
    mime: str
    sha256: str
    size_bytes: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message: text, reasoning, a call of a tool or its result, or a file."""

    id: str
    type: str
    text: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    arguments: str | None = None
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of an answer; None where the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message. ``status`` is pending or streaming while it is written; complete, stopped, interrupted or error
    then. ``version`` of ``versions`` is its place among its siblings."""

    id: str
    thread_id: str
    role: str
    status: str
    parent_id: str | None = None
    created_at: str = ""
    completed_at: str | None = None
    deleted_at: str | None = None
    position: int = 0
    version: int = 1
    versions: int = 1
    provider: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    error: str | None = None
    error_code: str | None = None
    usage: Usage = Usage()
    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        """The text alone, without reasoning and tools."""
        return "".join(part.text or "" for part in self.parts if part.type == "text")

    @property
    def is_final(self) -> bool:
        return self.status not in ("pending", "streaming")


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A part of the shown path of a thread, oldest first; ``total`` counts the whole path."""

    messages: tuple[Message, ...]
    has_older: bool = False
    has_newer: bool = False
    total: int = 0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An attachment of which the model is sent a ``part``, or the ``name`` alone."""

    name: str
    sha256: str
    share: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A stored question, its answer, which is still being written, and the files that are not sent completely."""

    question: Message
    answer: Message
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """The parts that requests need, and whether each works."""

    status: str
    database: bool = False
    provider: bool = False
    team: bool = False
    disk: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """A version of a message that was created; ``answer`` is being written, None if no model is asked."""

    message: Message
    answer: Message | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The unsent text of a thread; ``cursor`` is a place in it."""

    thread_id: str
    text: str
    cursor: int = 0
    updated_at: str | None = None
    attachments: tuple[Attachment, ...] = ()
    etag: str = field(default="", compare=False)
