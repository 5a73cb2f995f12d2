"""Defines the provider protocol and the typed events that a stream of an answer yields.

Order of a stream: any number of ``TextDelta``, ``ReasoningDelta``, ``PictureDelta``, ``ToolCallDelta`` (and
``RetryScheduled`` before the first of them only), at most one ``UsageReported``, then exactly one ``StreamFinished``. A
stream that cannot go on raises ``ProviderError``; nothing else but ``asyncio.CancelledError`` ever leaves it. What was
yielded before stays valid. ``ReasoningKept`` and ``SourcesNamed`` come at the end of an answer; the first is for the
loop of tools, and ignored by all others. ``StepBegan``, ``StepEnded``, ``CallChanged``, ``StoreNow``, ``ToolsOffered``
and ``ResultArrived`` come from that loop only, which is around a provider. Cancelling the consuming task, or
``aclose()``, closes the connection within 200 ms. One instance serves any number of streams at once, all on one loop.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from chatdesk.core.domain.attachment import Attachment, Enclosed
from chatdesk.core.domain.knowledge import FilesOutcome
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_check import ListedModel as ListedModel
from chatdesk.core.domain.provider_profile import Dialect
from chatdesk.core.domain.usage import CacheLife, RateReport, Usage
from chatdesk.core.providers.named_sources import NamedSource as NamedSource
from chatdesk.core.providers.named_sources import SourcesNamed as SourcesNamed


@dataclass(frozen=True, slots=True)
class Kept:
    """A vendor's own fields of a call, such as signatures, which it wants back as they are. ``origin`` is a
    mark of the server and the protocol that it came from, which alone get it; ``call`` are fields of the call,
    ``message`` the blocks of the message that made it."""

    origin: str
    call: Mapping[str, Any] = field(default_factory=dict)
    message: tuple[Mapping[str, Any], ...] = ()

    def as_content(self) -> str:
        """Return it as the content of a call's part has it: as text, which nothing on the way changes."""
        written = {"origin": self.origin, "call": dict(self.call), "message": [dict(each) for each in self.message]}
        return json.dumps(written, ensure_ascii=False)


