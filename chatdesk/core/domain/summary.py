"""Summaries: what stands in for the oldest messages of a path once they no longer fit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chatdesk.core.domain.usage import Usage


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


@dataclass(frozen=True, slots=True)
class ConsentLimits:
    """Summaries of a thread that would take more are made when a person agrees; 0 never asks."""

    cost_usd: float = 0.05
    tokens: int = 100_000

    def are_exceeded(self, tokens: int, cost_usd: float | None) -> bool:
        """``cost_usd`` None: nobody knows the price, so the tokens decide."""
        is_dear = self.cost_usd > 0 and cost_usd is not None and cost_usd > self.cost_usd
        return is_dear or 0 < self.tokens < tokens


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """What it takes to cover the older messages of a thread, at a guess."""

    requests: int
    usage: Usage


class SummaryStage(StrEnum):
    """``asking``: a person has to agree first; ``waiting``: it goes on by itself, after a failure or tomorrow. The last
    two are ends; ``stopped`` also by a person who did not agree."""

    ASKING = "asking"
    WORKING = "working"
    WAITING = "waiting"
    MADE = "made"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SummaryWork:
    """How far the summaries of a thread are: what is expected of all of it, and what it took until now. Costs are None
    where nobody knows the price."""

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
