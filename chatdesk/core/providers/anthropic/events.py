"""Reads the events of Anthropic's messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatdesk.core.providers.answer_reader import ErrorInAnswer, WrongShapeError, text_field
from chatdesk.core.providers.base import FinishReason, PictureDelta, ReasoningKept, ToolCallDelta
from chatdesk.core.providers.reader import Delta, Late, VendorReader
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.token_figures import usage_of

_REASONS = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}


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


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongShapeError("object")
    return value
