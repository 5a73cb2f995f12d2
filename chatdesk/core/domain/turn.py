"""Defines a turn: the plan for an answer, the text that streams into it, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.prompt import Assistant
from chatdesk.core.domain.usage import Spent, Usage


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """The provider and the model that are going to answer, and the assistant they answer as."""

    provider: str
    model: str
    assistant: Assistant | None = None

    def columns(self) -> dict[str, str | None]:
        """Return the columns of an answer that say who answers."""
        return {
            "provider": self.provider,
            "model": self.model,
            "assistant_id": None if self.assistant is None else self.assistant.id,
            "assistant_name": None if self.assistant is None else self.assistant.name,
        }


@dataclass(frozen=True, slots=True)
class StreamChunk:
    """A piece of streamed text for part ``part_index``; ``kind`` is text, reasoning, tool_call (then ``text`` is a
    piece of the arguments) or tool_result. ``meta`` may have ``step``, and of calls and results ``name``, ``call_id``,
    ``duration_ms`` and ``content``: further members of the part's content. ``began_at`` is when the first piece of the
    part came, in milliseconds UTC; None where it was not recorded."""

    part_index: int
    kind: PartType
    text: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    began_at: int | None = None


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """The end of a turn. ``tail`` is the text that was streamed but not stored yet. Times are milliseconds;
    ``cost_usd`` None: the price is not known. Usage and cost are those of the last request, and ``last`` has its times
    where the answer made several. ``is_refused``: ChatDesk itself did not send the request; ``is_asked`` is
    false where there was no request at all, so that the ledger does not hear of it."""

    status: Status
    finished_at: int
    latency_ms: int | None = None
    time_to_first_token_ms: int | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    finish_reason: str | None = None
    error: str | None = None
    error_type: str | None = None
    error_details: Mapping[str, Any] = field(default_factory=dict)
    tail: tuple[StreamChunk, ...] = ()
    last: Spent | None = None
    is_refused: bool = False
    is_asked: bool = True
