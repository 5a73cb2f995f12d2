"""Summaries: what stands in for the oldest messages of a path once they no longer fit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SummaryAuthor(StrEnum):
    MODEL = "model"
    PERSON = "person"


class SummaryState(StrEnum):
    """``stale``: a message in its range changed, so it is not sent until it is made anew; ``off``: by the reader."""

    VALID = "valid"
    STALE = "stale"
    OFF = "off"


class StaleReason(StrEnum):
    EDITED = "edited"
    DELETED = "deleted"
    SWITCHED = "switched"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Summary:
    """One version of the summary of a thread, from one message to another, both included.

    ``pinned_facts`` are kept word for word when it is made anew. ``message_count`` is how many messages it stands for.
    ``input_tokens`` and ``output_tokens`` are what its making took. A position below 0: that message is gone for good.
    ``author_id``: the other member at whose cost it was made; None: whoever works with this profile.
    """

    id: str
    thread_id: str
    version: int
    from_message_id: str
    to_message_id: str
    text: str
    tokens: int
    provider: str | None
    model: str | None
    prompt_version: str
    created_at: int
    author: SummaryAuthor
    pinned_facts: tuple[str, ...] = ()
    state: SummaryState = SummaryState.VALID
    stale_reason: StaleReason | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    message_count: int = 0
    from_position: int = -1
    to_position: int = -1
    author_id: str | None = None

    @property
    def is_range_gone(self) -> bool:
        """Whether messages that it stands for were removed for good."""
        return self.from_position < 0 or self.to_position < 0


@dataclass(frozen=True, slots=True)
class SummarySwitches:
    """Whether a thread, its project, and everything is summarised. All three must be on."""

    is_thread_on: bool = True
    is_project_on: bool = True
    is_on_everywhere: bool = True

    @property
    def is_on(self) -> bool:
        return self.is_thread_on and self.is_project_on and self.is_on_everywhere


@dataclass(frozen=True, slots=True)
class NewSummary:
    """What is to be stored as the next version."""

    thread_id: str
    from_message_id: str
    to_message_id: str
    text: str
    tokens: int
    author: SummaryAuthor
    provider: str | None = None
    model: str | None = None
    prompt_version: str = ""
    pinned_facts: tuple[str, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
