"""Defines the events of the application, small past-tense dataclasses, and the bus that carries them.

Everything runs on the loop's thread. A handler that raises is logged and does not stop the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from chatdesk.core.domain.message import Message
from chatdesk.core.domain.sharing.team import SyncStatus
from chatdesk.core.domain.summary import SummaryWork
from chatdesk.core.domain.thread import Project, Thread
from chatdesk.core.domain.tools import ApprovalRequest
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.errors import StorageError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ThreadCreated:
    thread: Thread


@dataclass(frozen=True, slots=True)
class ThreadChanged:
    """The title, pin, archive, counters, model or shown path of a thread changed."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class ThreadDeleted:
    """A thread was moved to the trash (or, with ``is_purged``, removed for good)."""

    thread_id: str
    is_purged: bool = False


@dataclass(frozen=True, slots=True)
class ThreadsChanged:
    """Several threads changed in one step: pins, archive, trash, project or tags. None: too many to list, or not known
    which; lists are to be read again."""

    threads: tuple[Thread, ...] | None


@dataclass(frozen=True, slots=True)
class ProjectCreated:
    project: Project


@dataclass(frozen=True, slots=True)
class ProjectChanged:
    """The name, colour, default model or archive of a project changed, or it came back from the trash."""

    project: Project


@dataclass(frozen=True, slots=True)
class ProjectDeleted:
    """A project was moved to the trash. Its threads went along, which ``ThreadsChanged`` reports."""

    project: Project


@dataclass(frozen=True, slots=True)
class ProjectFilesChanged:
    """Something of a project's files was added, read, changed or removed. While many are read, it comes a few times a
    second."""

    project_id: str


@dataclass(frozen=True, slots=True)
class MemoriesChanged:
    """Memories were kept, changed or deleted, or other requests carry them than before."""


@dataclass(frozen=True, slots=True)
class TagsChanged:
    """Tags were added or removed, or threads have other tags than before."""


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A message became part of the shown path, at its end."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """The status, parts, mark or version count of a message changed; ``message`` is complete."""

    message: Message


@dataclass(frozen=True, slots=True)
class PathChanged:
    """The shown path changed from ``from_message_id`` on (None: from the beginning): another version was chosen, or a
    message left or came back."""

    thread_id: str
    from_message_id: str | None


@dataclass(frozen=True, slots=True)
class ContextChanged:
    """The next request of a thread (None: of any thread) changed for a reason that no other event reports: marks, the
    start, parameters, summaries."""

    thread_id: str | None


@dataclass(frozen=True, slots=True)
class SummaryFailed:
    """A summary could not be made; it is tried again later. Published once, until one succeeds."""

    thread_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SummaryWorkChanged:
    """The summaries of a thread reached another stage; see ``SummaryStage``."""

    work: SummaryWork


@dataclass(frozen=True, slots=True)
class PromptsChanged:
    """The library of prompts changed."""


@dataclass(frozen=True, slots=True)
class ProvidersChanged:
    """Providers, their keys, or the favourites among their models changed."""


@dataclass(frozen=True, slots=True)
class UsageRecorded:
    """A request in the background was entered into the ledger."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class LimitNear:
    """A question exceeded the warning level of a limit; published once a day for each limit."""

    sentence: str


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The queue of answers changed, or the reasons for waiting; ``waiting`` is the whole queue, the next answer
    first."""

    waiting: tuple[WaitingAnswer, ...]


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """A call of a tool waits for a person's answer."""

    request: ApprovalRequest


