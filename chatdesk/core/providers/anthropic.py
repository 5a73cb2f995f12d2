"""Speaks Anthropic's own protocol through its SDK, an optional extra that nothing else in ChatDesk needs.

The answer is read here, from bytes, like every other: see ``openai_compatible``. Thinking is read and shown. It is sent
back within a loop of tool calls only, where the vendor requires it, with its signature: an answer that calls tools
without having thought goes on without thinking, as does one that another program's request brings, and one in which a
tool has to be called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.answer_reader import ErrorInAnswer, WrongShapeError, text_field
from chatdesk.core.providers.base import (
    ChatRequest,
    EmbeddingRequest,
    Embeddings,
    FinishReason,
    PictureDelta,
    ReasoningKept,
    RequestMessage,
    ToolCallDelta,
)
from chatdesk.core.providers.embeddings import NO_EMBEDDINGS
from chatdesk.core.providers.extra_fields import for_anthropic
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.prompt_cache import mark, mark_messages
from chatdesk.core.providers.reader import Delta, Late, Reader, VendorReader
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.token_figures import usage_of
from chatdesk.core.providers.wire import CONTINUE_INSTRUCTION
from chatdesk.core.texts import Text

# The protocol wants a limit in every request; all models that are served write at least this much.
_USUAL_LIMIT = 32_000
_MODELS_PAGE = 1000
_DATA_URL = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,")
_REASONS = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}


class AnthropicProvider(OpenAICompatibleProvider):
    """A provider that speaks Anthropic's Messages protocol."""

    optional_fields = frozenset({"temperature", "top_p", "thinking", "output_config", "stop_sequences"})

    def lacks(self, request: ChatRequest) -> list[str]:
        images = [url for message in request.messages for url in message.images]
        return [*for_anthropic(request.extra_fields)[1], *([] if all(map(_is_sendable, images)) else ["image_url"])]

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        raise self._failures.make(Kind.BAD_REQUEST, what=NO_EMBEDDINGS)

    def _takes_marks(self, _model: str) -> bool:
        return True

    def _make_client(self) -> Any:
        try:
            from chatdesk.core.providers.anthropic_client import build_client
        except ModuleNotFoundError:
            raise self._failures.make(
                Kind.OTHER,
                what=Text("Anthropic's own API needs the package “anthropic”, which is not installed."),
                next_step=Text("Install chatdesk[anthropic], or choose a model of another provider."),
            ) from None
        return build_client(self._endpoint, self._limits)

    def _list(self, client: Any) -> Any:
        return client.models.with_streaming_response.list(limit=_MODELS_PAGE)

    def _send(self, client: Any, model: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
        return client.messages.with_streaming_response.create(
            model=model,
            messages=(),
            max_tokens=body["max_tokens"],
            stream=True,
            extra_body=body,
            extra_headers=headers,
        )

    def _reader(self) -> Reader:
        return AnthropicReader()

    def _is_chunk(self, chunk: Mapping[str, Any]) -> bool:
        return isinstance(chunk.get("type"), str)

    def _is_answer(self, chunk: Mapping[str, Any]) -> bool:
        return self._is_chunk(chunk) and chunk["type"] != "ping"

    def _body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        system = "\n\n".join(repair(each.full_text) for each in request.messages if each.role is Role.SYSTEM)
        messages = _messages(request)
        extra_fields, _lacking = for_anthropic(request.extra_fields)
        is_cached = self._marks_cache(request, model)
        if is_cached:
            mark_messages(messages, request.cache)
        if request.continue_text:
            messages.append({"role": "assistant", "content": [_text_block(repair(request.continue_text).rstrip())]})
            messages.append({"role": "user", "content": [_text_block(CONTINUE_INSTRUCTION)]})
        body: dict[str, Any] = {
            **extra_fields,
            "model": model,
            "max_tokens": request.max_output_tokens or _USUAL_LIMIT,
            "messages": messages,
            "stream": True,
        }
        if system:
            body["system"] = [_text_block(system)] if is_cached else system
        if system and is_cached:
            mark(body["system"][0], request.cache)
        has_effort = request.reasoning_effort not in (None, "none", "minimal")
        wishes: dict[str, Any] = {
            "temperature": request.temperature,
            "top_p": request.top_p,
            "stop_sequences": list(request.stop) or None,
            "thinking": {"type": "adaptive"} if has_effort and _may_think(request, extra_fields) else None,
            "output_config": {"effort": request.reasoning_effort} if has_effort else None,
        }
        wanted = {name: value for name, value in wishes.items() if value is not None}
        return body | {name: value for name, value in wanted.items() if name not in self._refused_fields}


class AnthropicReader(VendorReader):
    """Turns the events of one Anthropic message into provider events."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[object, int] = {}
        self._figures: dict[str, Any] = {}
        self._thoughts: dict[object, dict[str, Any]] = {}

    @property
    def has_tool_calls(self) -> bool:
        return bool(self._calls)

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        if not isinstance(chunk, Mapping):
            raise WrongShapeError("chunk")
        kind = chunk.get("type")
        if kind == "error" or (kind is None and chunk.get("error")):
            raise ErrorInAnswer(chunk.get("error") or chunk)
        if kind == "message_start":
            self._read_usage(_mapping(chunk.get("message")).get("usage"))
        elif kind == "content_block_start":
            yield from self._start_block(chunk.get("index"), _mapping(chunk.get("content_block")))
        elif kind == "content_block_delta":
            yield from self._grow(chunk.get("index"), _mapping(chunk.get("delta")))
        elif kind == "message_delta":
            self._read_usage(chunk.get("usage"))
            self._end(_mapping(chunk.get("delta")).get("stop_reason"))
        elif kind == "message":  # a server that ignores ``stream``
            yield from self._whole(chunk)

    def finish(self) -> Iterator[Late]:
        """Yield a replacement character for each half surrogate pair that was still held back."""
        yield from super().finish()
        kept = tuple(each for each in self._thoughts.values() if each.get("signature") or each.get("data"))
        if kept and self._calls:
            yield ReasoningKept(kept)

    def _whole(self, message: Mapping[str, Any]) -> Iterator[Delta]:
        blocks = message.get("content")
        for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
            yield from self._start_block(index, _mapping(block))
        self._read_usage(message.get("usage"))
        self._end(message.get("stop_reason"))

    def _start_block(self, index: object, block: Mapping[str, Any]) -> Iterator[Delta]:
        kind = block.get("type")
        if kind == "tool_use":
            if not isinstance(index, int) or not 0 <= index < 1000:
                raise WrongShapeError("index")
            number = self._calls.setdefault(index, len(self._calls))
            yield ToolCallDelta(
                number, repair(text_field(block.get("id"))) or None, repair(text_field(block.get("name"))) or None, ""
            )
        elif kind == "text":
            yield from self._add_text(text_field(block.get("text")))
        elif kind == "thinking":
            self._thoughts[index] = {"type": kind, "thinking": "", "signature": text_field(block.get("signature"))}
            yield from self._think(index, text_field(block.get("thinking")))
        elif kind == "image":
            source = _mapping(block.get("source"))
            if source.get("type") == "base64":
                self.has_text = True
                yield PictureDelta(f"image-{index}", f"data:image/png;base64,{text_field(source.get('data'))}")
        elif kind == "redacted_thinking":
            self._thoughts[index] = {"type": kind, "data": text_field(block.get("data"))}

    def _grow(self, index: object, delta: Mapping[str, Any]) -> Iterator[Delta]:
        kind = delta.get("type")
        if kind == "text_delta":
            yield from self._add_text(text_field(delta.get("text")))
        elif kind == "thinking_delta":
            yield from self._think(index, text_field(delta.get("thinking")))
        elif kind == "signature_delta" and index in self._thoughts:
            self._thoughts[index]["signature"] += text_field(delta.get("signature"))
        elif kind == "input_json_delta":
            if index not in self._calls:
                raise WrongShapeError("index")
            yield ToolCallDelta(self._calls[index], None, None, text_field(delta.get("partial_json")))

    def _think(self, index: object, raw: str) -> Iterator[Delta]:
        if index in self._thoughts:
            self._thoughts[index]["thinking"] += raw  # with its half characters, as it was signed
        yield from self._add_reasoning(raw)

    def _read_usage(self, figures: object) -> None:
        """Merge usage figures: the first event counts the tokens read, the last those written; newer values win."""
        if not isinstance(figures, Mapping):
            return
        self._figures |= {name: value for name, value in figures.items() if value is not None}
        cached = self._figures.get("cache_read_input_tokens")
        into_cache = self._figures.get("cache_creation_input_tokens")
        parts = [self._figures.get("input_tokens"), cached, into_cache]
        numbers = [0 if each is None else each for each in parts]
        are_whole = all(isinstance(each, int) and each >= 0 for each in numbers)
        read = sum(numbers) if are_whole else "absurd"
        by_life = self._figures.get("cache_creation")
        self.usage = usage_of(
            read,
            self._figures.get("output_tokens"),
            cached=cached,
            into_cache=into_cache,
            for_hour=by_life.get("ephemeral_1h_input_tokens") if isinstance(by_life, Mapping) else None,
        )

    def _end(self, reason: object) -> None:
        if reason is None:
            return
        if not isinstance(reason, str):
            raise WrongShapeError("stop_reason")
        self.finish_reason = _REASONS.get(reason, FinishReason.STOP)


def _messages(request: ChatRequest) -> list[dict[str, Any]]:
    """Return the messages but for those of the system; the results of tools that were called at once are one."""
    found: list[dict[str, Any]] = []
    is_result = False
    for message in request.messages:
        written = _message(message)
        if message.role is Role.SYSTEM or not written["content"]:
            continue
        if is_result and message.role is Role.TOOL:
            found[-1]["content"] += written["content"]
        else:
            found.append(written)
        is_result = message.role is Role.TOOL
    return found


def _may_think(request: ChatRequest, extra_fields: Mapping[str, Any]) -> bool:
    """Return whether the model may think before it answers; see the module text."""
    is_forced = extra_fields.get("tool_choice", {}).get("type") in ("any", "tool")
    said = [each for each in request.messages if each.role is not Role.SYSTEM]  # those are elsewhere
    if is_forced or not said or said[-1].role is not Role.TOOL:
        return not is_forced
    asked = max((place for place, each in enumerate(said) if each.role is Role.USER), default=-1)
    return all(each.reasoning for each in said[asked + 1 :] if each.role is Role.ASSISTANT)


def _message(message: RequestMessage) -> dict[str, Any]:
    text = repair(message.full_text)
    if message.role is Role.TOOL:
        result = {"type": "tool_result", "tool_use_id": repair(message.tool_call_id), "content": text}
        return {"role": "user", "content": [result]}
    sources = map(_source, message.images)
    blocks: list[dict[str, Any]] = [{"type": "image", "source": source} for source in sources if source is not None]
    if text.strip():  # blank ones are refused
        blocks.append(_text_block(text))
    blocks[:0] = map(dict, message.reasoning)
    for call in message.tool_calls:
        blocks.append({"type": "tool_use", "id": repair(call.id), "name": repair(call.name), "input": _arguments(call)})
    return {"role": "assistant" if message.role is Role.ASSISTANT else "user", "content": blocks}


def _source(url: str) -> dict[str, str] | None:
    """Return an image as the protocol has it; None for a kind that it does not have."""
    if not _is_sendable(url):
        return None
    found = _DATA_URL.match(url)
    if found is not None:
        return {"type": "base64", "media_type": found[1], "data": url[found.end() :]}
    return {"type": "url", "url": url}


def _is_sendable(url: str) -> bool:
    return url.startswith("https://") or _DATA_URL.match(url) is not None


def _arguments(call: Any) -> dict[str, Any]:
    import json

    try:
        found = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongShapeError("object")
    return value