def kept_from(content: object) -> Kept | None:
    """Return the vendor's own fields in the content of a call's part; None if they are invalid. They may come from an
    import or another member, and are sent only to the vendor that they name."""
    if not isinstance(content, str):
        return None
    try:
        written = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(written, Mapping):
        return None
    origin, call, message = written.get("origin"), written.get("call"), written.get("message")
    if not isinstance(origin, str) or not isinstance(call, Mapping) or not isinstance(message, list):
        return None
    return Kept(origin, call, tuple(each for each in message if isinstance(each, Mapping)))


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made, with its arguments unchanged. ``kept`` is data of the vendor that only the same
    vendor gets back."""

    id: str
    name: str
    arguments: str
    kept: Kept | None = None

    def kept_for(self, origin: str) -> Mapping[str, Any]:
        """Return the fields that go back to ``origin`` with this call."""
        return self.kept.call if self.kept is not None and self.kept.origin == origin else {}


@dataclass(frozen=True, slots=True)
class RequestMessage:
    """A message of a request. ``tool_calls`` belong to an answer; for each there follows a message of the tool with its
    ``tool_call_id``. ``enclosed`` are the attachments. Before a provider gets the message they are written out into
    ``files`` (texts that precede the message's own) and ``images`` (data URLs).
    """

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    enclosed: tuple[Enclosed, ...] = ()
    files: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    def kept_for(self, origin: str) -> tuple[Mapping[str, Any], ...]:
        """Return the blocks that go back with the calls of this message, if they came from ``origin``."""
        found = (call.kept.message for call in self.tool_calls if call.kept is not None and call.kept.origin == origin)
        return next((blocks for blocks in found if blocks), ())

    @property
    def full_text(self) -> str:
        """The texts of the attached files followed by the message's own text."""
        return "\n\n".join((*self.files, self.text) if self.text else self.files) if self.files else self.text


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for one answer; ``continue_text`` is to be continued in place. None or empty options are left to the
    model's default. ``is_summary`` is for the offline model. ``cache``: it begins like the next one. ``extra_fields``,
    such as tools, are as for chat completions; others translate them. ``sources`` and what follows are not sent."""

    model: str
    messages: Sequence[RequestMessage]
    continue_text: str = ""
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    stop: tuple[str, ...] = ()
    is_summary: bool = False
    may_draw: bool = False
    cache: CacheLife = CacheLife.OFF
    extra_fields: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[NamedSource, ...] = ()
    has_outside_text: bool = False
    files_outcome: FilesOutcome | None = None
    is_without_files: bool = False

    @property
    def allows_calls(self) -> bool:
        """Return whether the model is offered tools and may call them."""
        return bool(self.extra_fields.get("tools")) and self.extra_fields.get("tool_choice") != "none"


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """A request for the vectors of several texts; a text may also be the numbers of its tokens."""

    model: str
    texts: Sequence[str | Sequence[int]]
    dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of a request in the order of its texts, each as 32-bit floats, little-endian."""

    vectors: tuple[bytes, ...]
    usage: Usage | None


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
class ReasoningKept:
    """A vendor's own fields of an answer with calls, which go back to it as they came: ``blocks`` of reasoning, perhaps
    signed or encrypted, and further fields of each of the ``calls``, by its index. Stored with the calls, and shown
    nowhere. ``origin`` is that of ``Kept``; the provider fills it in."""

    blocks: tuple[Mapping[str, Any], ...]
    calls: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    origin: str = ""


class PictureFault(StrEnum):
    """The reason why a picture has no data."""

    TOO_LARGE = "too_large"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class PictureDelta:
    """News of a picture that the model answers with; ``item`` tells the pictures of an answer apart. ``url`` is a data
    URL as it came, its label unchecked; empty while the picture is only announced. One that has a ``fault`` is none. A
    preliminary picture (``is_partial``) may be followed by a better one. ``around`` is what was before and after the
    URL in a text."""

    item: str
    url: str = ""
    words: str = ""
    is_partial: bool = False
    fault: PictureFault | None = None
    around: tuple[str, str] | None = None

    @property
    def written(self) -> str:
        """The picture as it was in a text; empty where it came otherwise."""
        return "" if self.around is None else f"{self.around[0]}{self.url}{self.around[1]}"


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A fragment of tool call number ``index``; ``arguments`` is appended to the earlier fragments."""

    index: int
    call_id: str | None
    name: str | None
    arguments: str


@dataclass(frozen=True, slots=True)
class StepBegan:
    """The model is asked again by ``request``, with the results of the tools that it called; ``step`` counts from 1.
    Later events belong to this step."""

    step: int
    request: ChatRequest


@dataclass(frozen=True, slots=True)
class StepEnded:
    """The model has answered one request, and its tools are called next."""


@dataclass(frozen=True, slots=True)
class CallChanged:
    """An event of tool call number ``index``: the members of its part's content that have other values now, such as
    ``status``. ``progress`` comes alone, is shown and not stored, and is replaced by the next event."""

    index: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoreNow:
    """A request to store everything that came before; the stream continues when ``stored`` was called."""

    stored: Callable[[], None] = field(compare=False)


@dataclass(frozen=True, slots=True)
class ResultArrived:
    """The result of tool call number ``index``, as the model gets it. ``content`` has what the part says besides;
    ``duration_ms`` is how long the call ran, None where it did not; ``files`` are stored and become parts of the
    answer; ``about`` is what those parts say besides, by the sums of the files."""

    index: int
    call_id: str
    name: str
    text: str
    content: Mapping[str, Any]
    duration_ms: int | None = None
    files: tuple[Attachment, ...] = ()
    about: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """A retry, announced before the first event: the request is sent again after ``delay_s`` because of ``reason``, or
    as soon as ``hurry`` is called. ``attempt`` counts from 1."""

    attempt: int
    delay_s: float
    reason: str
    hurry: Callable[[], None] = field(default=lambda: None, compare=False)


@dataclass(frozen=True, slots=True)
class UsageReported:
    usage: Usage


@dataclass(frozen=True, slots=True)
class RateReported:
    """The vendor's statement of its rate limits; may come before every other event, also before a retry."""

    report: RateReport


@dataclass(frozen=True, slots=True)
class LibraryLoaded:
    """The seconds that loading the provider's library, or starting tool servers, took before the request could be sent.
    The event comes before all others, and its time does not count as latency."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ToolsOffered:
    """The tools of one server that the model is offered from now on, by their names; ``notes`` are sentences about
    those that it is not, and why. The event comes before the answer."""

    server_id: str
    server: str
    tools: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelNamed:
    """The model that is asked, if the request named none. The event comes before the answer."""

    model: str


@dataclass(frozen=True, slots=True)
class StreamFinished:
    reason: FinishReason


StreamEvent = (
    TextDelta
    | ReasoningDelta
    | ReasoningKept
    | SourcesNamed
    | PictureDelta
    | ToolCallDelta
    | StepBegan
    | StepEnded
    | CallChanged
    | StoreNow
    | ResultArrived
    | RetryScheduled
    | UsageReported
    | RateReported
    | LibraryLoaded
    | ToolsOffered
    | ModelNamed
    | StreamFinished
)


@dataclass(frozen=True, slots=True)
class ProviderCheck:
    """The result of *doctor* for one provider: reachable, or a sentence why not. ``is_expected`` is false if an
    unreachable provider is no fault: it has no key yet, or is switched off."""

    provider: str
    is_reachable: bool
    message: str
    models: tuple[str, ...] = field(default_factory=tuple)
    is_expected: bool = True


class Provider(Protocol):
    """A vendor or a server that answers chat requests."""

    @property
    def name(self) -> str:
        """The stable short name that is stored with messages."""
        ...

    @property
    def label(self) -> str:
        """The name that a person reads."""
        ...

    @property
    def dialect(self) -> Dialect:
        """The wishes of its servers beyond the protocol."""
        ...

    async def list_models(self) -> tuple[ListedModel, ...]:
        """Return the models that can be asked. Raises ``ProviderError``."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Start one answer; see the module text for the order of events."""
        ...

    def lacks(self, request: ChatRequest) -> list[str]:
        """Return the names of request fields that the protocol lacks and would drop."""
        ...

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return the vectors of texts. Raises ``ProviderError``, also if the protocol has no embeddings."""
        ...

    async def wire_body(self, request: ChatRequest) -> bytes:
        """Return the very bytes that ``stream`` would send for this request; nothing is sent. Raises
        ``ProviderError`` if the server has to be asked for its model first and cannot be."""
        ...

    async def close(self) -> None:
        """Close all connections; safe to call twice."""
        ...
