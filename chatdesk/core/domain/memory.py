"""Describes a memory: a fact that the person confirmed, and that requests of other threads may carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatdesk.core.errors import InvalidInput
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import Text

LONGEST_MEMORY: Final = 500
MOST_MEMORIES: Final = 1_000


class MemoryOrigin(StrEnum):
    """The way in which a memory came to be known. Only the words of ``PERSON`` are certainly the person's own."""

    PERSON = "person"
    SELECTION = "selection"
    PROPOSAL = "proposal"
    IMPORT = "import"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory that is to be kept. ``project_id``: the project it is for, None for everywhere. ``message_id`` is the
    message that it comes from; ``goes_with_source``: it is erased when that message is. ``source`` names the program
    of an import."""

    text: str
    project_id: str | None = None
    origin: MemoryOrigin = MemoryOrigin.PERSON
    message_id: str | None = None
    goes_with_source: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory as it is stored. ``thread_id`` is the thread of its message, None where that is gone; ``is_resting``:
    its project, or the message it goes with, is in the trash, so that it is not sent."""

    id: str
    text: str
    project_id: str | None
    origin: MemoryOrigin
    source: str
    message_id: str | None
    goes_with_source: bool
    created_at: int
    updated_at: int
    thread_id: str | None = None
    is_resting: bool = False

    @property
    def is_outside_text(self) -> bool:
        """Return whether somebody else may have written it."""
        return self.origin is not MemoryOrigin.PERSON


class NotSent(StrEnum):
    """The reason why a request carries no memories."""

    OFF = "off"
    PROVIDER = "provider"
    SHARED = "shared"
    TEMPORARY = "temporary"


NOT_SENT_TEXTS: Final = {
    NotSent.OFF: Text("Memory is off."),
    NotSent.PROVIDER: Text("Memories are not sent to this provider: you did not allow it."),
    NotSent.SHARED: Text("Memories are not sent in a shared project."),
    NotSent.TEMPORARY: Text("Memories are not sent in a temporary chat."),
}


@dataclass(frozen=True, slots=True)
class OfferedMemories:
    """The memories that a request may carry, those of its project first; ``not_sent`` is the reason for none.
    ``budget``: the most tokens that they may take."""

    memories: tuple[Memory, ...] = ()
    not_sent: NotSent | None = None
    budget: int = 0


@dataclass(frozen=True, slots=True)
class SentMemory:
    """A memory with its tokens, and whether the budget had room for it."""

    memory: Memory
    tokens: int
    is_sent: bool


@dataclass(frozen=True, slots=True)
class MemoryList:
    """The list that a request carries: ``text`` is empty where no memory is sent, ``not_sent`` is why none may be."""

    entries: tuple[SentMemory, ...] = ()
    text: str = ""
    not_sent: NotSent | None = None

    @property
    def has_outside_text(self) -> bool:
        return any(each.is_sent and each.memory.is_outside_text for each in self.entries)


def checked_memory(text: str) -> str:
    """Return a memory's text as it is stored: one line. Raises ``InvalidInput``."""
    line = clean_line(text).strip()
    if not line:
        raise InvalidInput(
            Text("A memory needs a text."), safe=Text("Nothing was changed."), next_step=Text("Write one sentence.")
        )
    if len(line) > LONGEST_MEMORY:
        raise InvalidInput(
            Text("The memory has {count} characters; the most is {most}.", count=len(line), most=LONGEST_MEMORY),
            safe=Text("Nothing was changed."),
            next_step=Text("Shorten it to what matters."),
        )
    return line