@dataclass(frozen=True, slots=True)
class ApprovalEnded:
    """A call does not wait any more: it was answered, or its answer ended."""

    thread_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class ToolsOffered:
    """A model is offered these tools of a server for an answer; ``notes`` are sentences about those that it is not, and
    why."""

    thread_id: str
    message_id: str
    server_id: str
    server: str
    tools: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerRequestsChanged:
    """The requests of tool servers in a thread changed: there is another, or one was answered or withdrawn."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class ToolServersChanged:
    """The tool servers changed: their set-up, their switches, their state, or the permissions of their tools."""


@dataclass(frozen=True, slots=True)
class WaitingQuestionsChanged:
    """The questions of a thread that wait for the end of an answer changed, or their order."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """An answer was requested."""

    thread_id: str
    message_id: str
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class FirstTokenArrived:
    """The first token of an answer arrived. ``time_to_first_token_ms`` is stored with the answer."""

    thread_id: str
    message_id: str
    time_to_first_token_ms: int


@dataclass(frozen=True, slots=True)
class TurnTimed:
    """The durations within a turn, published after its end: loading the provider's client (which its latency leaves
    out), from the first token to the last, and storing. ``pieces`` came from the provider."""

    thread_id: str
    message_id: str
    loading_ms: int
    streaming_ms: int
    storing_ms: int
    pieces: int


@dataclass(frozen=True, slots=True)
class TextStreamed:
    """Text arrived for a streaming message: ``delta`` is to be appended to its part ``part_index``.

    ``kind`` is ``text``, ``reasoning`` or ``tool_call`` (then ``delta`` is a piece of the arguments).
    """

    thread_id: str
    message_id: str
    part_index: int
    kind: str
    delta: str


@dataclass(frozen=True, slots=True)
class RetryWaiting:
    """The provider asked to wait; the request is sent again in ``delay_s`` seconds."""

    thread_id: str
    message_id: str
    attempt: int
    delay_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class ReachabilityChanged:
    """The connections to providers changed. ``unreachable`` are the names of providers without one, ``waiting`` the ids
    of the answers that are requested again when it is back, ``due`` those that are requested now, in turn, because it
    is back; all empty: all is well."""

    unreachable: tuple[str, ...]
    waiting: tuple[str, ...]
    due: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerFinished:
    """A turn reached its end, in any way; ``message`` is complete and on the disk."""

    message: Message


@dataclass(frozen=True, slots=True)
class StorageFailed:
    """Saving failed; shown as a banner until ``StorageRecovered``."""

    error: StorageError

    @property
    def sentence(self) -> str:
        return self.error.sentence


@dataclass(frozen=True, slots=True)
class StorageRecovered:
    pass


@dataclass(frozen=True, slots=True)
class SyncStatusChanged:
    """The status of a workspace changed: its phase, what waits, its progress. At most ten times a second."""

    status: SyncStatus


@dataclass(frozen=True, slots=True)
class TeamChanged:
    """Workspaces, members, devices, roles or the list of shared projects changed; subscribers read them again."""


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """The members who have a shared project open, or type in it, changed."""

    project_id: str


@dataclass(frozen=True, slots=True)
class UnreadChanged:
    """The counts of others' unread messages changed: all of them, by thread; threads without any are left out."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SharedMessagesArrived:
    """Other members' messages arrived since the last round, in the order of writing; ``authors`` are their names, each
    once. Not published for a first pull."""

    thread_id: str
    message_ids: tuple[str, ...]
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SharedFilesChanged:
    """Attached files of shared threads arrived, or are known to be missing on the server."""

    sha256s: frozenset[str]


E_ = TypeVar("E_")


class Subscription:
    """The handle that ``EventBus.subscribe`` returns; ``cancel`` is idempotent."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel: Callable[[], None] | None = cancel

    def cancel(self) -> None:
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()


class EventBus:
    """Delivers each event to the handlers of its class, in order of subscription."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Callable[[Any], None]]] = {}

    def subscribe(self, kind: type[E_], handler: Callable[[E_], None]) -> Subscription:
        handlers = self._handlers.setdefault(kind, [])
        handlers.append(handler)

        def cancel() -> None:
            if handler in handlers:
                handlers.remove(handler)

        return Subscription(cancel)

    def publish(self, event: object) -> None:
        for handler in tuple(self._handlers.get(type(event), ())):
            try:
                handler(event)
            except Exception:  # noqa: BLE001 - one handler must not silence the others
                _log.exception("handler of %s failed", type(event).__name__)
