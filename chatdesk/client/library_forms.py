"""Defines the service's answers about tags, search, prompts, summaries, models, usage, limits and jobs."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatdesk.client.chat_forms import Attachment


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, and the number of its threads."""

    id: str
    name: str
    threads: int = 0
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A folder, file or page of a project, with how many of its files are read, wait, or cannot be read."""

    id: str
    kind: str
    place: str
    read: int = 0
    waiting: int = 0
    unreadable: int = 0
    secrets: int = 0
    passages: int = 0
    is_paused: bool = False
    problem: str | None = None
    read_at: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a project's file: ``start`` and ``end`` are offsets in its text, ``page`` counts from 1."""

    source_id: str
    path: str
    start: int
    end: int
    text: str
    page: int | None = None
    heading: str | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """A fact that is remembered, everywhere or in one project; ``message_id`` is the message that it comes from."""

    id: str
    text: str
    origin: str
    created_at: str
    updated_at: str
    project_id: str | None = None
    message_id: str | None = None
    thread_id: str | None = None
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class OwnComputer:
    """A computer of the person: when it was last there by its own clock, how many of its files have not arrived, and
    its bytes in the folder."""

    id: str
    name: str
    version: str
    last_seen_at: str
    is_this: bool
    waiting: int
    size: int
    is_rolled_back: bool


@dataclass(frozen=True, slots=True)
class OwnComputers:
    """The exchange with the person's own computers. ``state``: none, joined, paused, parked or removed."""

    state: str
    waiting: int = 0
    refused: int = 0
    is_moving_files: bool = False
    unreadable: int = 0
    problem: str | None = None
    synced_at: str | None = None
    computers: tuple[OwnComputer, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found. ``snippet`` is a piece of its text, ``matches`` the places of the words in that."""

    kind: str
    id: str
    title: str
    snippet: str = ""
    matches: tuple[tuple[int, int], ...] = ()
    project_id: str | None = None
    thread_id: str | None = None
    message_id: str | None = None
    role: str | None = None
    model: str | None = None
    at: str | None = None
    is_in_trash: bool = False


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The best hits of one kind; ``count`` is of all, or of fewer than there are where ``is_more``. The next ones are
    found with ``next_cursor``."""

    kind: str
    hits: tuple[Hit, ...]
    count: int = 0
    is_more: bool = False
    note: str | None = None
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PromptHead:
    """A prompt of the library in a list, with the beginning of its text."""

    id: str
    kind: str
    name: str
    beginning: str = ""


@dataclass(frozen=True, slots=True)
class AssistantParameters:
    """The parameters of an assistant's requests; None leaves a value to the model."""

    temperature: float | None = None
    top_p: float | None = None
    answer_length: int | None = None
    reasoning_effort: str | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assistant:
    """The set-up of an assistant; a field that is None takes the thread's value. ``tools`` are ids of tool servers that
    the person has set up."""

    icon: str = ""
    provider: str | None = None
    model: str | None = None
    parameters: AssistantParameters = field(default_factory=AssistantParameters)
    tools: tuple[str, ...] | None = None
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of the library; ``kind`` is template, system, quick or assistant, which has a set-up."""

    id: str
    kind: str
    name: str
    text: str
    created_at: str = ""
    updated_at: str = ""
    used_at: str | None = None
    deleted_at: str | None = None
    assistant: Assistant | None = None
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary that stands for the messages of a thread from one to another."""

    id: str
    thread_id: str
    text: str
    version: int = 1
    from_message_id: str = ""
    to_message_id: str = ""
    tokens: int = 0
    provider: str | None = None
    model: str | None = None
    author: str = ""
    state: str = ""
    pinned_facts: tuple[str, ...] = ()
    message_count: int = 0
    created_at: str = ""
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SummaryWork:
    """Work on the summaries of a thread. If ``stage`` is asking, it waits for consent to the planned work."""

    stage: str
    provider: str = ""
    model: str = ""
    planned_requests: int = 0
    planned_tokens: int = 0
    planned_cost_usd: float | None = None
    requests: int = 0
    tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Summaries:
    """The summaries of a thread, and the work on them, None without any."""

    summaries: tuple[Summary, ...]
    work: SummaryWork | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a provider; None where its server does not say."""

    id: str
    label: str
    context_window: int | None = None
    sees_images: bool | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider and its models. The one with ``is_default`` answers threads without a choice."""

    id: str
    label: str
    is_default: bool = False
    default_model: str | None = None
    models: tuple[Model, ...] = ()


@dataclass(frozen=True, slots=True)
class UsageSum:
    """A sum of requests. Those that are unpriced are not in ``cost_usd``, because their price is unknown."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_requests: int = 0


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The usage of one model for one kind of work."""

    kind: str
    provider: str
    model: str
    total: UsageSum = UsageSum()


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The usage of some time, by model and kind of work."""

    rows: tuple[UsageRow, ...]
    total: UsageSum = UsageSum()


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on tokens or money per day or month: a warning at ``soft``, a stop at ``hard``, 0 for none. The
    service sets ``spent``, the use so far, and ``until``, when the period ends."""

    scope: str
    period: str
    unit: str
    target: str = ""
    soft: float = 0.0
    hard: float = 0.0
    spent: float = 0.0
    until: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits. ``etag`` names what was set, whatever is used up since; it is for ``if_match``."""

    limits: tuple[Limit, ...]
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Job:
    """An export or import. ``state`` is running, done, failed or cancelled; ``done`` of ``total`` are messages of an
    export and bytes of an import."""

    id: str
    kind: str
    state: str
    done: int = 0
    total: int = 0
    message: str = ""
    code: str | None = None
    has_file: bool = False
    created_at: str = ""
