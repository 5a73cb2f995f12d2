"""Reads requests of OpenAI's Chat Completions API and turns them into questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import ChatRequest, RequestMessage, ToolCall
from chatdesk.service.errors import InvalidRequest
from chatdesk.service.forms import BODY, OPEN, Only

_ROLES: Final = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}
_PASSED_ON: Final = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "verbosity",
)


@dataclass(frozen=True)
class ImageUrl:
    __pydantic_config__ = OPEN
    url: str


@dataclass(frozen=True)
class ContentPart:
    __pydantic_config__ = OPEN
    type: Literal["text", "image_url"]
    text: str = ""
    image_url: ImageUrl | None = None


@dataclass(frozen=True)
class CalledFunction:
    __pydantic_config__ = OPEN
    name: str
    arguments: str


@dataclass(frozen=True)
class CalledTool:
    __pydantic_config__ = OPEN
    id: str
    function: CalledFunction


@dataclass(frozen=True)
class SentMessage:
    __pydantic_config__ = OPEN
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None
    tool_calls: list[CalledTool] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n\n".join(part.text for part in self.content if part.type == "text")

    @property
    def images(self) -> tuple[str, ...]:
        if self.content is None or isinstance(self.content, str):
            return ()
        return tuple(part.image_url.url for part in self.content if part.image_url is not None)


@dataclass(frozen=True)
class StreamOptions:
    __pydantic_config__ = OPEN
    include_usage: bool = False


@dataclass(frozen=True)
class CompletionWanted:
    """A chat completion to write. ``user``, ``metadata``, ``store``, the usual ``service_tier`` and fields for a
    vendor's cache are ignored."""

    __pydantic_config__ = BODY
    model: str
    messages: list[SentMessage]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    stop: str | list[str] | None = None
    n: Annotated[int, Only(1)] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    verbosity: str | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    service_tier: Literal["auto", "default"] | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None


def request_of(wanted: CompletionWanted, model: str) -> ChatRequest:
    """Return the question to ``model`` that another program asks."""
    stop = wanted.stop or ()
    found = {name: getattr(wanted, name) for name in _PASSED_ON}
    return ChatRequest(
        model,
        tuple(_message(each) for each in wanted.messages),
        max_output_tokens=wanted.max_completion_tokens or wanted.max_tokens,
        temperature=wanted.temperature,
        top_p=wanted.top_p,
        reasoning_effort=wanted.reasoning_effort,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        extra_fields={name: value for name, value in found.items() if value is not None},
    )


def question_of(wanted: CompletionWanted) -> str:
    """Return the question for a thread: the text of the last message. Earlier ones are in the thread. Raises
    ``InvalidRequest`` for content that a thread cannot store in this way."""
    last = wanted.messages[-1] if wanted.messages else None
    if last is None or last.role != "user":
        raise InvalidRequest((("messages", "In a thread the last message has to be the user's"),))
    if last.images:
        raise InvalidRequest((("messages", "In a thread there can be no images here"),))
    set_ones = [name for name in _PASSED_ON if getattr(wanted, name) is not None]
    if set_ones:
        raise InvalidRequest(tuple((name, "In a thread the thread decides this") for name in set_ones))
    return last.text


def _message(sent: SentMessage) -> RequestMessage:
    calls = tuple(ToolCall(each.id, each.function.name, each.function.arguments) for each in sent.tool_calls or ())
    return RequestMessage(_ROLES[sent.role], sent.text, calls, sent.tool_call_id or "", images=sent.images)
