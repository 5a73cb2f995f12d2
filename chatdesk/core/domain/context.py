"""What the model will see of a thread: the room that each thing takes, and for every message whether it is sent.

A report holds no list of messages, because a thread may have a hundred thousand: what happens to a message follows
from its place on the path, and pages of entries are made when somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """What happens to a message of the shown path when the next request is made."""

    SENT = "sent"
    SUMMARISED = "summarised"
    EXCLUDED = "excluded"
    DID_NOT_FIT = "did_not_fit"
    EMPTY = "empty"


class ContextMark(StrEnum):
    """What the reader said about one message: nothing, send it before others, or never send it."""

    NONE = ""
    PINNED = "pinned"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One message of the path. ``tokens`` is what it takes, or would take if it were sent."""

    message_id: str
    position: int
    role: str
    preview: str
    tokens: int
    is_estimate: bool
    reason: Reason
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class ContextTotals:
    """Tokens of one request. ``reserved`` is the room that is kept for the answer."""

    window: int
    reserved: int
    system: int = 0
    summary: int = 0
    pinned: int = 0
    recent: int = 0
    draft: int = 0
    is_estimate: bool = False

    @property
    def used(self) -> int:
        return self.system + self.summary + self.pinned + self.recent + self.draft

    @property
    def free(self) -> int:
        """What can still be said before something has to stay behind; never negative."""
        return max(self.window - self.reserved - self.used, 0)

    @property
    def share(self) -> float:
        """How full the room for the request is; 1 and more: the draft pushes older messages out."""
        room = self.window - self.reserved
        return self.used / room if room > 0 else 1.0


@dataclass(frozen=True, slots=True)
class ContextReport:
    """The request that would be made now. ``counts`` has how many messages of the path have each reason.

    ``summary_id`` names the summary that is sent; ``stale_summary_id`` one that would be, had the messages below it
    stayed as they were. ``problem`` is the sentence why no request can be made.
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


@dataclass(frozen=True, slots=True)
class ContextPage:
    """Part of the entries, oldest first. ``total`` counts the whole path."""

    entries: tuple[ContextEntry, ...]
    start: int
    total: int
