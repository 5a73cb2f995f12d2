"""Defines the pieces in which an answer comes, before it is written in one of OpenAI's forms."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.providers.base import PictureDelta, ReasoningDelta, TextDelta, ToolCallDelta


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an answer: its reason, and its usage if that is known."""

    reason: str
    usage: Usage | None
    cost_usd: float | None


Piece = TextDelta | ReasoningDelta | PictureDelta | ToolCallDelta | Ended | ChatDeskError


@dataclass(slots=True)
class Head:
    """The facts about a whole answer. ``model`` is the one that answers and ``answer_id`` the message that a thread
    keeps, each once that is known."""

    prefix: str
    created: int
    model: str
    request_id: str
    thread_id: str = ""
    answer_id: str = ""

    @property
    def id(self) -> str:
        return self.prefix + (self.answer_id or self.request_id)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole answer, in pieces."""

    head: Head
    pieces: tuple[Piece, ...]

    @property
    def end(self) -> Ended:
        end = self.pieces[-1]
        assert isinstance(end, Ended)  # a failure was raised
        return end


def headers(whole: Whole) -> dict[str, str]:
    """Return the headers with the thread, tokens and cost of an answer."""
    found = {"x-chatdesk-thread": whole.head.thread_id} if whole.head.thread_id else {}
    return found | spent_headers(whole.end.usage, whole.end.cost_usd)


def spent_headers(usage: Usage | None, cost_usd: float | None) -> dict[str, str]:
    """Return the headers of an answer with its tokens and dollars, as far as these are known."""
    found = {}
    if usage is not None:
        found["x-chatdesk-input-tokens"] = str(usage.input_tokens)
        found["x-chatdesk-output-tokens"] = str(usage.output_tokens)
    if cost_usd is not None:
        found["x-chatdesk-cost-usd"] = f"{cost_usd:.6f}"
    return found
