"""Defines messages: nodes of a thread's tree, made of parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from chatdesk.core.texts import Text, unpacked


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Status(StrEnum):
    """The state of a message. ``pending`` and ``streaming`` belong to a live process; the others are final."""

    PENDING = "pending"
    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    ERROR = "error"

    @property
    def is_final(self) -> bool:
        return self not in (Status.PENDING, Status.STREAMING)

    @property
    def can_continue(self) -> bool:
        """Return whether *Continue* is offered for an answer in this state."""
        return self in (Status.STOPPED, Status.INTERRUPTED, Status.ERROR)


# The state of an answer: as a label beside its name, and as part of a sentence.
STATUS_TEXTS: Final[Mapping[Status, tuple[str, str]]] = {
    Status.PENDING: (Text("waiting for an answer"), Text("This answer has not begun.")),
    Status.STREAMING: (Text("being written"), Text("This answer is still being written.")),
    Status.STOPPED: (Text("stopped"), Text("This answer was stopped.")),
    Status.INTERRUPTED: (Text("interrupted"), Text("This answer was interrupted.")),
    Status.ERROR: (Text("failed"), Text("This answer failed.")),
}


# A key in the content of a damaged part. Its text is what could still be read.
UNREADABLE: Final = "unreadable"
UNREADABLE_TEXT: Final = Text(
    "A part of this message is damaged. What can be read of it is shown; a backup may have it whole."
)


class PartType(StrEnum):
    TEXT = "text"
    REASONING = "reasoning"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    IMAGE = "image"
    FILE = "file"
    ERROR = "error"


# The kinds of part behind which a stored file is.
FILE_PARTS: Final = frozenset((PartType.IMAGE, PartType.FILE))


class ContextMark(StrEnum):
    """The reader's choice for one message: none, send it before others, or never send it."""

    NONE = ""
    PINNED = "pinned"
    EXCLUDED = "excluded"


# The ``finish_reason`` of a person's note: it requests no answer, and the model sees it only by choice.
NOTE: Final = "note"
# The ``finish_reason`` of an answer that a person wrote instead of the model.
EDITED: Final = "edited"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message. ``content`` is JSON data: text and reasoning use ``{"text": str}``, a tool call ``{"name":
    str, "arguments": str}``, a tool result ``{"text": str}`` and its ``sources`` on the web, if it has any. Times are
    milliseconds UTC."""

    id: str
    message_id: str
    index: int
    type: PartType
    content: Mapping[str, Any]
    step_index: int = 0
    started_at: int | None = None
    completed_at: int | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    tool_duration_ms: int | None = None

    @property
    def text(self) -> str:
        """The text of a part that has one, else an empty string."""
        value = self.content.get("text", "")
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Message:
    """A node of a thread's tree. ``version_index`` of ``version_count`` (from 1) is its place among its live siblings.

    ``position`` counts ancestors: the first message of a path has 0. It orders the shown path; messages in the trash
    leave gaps. ``cost_usd`` is what an answer cost as far as prices were known when it was made; None: they were not.
    ``written_tokens`` went into the provider's cache. ``author_id`` is the other member who wrote it, or asked for this
    answer; None: whoever works with this profile. ``assistant_name`` is the assistant that answered, as it was called
    then; ``assistant_id`` is there where it is one of this profile. ``accepted_at`` is when the team's server took what
    another member wrote; their other times are what their computer said.
    """

    id: str
    thread_id: str
    parent_id: str | None
    role: Role
    status: Status
    created_at: int
    position: int
    parts: tuple[Part, ...] = ()
    provider: str | None = None
    model: str | None = None
    completed_at: int | None = None
    latency_ms: int | None = None
    time_to_first_token_ms: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    error: str | None = None
    error_type: str | None = None
    error_details: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None
    deleted_at: int | None = None
    version_index: int = 1
    version_count: int = 1
    context_mark: ContextMark = ContextMark.NONE
    cost_usd: float | None = None
    written_tokens: int = 0
    author_id: str | None = None
    assistant_id: str | None = None
    assistant_name: str | None = None
    accepted_at: int | None = None

    @property
    def text(self) -> str:
        """The text parts joined, as *Copy* and export give them."""
        return "".join(part.text for part in self.parts if part.type is PartType.TEXT)

    @property
    def error_sentence(self) -> str:
        """The sentence about a failure, "" without one; a ``Text`` again if it was stored as one."""
        sentence = self.error or ""
        kept = unpacked(self.error_details.get("sentence"))
        return kept if kept == sentence else sentence

    @property
    def is_damaged(self) -> bool:
        """Return whether the stored content of a part of it could not be read."""
        return any(UNREADABLE in part.content for part in self.parts)

    @property
    def is_note(self) -> bool:
        """Return whether a person wrote it as a note that asks for no answer."""
        return self.role is Role.USER and self.finish_reason == NOTE

    @property
    def is_edited_answer(self) -> bool:
        """Return whether a person wrote this answer in place of the model's."""
        return self.role is Role.ASSISTANT and self.finish_reason == EDITED

    @property
    def reasoning(self) -> str:
        return "".join(part.text for part in self.parts if part.type is PartType.REASONING)


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A part of the shown path, oldest first. ``total`` counts the whole shown path."""

    thread_id: str
    messages: tuple[Message, ...]
    has_older: bool
    has_newer: bool
    total: int


@dataclass(frozen=True, slots=True)
class ThreadSizes:
    """The length of the shown path up to the position ``count``: for every ``step`` positions from the first one on,
    the number of messages and of their characters and lines together."""

    count: int
    step: int
    messages: tuple[int, ...]
    characters: tuple[int, ...]
    lines: tuple[int, ...]
