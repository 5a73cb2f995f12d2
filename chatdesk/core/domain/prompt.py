"""Prompts: what a person keeps to write with, and which system prompt a thread is answered under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LONGEST_NAME = 100
LONGEST_TEXT = 100_000
MOST_PROMPTS = 2_000


class PromptKind(StrEnum):
    """A template goes into the composer, a system prompt is sent before the messages of a thread, a quick action is
    asked about an answer in one press."""

    TEMPLATE = "template"
    SYSTEM = "system"
    QUICK = "quick"


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


class PromptFinder:
    """Prompts that are looked for at every key: folded once, in the given order."""

    def __init__(self, heads: Iterable[PromptHead]) -> None:
        self._rows = [(head, head.name.casefold(), head.beginning.casefold()) for head in heads]

    def find(self, typed: str, *, names_only: bool = False) -> list[PromptHead]:
        """Those that have every typed word, in name or, unless told, beginning. Names that begin with what was typed
        come first, then names with words that begin so, then names that hold it, then the rest."""
        words = typed.casefold().split()
        if not words:
            return [head for head, _name, _beginning in self._rows]
        found: tuple[list[PromptHead], ...] = ([], [], [], [])
        for head, name, beginning in self._rows:
            rank = _rank(name, "" if names_only else beginning, words)
            if rank is not None:
                found[rank].append(head)
        return [head for heads in found for head in heads]


def _rank(name: str, beginning: str, words: list[str]) -> int | None:
    if all(word in name for word in words):
        if name.startswith(" ".join(words)):
            return 0
        starts = name.split()
        return 1 if all(any(each.startswith(word) for each in starts) for word in words) else 2
    return 3 if beginning and all(word in name or word in beginning for word in words) else None
