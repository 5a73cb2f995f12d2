"""Prompts: what a person keeps to write with, and which system prompt a thread is answered under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LONGEST_NAME = 100
LONGEST_TEXT = 100_000
MOST_PROMPTS = 2_000
_IN_TEXT = 3


class PromptKind(StrEnum):
    """A template goes into the composer, a system prompt is sent before the messages of a thread."""

    TEMPLATE = "template"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Prompt:
    """Times are milliseconds UTC. ``deleted_at`` is set once it was deleted; it can be restored until it is purged."""

    id: str
    kind: PromptKind
    name: str
    text: str
    created_at: int
    updated_at: int
    used_at: int | None = None
    use_count: int = 0
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class PromptHead:
    """A prompt in a list. ``beginning`` is the start of its text."""

    id: str
    kind: PromptKind
    name: str
    beginning: str
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """What is to become a prompt."""

    kind: PromptKind
    name: str
    text: str


class PromptSource(StrEnum):
    """Whose system prompt it is."""

    THREAD = "thread"
    PROJECT = "project"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SystemPrompts:
    """The system prompts that a thread could be answered under; an empty one leaves it to the next. ``thread_id`` is
    None for a project alone."""

    thread_id: str | None
    project_id: str
    project_name: str
    thread: str
    project: str
    default: str

    @property
    def source(self) -> PromptSource | None:
        """Whose counts; None: nobody has one."""
        for source in PromptSource:
            if self.of(source).strip():
                return source
        return None

    def of(self, source: PromptSource) -> str:
        return str(getattr(self, source.value))


@dataclass(frozen=True, slots=True)
class PromptSize:
    """How much of a model's window a system prompt takes, in tokens. ``window`` is without the answer's part."""

    tokens: int
    window: int
    is_estimate: bool

    @property
    def has_room(self) -> bool:
        """Whether something is left for a message."""
        return self.tokens < self.window


def checked_name(name: str) -> str:
    """On one line, and no longer than a name may be; empty where nothing can be seen of it."""
    words = name.strip()[: LONGEST_NAME * 4].split()
    line = " ".join("".join(letter for letter in word if letter.isprintable()) for word in words).strip()
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1].rstrip() + "…"


def ranked(heads: Iterable[PromptHead], typed: str, *, names_only: bool = False) -> list[PromptHead]:
    """Those that have every typed word, in name or, unless told, beginning. Names that begin with what was typed come
    first, then names with words that begin so, then names that hold it, then the rest; each in the given order."""
    words = typed.casefold().split()
    if not words:
        return list(heads)
    found = []
    for place, head in enumerate(heads):
        rank = _rank(head, words)
        if rank is not None and not (names_only and rank == _IN_TEXT):
            found.append((rank, place, head))
    return [head for _rank_, _place, head in sorted(found, key=lambda each: each[:2])]


def _rank(head: PromptHead, words: list[str]) -> int | None:
    name = head.name.casefold()
    if name.startswith(" ".join(words)):
        return 0
    name_words = name.split()
    if all(any(each.startswith(word) for each in name_words) for word in words):
        return 1
    if all(word in name for word in words):
        return 2
    beginning = head.beginning.casefold()
    return _IN_TEXT if all(word in name or word in beginning for word in words) else None
