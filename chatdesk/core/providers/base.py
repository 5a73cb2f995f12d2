"""What a provider is, and the typed events that its stream yields.

Order of a stream: any number of ``TextDelta``, ``ReasoningDelta``, ``ToolCallDelta`` (and ``RetryScheduled`` before
the first of them only), at most one ``UsageReported``, then exactly one ``StreamFinished``. A stream that cannot go on
raises ``ProviderError``; nothing else but ``asyncio.CancelledError`` ever leaves it. What was yielded before stays
valid. Cancelling the consuming task, or ``aclose()``, closes the connection within 200 ms. One instance serves any
number of streams at once, all on the loop that first used it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from chatdesk.core.domain.attachment import Enclosed
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_check import ListedModel as ListedModel
from chatdesk.core.domain.usage import CacheLife, RateReport, Usage


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made, with its arguments as it wrote them."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class RequestMessage:
    """``tool_calls`` belong to an answer; for each there follows a message of the tool with its ``tool_call_id``.

    ``enclosed`` is what came with the message. It is written out into ``files``, texts that go before the message's
    own, and ``images``, data URLs, before a provider gets the message.
    """

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    enclosed: tuple[Enclosed, ...] = ()
    files: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def full_text(self) -> str:
        """All words that are sent."""
        return "\n\n".join((*self.files, self.text) if self.text else self.files) if self.files else self.text


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request. ``continue_text`` is the partial answer to be continued in place, if any. What is None or empty is
    left to the model's own default. ``is_summary`` is for the offline model, which answers by rule. ``cache`` is for
    requests whose beginning is going to be sent again."""

    model: str
    messages: Sequence[RequestMessage]
    continue_text: str = ""
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    stop: tuple[str, ...] = ()
    is_summary: bool = False
    cache: CacheLife = CacheLife.OFF


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A fragment of tool call number ``index``; ``arguments`` is to be appended to what came before."""

    index: int
    call_id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """Nothing came yet; the request is sent again after ``delay_s`` for ``reason`` (attempt from 1), or when somebody
    calls ``hurry``."""

    attempt: int
    delay_s: float
    reason: str
    hurry: Callable[[], None] = field(default=lambda: None, compare=False)


@dataclass(frozen=True, slots=True)
class UsageReported:
    usage: Usage


@dataclass(frozen=True, slots=True)
class RateReported:
    """What the vendor says of its own limits; it may come before everything else, also before a retry."""

    report: RateReport


@dataclass(frozen=True, slots=True)
class LibraryLoaded:
    """The request could not be sent before what speaks to the provider was loaded, which took so long. It comes before
    everything else and counts for no latency."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ModelNamed:
    """The model that is asked, where the request named none. It comes before the answer."""

    model: str


@dataclass(frozen=True, slots=True)
class StreamFinished:
    reason: FinishReason


StreamEvent = (
    TextDelta
    | ReasoningDelta
    | ToolCallDelta
    | RetryScheduled
    | UsageReported
    | RateReported
    | LibraryLoaded
    | ModelNamed
    | StreamFinished
)


@dataclass(frozen=True, slots=True)
class ProviderCheck:
    """What *doctor* learned about a provider: reachable or the sentence why not. ``is_expected`` is false where that is
    no fault: nobody gave a key yet, or it was switched off."""

    provider: str
    is_reachable: bool
    message: str
    models: tuple[str, ...] = field(default_factory=tuple)
    is_expected: bool = True


class Provider(Protocol):
    """A vendor or a server."""

    @property
    def name(self) -> str:
        """Stable short name, stored with messages."""
        ...

    @property
    def label(self) -> str:
        """What a person reads."""
        ...

    async def list_models(self) -> tuple[ListedModel, ...]:
        """The models, or ``ProviderError``."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Start one answer; see the module text for the order of events."""
        ...

    async def wire_body(self, request: ChatRequest) -> bytes:
        """The very bytes that ``stream`` would send for this request; nothing is sent. Raises ``ProviderError`` where a
        server has to be asked for its model first and cannot be."""
        ...

    async def close(self) -> None:
        """Close all connections; safe to call twice."""
        ...
