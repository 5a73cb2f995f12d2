"""Defines summaries, which replace the oldest messages of a path in requests once they no longer fit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chatdesk.core.domain.usage import Usage


class SummaryAuthor(StrEnum):
    MODEL = "model"
    PERSON = "person"


class SummaryState(StrEnum):
    """The state of a summary. ``stale``: a message in its range changed, so it is not sent until it is rebuilt;
    ``off``: the reader switched it off."""

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
    """A version of the summary of a thread, from one message to another, both included.

    ``pinned_facts`` are kept word for word when it is rebuilt. ``message_count`` is the number of messages that it
    stands for. ``input_tokens`` and ``output_tokens`` are what its making took. A position below 0: that message was
    removed for good. ``author_id``: the other member at whose cost it was made; None: whoever works with this profile.
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
        """Return whether the first or last message of its range was removed for good."""
        return self.from_position < 0 or self.to_position < 0


@dataclass(frozen=True, slots=True)
class SummarySwitches:
    """Three switches for summaries: of the thread, of its project, and of the settings. All must be on."""

    is_thread_on: bool = True
    is_project_on: bool = True
    is_on_everywhere: bool = True

    @property
    def is_on(self) -> bool:
        return self.is_thread_on and self.is_project_on and self.is_on_everywhere


@dataclass(frozen=True, slots=True)
class NewSummary:
    """A summary that is to be stored as the next version."""

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


@dataclass(frozen=True, slots=True)
class ConsentLimits:
    """The cost and the tokens above which summaries of a thread are made only when a person agrees; 0 never asks."""

    cost_usd: float = 0.05
    tokens: int = 100_000

    def are_exceeded(self, tokens: int, cost_usd: float | None) -> bool:
        """Return whether a person has to agree. ``cost_usd`` None: the price is not known, so the tokens decide."""
        is_dear = self.cost_usd > 0 and cost_usd is not None and cost_usd > self.cost_usd
        return is_dear or 0 < self.tokens < tokens


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """The estimated requests and usage to cover the older messages of a thread."""

    requests: int
    usage: Usage


class SummaryStage(StrEnum):
    """The stage of summarising a thread. ``asking``: a person has to agree first; ``waiting``: it continues by itself,
    after a failure or tomorrow. The last two are final; ``stopped`` also by a person who did not agree."""

    ASKING = "asking"
    WORKING = "working"
    WAITING = "waiting"
    MADE = "made"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SummaryWork:
    """The progress of summarising a thread: the plan for all of it, and the usage until now. Costs are None where the
    price is not known."""

    thread_id: str
    stage: SummaryStage
    provider: str
    model: str
    planned_requests: int = 0
    planned_tokens: int = 0
    planned_cost_usd: float | None = None
    requests: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
