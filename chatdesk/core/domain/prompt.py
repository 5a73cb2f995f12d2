"""Defines prompts: texts that a person keeps to write with, and the system prompts that apply to a thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from chatdesk.core.domain.attachment import MOST_IN_MESSAGE, Attachment, attachment_from
from chatdesk.core.domain.parameters import Parameters, checked_parameters, parameters_from
from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text, shortened

LONGEST_NAME = 100
LONGEST_TEXT = 100_000
MOST_PROMPTS = 2_000
# The icons that an assistant can have; the first is what an unknown one is shown as.
ASSISTANT_ICONS: Final = (
    "sparkles", "brain", "lightbulb", "wand", "pencil", "code", "terminal", "search", "languages", "mail",
    "list-checks", "table", "database", "palette", "image", "gauge", "calendar", "star", "user", "users",
)  # fmt: skip
_MOST_TOOLS, _LONGEST_WORD = 100, 200


class PromptKind(StrEnum):
    """The use of a prompt: a template goes into the composer, a system prompt is sent before the messages of a thread,
    a quick action is asked about an answer in one press, an assistant answers in a thread or one question."""

    TEMPLATE = "template"
    SYSTEM = "system"
    QUICK = "quick"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class AssistantSetup:
    """The part of an assistant that other prompts do not have. ``provider`` and ``model`` None: those of the thread.
    ``tools`` are ids of tool servers; None: those of the thread. ``files`` go with every request."""

    icon: str = ASSISTANT_ICONS[0]
    provider: str | None = None
    model: str | None = None
    parameters: Parameters = field(default_factory=Parameters)
    tools: tuple[str, ...] | None = None
    files: tuple[Attachment, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the set-up as JSON data; ``setup_from`` reads it."""
        return {
            "icon": self.icon,
            "provider": self.provider,
            "model": self.model,
            "parameters": self.parameters.as_json(),
            "tools": None if self.tools is None else list(self.tools),
            "files": [each.as_content() for each in self.files],
        }


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant as an answer uses it."""

    id: str
    name: str
    instructions: str
    setup: AssistantSetup


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of the library. Times are milliseconds UTC. ``deleted_at`` is set once it was deleted; it can be
    restored until it is purged. ``setup`` is there for an assistant, whose instructions are ``text``."""

    id: str
    kind: PromptKind
    name: str
    text: str
    created_at: int
    updated_at: int
    used_at: int | None = None
    use_count: int = 0
    deleted_at: int | None = None
    setup: AssistantSetup | None = None


@dataclass(frozen=True, slots=True)
class PromptHead:
    """A prompt in a list. ``beginning`` is the start of its text, ``icon`` that of an assistant."""

    id: str
    kind: PromptKind
    name: str
    beginning: str
    used_at: int | None = None
    icon: str = ""


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt that is not stored yet."""

    kind: PromptKind
    name: str
    text: str
    setup: AssistantSetup | None = None


class PromptSource(StrEnum):
    """The owner of a system prompt; the first of these that has one counts, after the thread's assistant."""

    THREAD = "thread"
    PROJECT = "project"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SystemPrompts:
    """The system prompts that a thread could be answered under; an empty one leaves it to the next. ``thread_id`` is
    None for a project alone. ``assistant`` is the one of the thread, whose instructions come before all of them."""

    thread_id: str | None
    project_id: str
    project_name: str
    thread: str
    project: str
    default: str
    assistant: Assistant | None = None

    def of(self, source: PromptSource) -> str:
        return str(getattr(self, source.value))


@dataclass(frozen=True, slots=True)
class PromptSize:
    """The size of a system prompt and of a model's window, in tokens. ``window`` is without the answer's part."""

    tokens: int
    window: int
    is_estimate: bool

    @property
    def has_room(self) -> bool:
        """Return whether space is left for a message."""
        return self.tokens < self.window


def checked_name(name: str) -> str:
    """Return the name on one line, cut to ``LONGEST_NAME``; empty if it has no visible character."""
    words = name.strip()[: LONGEST_NAME * 4].split()
    line = " ".join("".join(letter for letter in word if letter.isprintable()) for word in words).strip()
    return shortened(line, LONGEST_NAME)


def setup_from(values: Mapping[str, Any]) -> AssistantSetup:
    """Return the stored set-up; invalid values read as unset, so that a damaged row hides no assistant."""
    provider, model = (_word(values.get(name)) for name in ("provider", "model"))
    tools, files, parameters = values.get("tools"), values.get("files"), values.get("parameters")
    listed = files if isinstance(files, list) else []
    found = (attachment_from(each) for each in listed[:MOST_IN_MESSAGE] if isinstance(each, dict))
    return AssistantSetup(
        icon=_icon(values.get("icon")),
        provider=provider,
        model=model if provider is not None else None,
        parameters=parameters_from(parameters) if isinstance(parameters, dict) else Parameters(),
        tools=tuple(each for each in tools[:_MOST_TOOLS] if _word(each)) if isinstance(tools, list) else None,
        files=tuple(each for each in found if each is not None),
    )


def checked_setup(setup: AssistantSetup) -> AssistantSetup:
    """Return the set-up if it can be stored. Raises ``InvalidInput``."""
    if len(setup.files) > MOST_IN_MESSAGE:
        raise InvalidInput(
            Text("An assistant has at most {most_in_message} files.", most_in_message=str(MOST_IN_MESSAGE)),
            safe=Text("Nothing was changed."),
            next_step=Text("Leave some of them out."),
        )
    checked_parameters(setup.parameters)
    return setup_from(setup.as_json())


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD else None


def _icon(value: object) -> str:
    return value if isinstance(value, str) and value in ASSISTANT_ICONS else ASSISTANT_ICONS[0]


class PromptFinder:
    """Filters prompts at every key press: their texts are folded once, their order is kept."""

    def __init__(self, heads: Iterable[PromptHead]) -> None:
        self._rows = [(head, head.name.casefold(), head.beginning.casefold()) for head in heads]

    def find(self, typed: str, *, names_only: bool = False) -> list[PromptHead]:
        """Return the prompts that have every typed word in the name or, unless ``names_only``, in the beginning. Names
        that begin with the typed text come first, then names with words that begin so, then names that contain it, then
        the rest."""
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
