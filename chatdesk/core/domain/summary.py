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

    ``pinned_facts`` are kept word for word when it is made anew. ``message_count`` is how many live messages it stands
    for; ``is_range_gone``: the messages it names were removed for good. Token counts of its making are what was paid.
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
    is_range_gone: bool = False
