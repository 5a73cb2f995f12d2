"""Describes the part of a thread that the model will see: the tokens of each kind of content, and whether each message
is sent.

A report has no list of messages, because a thread may have a hundred thousand: the fate of a message follows from its
place on the path, and pages of entries are made on demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.knowledge import EnclosedPassages
from chatdesk.core.domain.memory import NotSent, SentMemory
from chatdesk.core.domain.message import ContextMark, PartType, Role
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.summary import Summary


class Reason(StrEnum):
    """The reason why a message of the shown path is sent or left out of the next request."""

    SENT = "sent"
    SUMMARISED = "summarised"
    EXCLUDED = "excluded"
    DID_NOT_FIT = "did_not_fit"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """A message of the path. ``tokens`` is what it takes, or would take if sent; ``is_excluded``: by the reader, and
    not because the context starts after it."""

    message_id: str
    position: int
    role: str
    preview: str
    tokens: int
    is_estimate: bool
    reason: Reason
    is_pinned: bool
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class ContextTotals:
    """The tokens of one request. ``reserved`` is kept free for the answer. ``pushed_out`` counts the messages that
    would be sent without the draft and stay behind because of it; ``is_draft_too_large``: the draft does not fit even
    alone. ``files`` are the passages of the project's files. ``has_stale_summary``: there is a summary that is not sent
    because messages it stands for changed."""

    window: int
    reserved: int
    system: int = 0
    memory: int = 0
    summary: int = 0
    pinned: int = 0
    recent: int = 0
    draft: int = 0
    files: int = 0
    is_estimate: bool = False
    pushed_out: int = 0
    is_draft_too_large: bool = False
    has_stale_summary: bool = False

    @property
    def used(self) -> int:
        return self.system + self.memory + self.summary + self.pinned + self.recent + self.draft + self.files

    @property
    def free(self) -> int:
        """The tokens that can still be added before something has to stay behind; never negative."""
        return max(self.window - self.reserved - self.used, 0)

    @property
    def share(self) -> float:
        """The used share of the window without the answer's part; at 1 and more the draft pushes older messages out."""
        room = self.window - self.reserved
        return self.used / room if room > 0 else 1.0


@dataclass(frozen=True, slots=True)
class ContextReport:
    """The request that would be made now. ``counts`` has the number of messages of the path for each reason.

    ``summary_id`` names the summary that is sent; ``stale_summary_id`` one that would be, had the messages below it
    stayed as they were. ``problem`` is the sentence why no request can be made; ``notes`` are sentences about
    attachments that are not sent as they are. ``memories`` are those that fit the thread, ``memories_not_sent`` is why
    there are none. ``found`` is what the question finds in the project's files, None where it has none.
    """

    thread_id: str
    provider: str
    model: str
    totals: ContextTotals
    message_count: int
    counts: Mapping[Reason, int] = field(default_factory=dict)
    summarised_count: int = 0
    pinned_count: int = 0
    recent_count: int = 0
    starts_at_id: str | None = None
    summary_id: str | None = None
    stale_summary_id: str | None = None
    problem: str | None = None
    notes: tuple[str, ...] = ()
    memories: tuple[SentMemory, ...] = ()
    memories_not_sent: NotSent | None = None
    found: EnclosedPassages | None = None


@dataclass(frozen=True, slots=True)
class ContextPage:
    """A part of the entries, oldest first. ``total`` counts the whole path."""

    entries: tuple[ContextEntry, ...]
    start: int
    total: int


@dataclass(frozen=True, slots=True)
class SummaryEnd:
    """The last message that a summary stands for, and how many messages those are. A stale one is not sent."""

    message_id: str
    message_count: int
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class ContextLandmarks:
    """The places between the messages of a thread where the context changes: its chosen start, and the ends of
    summaries."""

    starts_at_id: str | None = None
    summary_ends: tuple[SummaryEnd, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextPart:
    """A piece of a message that may be sent: text, the arguments of a tool call, a tool's result, or an attachment.
    ``tokens`` is None until it was counted; it is less than ``whole_tokens`` for a file that does not fit whole.
    ``kept`` is what goes back to the vendor of a call (``providers.base.Kept``)."""

    id: str
    kind: PartType
    text: str
    call_id: str = ""
    name: str = ""
    tokens: int | None = None
    attachment: Attachment | None = None
    whole_tokens: int | None = None
    kept: object = None


@dataclass(frozen=True, slots=True)
class ContextRow:
    """A message as the request builder reads it. One that is still being written has no parts."""

    id: str
    position: int
    role: Role
    mark: ContextMark
    parts: tuple[ContextPart, ...]


@dataclass(frozen=True, slots=True)
class PathCounts:
    """Counts of messages in a stretch of the shown path; ``empty`` ones are those without a mark."""

    total: int
    excluded: int
    empty: int


@dataclass(frozen=True, slots=True)
class ContextFrame:
    """Everything of a thread that decides about its requests, except for the messages.

    ``system_prompt`` is the thread's or else its project's. ``starts_at`` is the position of the first message that may
    be sent. ``summary`` is the newest one for the shown path that can be sent, ``stale_summary_id`` a newer one that
    cannot; ``is_summary_off``: the reader said that it is not sent, so none is made unasked either. ``end`` is the last
    position of the path, -1 where it is empty. ``assistant_id`` is the thread's assistant; ``files`` are those that go
    along with every request of the assistant that answers.
    """

    thread_id: str
    project_id: str
    provider: str | None
    model: str | None
    system_prompt: str
    parameters: Parameters
    starts_at_id: str | None
    starts_at: int
    has_summaries: bool
    summary: Summary | None
    stale_summary_id: str | None
    end: int
    message_count: int
    is_summary_off: bool = False
    assistant_id: str | None = None
    files: tuple[Attachment, ...] = ()
