"""Writes answers as chat completions: whole ones, and piece by piece."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.providers.base import PictureDelta, ReasoningDelta, TextDelta, ToolCallDelta
from chatdesk.service.openai_protocol.pieces import Ended, Head, Piece, Whole
from chatdesk.service.problems import openai_error_of


@dataclass(frozen=True, slots=True)
class PromptDetails:
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class CompletionDetails:
    reasoning_tokens: int


@dataclass(frozen=True, slots=True)
class UsageShown:
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class FunctionShown:
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCallShown:
    id: str
    function: FunctionShown
    type: Literal["function"] = "function"


@dataclass(frozen=True, slots=True)
class ImageAddress:
    url: str


@dataclass(frozen=True, slots=True)
class ImageShown:
    image_url: ImageAddress
    type: Literal["image_url"] = "image_url"


@dataclass(frozen=True, slots=True)
class MessageShown:
    content: str | None
    reasoning_content: str | None
    tool_calls: tuple[ToolCallShown, ...] | None
    images: tuple[ImageShown, ...] | None
    role: Literal["assistant"] = "assistant"


@dataclass(frozen=True, slots=True)
class Choice:
    message: MessageShown
    finish_reason: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class ChatCompletion:
    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: UsageShown | None
    object: Literal["chat.completion"] = "chat.completion"


def completion(whole: Whole) -> ChatCompletion:
    texts = [each.text for each in whole.pieces if isinstance(each, TextDelta)]
    thoughts = [each.text for each in whole.pieces if isinstance(each, ReasoningDelta)]
    calls: dict[int, ToolCallShown] = {}
    for each in whole.pieces:
        if isinstance(each, ToolCallDelta):
            known = calls.get(each.index, ToolCallShown("", FunctionShown("", "")))
            function = FunctionShown(each.name or known.function.name, known.function.arguments + each.arguments)
            calls[each.index] = ToolCallShown(each.call_id or known.id, function)
    message = MessageShown(
        "".join(texts) if texts or not calls else None,
        "".join(thoughts) or None,
        tuple(calls[index] for index in sorted(calls)) or None,
        tuple(ImageShown(ImageAddress(each.url)) for each in whole.pieces if isinstance(each, PictureDelta)) or None,
    )
    head, end = whole.head, whole.end
    usage = None if end.usage is None else _usage(end.usage, end.cost_usd)
    return ChatCompletion(head.id, head.created, head.model, (Choice(message, end.reason),), usage)


class ChunkWriter:
    """Writes the pieces of one answer as server-sent events."""

    def __init__(self, head: Head, *, has_usage: bool) -> None:
        self._head = head
        self._has_usage = has_usage
        self._has_begun = False

    def encode(self, piece: Piece) -> bytes:
        """Return a piece as events; the last one ends with the mark of the end, a failure without."""
        if isinstance(piece, ChatDeskError):
            return _event(openai_error_of(piece, self._head.request_id)[1])
        if isinstance(piece, Ended):
            end = self._chunk({}, piece.reason)
            if self._has_usage and piece.usage is not None:
                end += _event(self._shell() | {"choices": [], "usage": asdict(_usage(piece.usage, piece.cost_usd))})
            return end + b"data: [DONE]\n\n"
        return self._chunk(_delta(piece))

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        if not self._has_begun:
            self._has_begun = True
            delta = {"role": "assistant", **delta}
        return _event(self._shell() | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    def _shell(self) -> dict[str, Any]:
        head = self._head
        return {"id": head.id, "object": "chat.completion.chunk", "created": head.created, "model": head.model}


def _delta(piece: TextDelta | ReasoningDelta | PictureDelta | ToolCallDelta) -> dict[str, Any]:
    if isinstance(piece, TextDelta):
        return {"content": piece.text}
    if isinstance(piece, ReasoningDelta):
        return {"reasoning_content": piece.text}
    if isinstance(piece, PictureDelta):
        return {"images": [asdict(ImageShown(ImageAddress(piece.url)))]}
    call: dict[str, Any] = {"index": piece.index, "function": {"arguments": piece.arguments}}
    if piece.call_id is not None:
        call |= {"id": piece.call_id, "type": "function"}
    if piece.name is not None:
        call["function"]["name"] = piece.name
    return {"tool_calls": [call]}


def _usage(usage: Usage, cost_usd: float | None) -> UsageShown:
    return UsageShown(
        usage.input_tokens,
        usage.output_tokens,
        usage.total_tokens,
        PromptDetails(usage.cached_tokens),
        CompletionDetails(usage.reasoning_tokens),
        cost_usd,
    )


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode() + b"\n\n"
