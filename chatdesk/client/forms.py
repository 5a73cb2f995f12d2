"""The things that the service answers with. What a newer service says more is left out; times are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Project:
    """A project. ``etag`` names this version of it, where it was read alone; it is for ``if_match``."""

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
    """A thread. ``etag`` names this version of it, where it was read alone; it is for ``if_match``."""

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
class Part:
    """A piece of a message: text, reasoning, a call of a tool or its result."""

    id: str
    type: str
    text: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    arguments: str | None = None


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
class Asked:
    """A question that is stored, and its answer, which is still being written."""

    question: Message
    answer: Message


@dataclass(frozen=True, slots=True)
class Ready:
    """The parts that requests need, and whether each works."""

    status: str
    database: bool = False
    provider: bool = False
    team: bool = False
    disk: bool = False


def read(form: type[T], data: Any) -> T:
    """Return what the service sent as its form. Raises ``ValueError`` where it is something else."""
    if not isinstance(data, Mapping):
        raise ValueError(f"not a {form.__name__}")
    values: dict[str, Any] = {}
    for each in fields(form):  # type: ignore[arg-type]
        if each.name in data:
            inner = _INNER.get(each.name)
            values[each.name] = data[each.name] if inner is None else inner(data[each.name])
        elif each.default is MISSING:
            raise ValueError(f"{form.__name__} without {each.name}")
    return form(**values)


def listed(form: type[T], name: str) -> Callable[[Any], tuple[T, ...]]:
    """Return what reads the list ``name`` of an answer."""
    return lambda data: _all(form, data[name])


def _all(form: type[T], data: Any) -> tuple[T, ...]:
    return tuple(read(form, each) for each in data)


_INNER: Final[Mapping[str, Callable[[Any], Any]]] = {
    "threads": lambda data: _all(Thread, data),
    "messages": lambda data: _all(Message, data),
    "parts": lambda data: _all(Part, data),
    "tags": tuple,
    "usage": lambda data: read(Usage, data),
    "question": lambda data: read(Message, data),
    "answer": lambda data: read(Message, data),
}
