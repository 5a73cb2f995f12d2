"""The events that the service sends, named as on the wire. What a newer service says more is left out, and an event
that this client does not know is an ``UnknownEvent``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.client.forms import Message, Project, SummaryWork, Thread
from chatdesk.client.reading import read
from chatdesk.client.tool_events import ToolEvent


@dataclass(frozen=True, slots=True)
class Following:
    """The beginning: from here on nothing is missed. ``messages`` are the answers that are being written, with all text
    so far."""

    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Resync:
    """A beginning in place of what was asked for: the service does not keep any more what came in the meantime, or it
    started again. Read again what you show. ``messages`` are the answers that are being written, with all text so
    far."""

    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadCreated:
    """A thread was made."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class ThreadChanged:
    """The title, pin, archive, counters, model or shown path of a thread changed."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class ThreadDeleted:
    """A thread was moved to the trash, or removed for good where ``is_purged``."""

    thread_id: str
    is_purged: bool = False


@dataclass(frozen=True, slots=True)
class ThreadsChanged:
    """Several threads changed in one step. None: read lists again."""

    threads: tuple[Thread, ...] | None = None


@dataclass(frozen=True, slots=True)
class ProjectCreated:
    """A project was made."""

    project: Project


@dataclass(frozen=True, slots=True)
class ProjectChanged:
    """A project changed, or it came back from the trash."""

    project: Project


@dataclass(frozen=True, slots=True)
class ProjectDeleted:
    """A project was moved to the trash."""

    project: Project


@dataclass(frozen=True, slots=True)
class TagsChanged:
    """Tags were added or removed, or threads have other tags than before."""


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A message became part of the shown path, at its end."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message changed; ``message`` is complete and takes the place of what you have."""

    message: Message


@dataclass(frozen=True, slots=True)
class PathChanged:
    """Other messages are shown from ``from_message_id`` on, or from the beginning where it is None."""

    thread_id: str
    from_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """An answer was requested."""

    thread_id: str
    message_id: str
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class FirstTokenArrived:
    """The first token of an answer arrived."""

    thread_id: str
    message_id: str
    time_to_first_token_ms: int = 0


@dataclass(frozen=True, slots=True)
class TextStreamed:
    """Text arrived: ``delta`` is to be appended to the part ``part_index`` of a message. ``kind`` is text, reasoning or
    tool_call."""

    thread_id: str
    message_id: str
    part_index: int
    kind: str
    delta: str


@dataclass(frozen=True, slots=True)
class RetryWaiting:
    """The provider asked to wait; it is asked again in ``delay_s`` seconds."""

    thread_id: str
    message_id: str
    attempt: int = 0
    delay_s: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AnswerFinished:
    """An answer ended, in any way; ``message`` is complete and on the disk."""

    message: Message


@dataclass(frozen=True, slots=True)
class SummaryFailed:
    """A summary could not be made; it is tried again later."""

    thread_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class PromptsChanged:
    """The library of prompts changed."""


@dataclass(frozen=True, slots=True)
class ProvidersChanged:
    """Providers, their keys or their models changed."""


@dataclass(frozen=True, slots=True)
class LimitNear:
    """A question exceeded the warning level of a limit."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, as a ``Problem`` has it."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class StorageFailed:
    """Saving failed; this holds until ``StorageRecovered``."""

    error: Failure


@dataclass(frozen=True, slots=True)
class StorageRecovered:
    """Saving works again."""


@dataclass(frozen=True, slots=True)
class SharedMessagesArrived:
    """Messages of other members of a shared project arrived, in the order of writing; ``authors`` are their names."""

    thread_id: str
    message_ids: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """The members who have a shared project open, or type in it, changed."""

    project_id: str


@dataclass(frozen=True, slots=True)
class ContextChanged:
    """The next request of a thread changed (None: of any thread): marks, the start, parameters, summaries."""

    thread_id: str | None = None


@dataclass(frozen=True, slots=True)
class ThreadSummaryWork(SummaryWork):
    """Work on the summaries of a thread that is named."""

    thread_id: str = ""


@dataclass(frozen=True, slots=True)
class SummaryWorkChanged:
    """The summaries of a thread reached another stage."""

    work: ThreadSummaryWork


@dataclass(frozen=True, slots=True)
class UsageRecorded:
    """A request in the background was entered into the ledger."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class WaitingAnswer:
    """An answer that is not requested yet: why, the earliest time of its request where that is known, and how many
    answers come before it."""

    message_id: str
    thread_id: str
    provider: str = ""
    model: str = ""
    reason: str = ""
    sends_at: str | None = None
    before: int = 0
    project_id: str = ""


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The queue of answers changed, or why they wait; ``waiting`` is all of it, the next answer first."""

    waiting: tuple[WaitingAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitingQuestionsChanged:
    """The questions of a thread that wait for the end of an answer changed."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class TurnTimed:
    """The durations within a turn, sent after its end."""

    thread_id: str
    message_id: str
    loading_ms: int = 0
    streaming_ms: int = 0
    storing_ms: int = 0
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class ReachabilityChanged:
    """The names of providers without a connection, and the ids of the answers that are requested again when it is back;
    both empty: all is well."""

    unreachable: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """The status of a workspace of a team."""

    workspace_id: str
    phase: str
    synced_at: str | None = None
    waiting: int = 0
    refused: int = 0
    problem: str = ""
    next_step: str = ""
    next_try_at: str | None = None
    done: int | None = None
    total: int | None = None
    code: str = ""
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class SyncStatusChanged:
    """The status of a workspace changed. At most ten times a second."""

    status: SyncStatus


@dataclass(frozen=True, slots=True)
class TeamChanged:
    """Workspaces, members, devices, roles or the list of shared projects changed."""


@dataclass(frozen=True, slots=True)
class UnreadChanged:
    """The counts of others' unread messages: all of them, by thread; threads without any are left out."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SharedFilesChanged:
    """Attached files of shared threads arrived, or are known to be missing on the server."""

    sha256s: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a newer service: its name and its fields."""

    type: str
    fields: Mapping[str, Any]


ServiceEvent = (
    ThreadCreated
    | ThreadChanged
    | ThreadDeleted
    | ThreadsChanged
    | ProjectCreated
    | ProjectChanged
    | ProjectDeleted
    | TagsChanged
    | MessageAdded
    | MessageChanged
    | PathChanged
    | TurnStarted
    | FirstTokenArrived
    | TextStreamed
    | RetryWaiting
    | AnswerFinished
    | SummaryFailed
    | PromptsChanged
    | ProvidersChanged
    | LimitNear
    | StorageFailed
    | StorageRecovered
    | SharedMessagesArrived
    | PresenceChanged
    | ContextChanged
    | SummaryWorkChanged
    | UsageRecorded
    | QueueChanged
    | WaitingQuestionsChanged
    | ToolEvent
    | TurnTimed
    | ReachabilityChanged
    | SyncStatusChanged
    | TeamChanged
    | UnreadChanged
    | SharedFilesChanged
)
Event = Following | Resync | ServiceEvent | UnknownEvent

# The events of the service by their names.
KINDS: Final[Mapping[str, type[Any]]] = {kind.__name__: kind for kind in ServiceEvent.__args__}


def event_of(data: Mapping[str, Any]) -> Event:
    """Return an event as the service sent it. Raises ``ValueError`` where it is none."""
    name = str(data["type"])
    kind = KINDS.get(name)
    if kind is None:
        return UnknownEvent(name, {key: value for key, value in data.items() if key != "type"})
    found: Event = read(kind, data)
    return found
