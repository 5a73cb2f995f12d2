"""Reads the events of Anthropic's messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatdesk.core.providers.base import FinishReason, PictureDelta, ReasoningKept, SourcesNamed, ToolCallDelta
from chatdesk.core.providers.chat.answer_reader import ErrorInAnswer, WrongShapeError, reason_of, text_field
from chatdesk.core.providers.chat.call_reader import (
    CALL_KINDS,
    as_arguments,
    calls_of,
    own_fields,
    parts_of,
    read_object,
)
from chatdesk.core.providers.chat.call_reader import MOST_CALLS as _MOST_CALLS
from chatdesk.core.providers.chat.sources import NamedSources
from chatdesk.core.providers.reader import Delta, Late, VendorReader
from chatdesk.core.providers.token_figures import count_of, first_of, usage_of

# A block of thinking with none of these has nothing that could go back.
_KEPT = ("thinking", "signature", "data")
_THOUGHTS = ("thinking", "reasoning_content", "reasoning")


class AnthropicReader(VendorReader):
    """Turns the events of one Anthropic message into provider events."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[object, int] = {}
        self._call_count = 0
        self._inputs: dict[int, object] = {}
        self._pieces: dict[int, list[str]] = {}
        self._sources = NamedSources()
        self._figures: dict[str, Any] = {}
        self._thoughts: dict[object, dict[str, Any]] = {}
        self._kept_of_calls: dict[int, Mapping[str, Any]] = {}
        self._foreign: set[object] = set()
        self._thinking: object = None  # the place of the block of thinking that began last, until another begins
        self._waiting: dict[int, object] = {}
        self._is_early = False

    @property
    def is_at_end(self) -> bool:
        return self.finish_reason is not None and not self._is_early

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
            message = _mapping(chunk.get("message"))
            self._read_usage(message.get("usage"))
            self._waiting = dict(enumerate(_blocks_of(message)))
        elif kind == "content_block_start":
            self._is_early = self.finish_reason is not None
            yield from self._read_waiting(chunk.get("index"))
            yield from self._start_block(chunk.get("index"), _mapping(chunk.get("content_block")))
        elif kind == "content_block_delta":
            yield from self._read_waiting(chunk.get("index"), with_it=True)
            yield from self._grow(chunk.get("index"), _mapping(chunk.get("delta")))
        elif kind == "content_block_stop":
            number, block = self._calls.get(chunk.get("index")), chunk.get("content_block")
            if number is not None and isinstance(block, Mapping):
                self._inputs[number] = block.get("input") or self._inputs.get(number)
            yield from self._end_call(number)
        elif kind == "message_delta":
            yield from self._read_waiting(_MOST_CALLS)
            self._read_usage(chunk.get("usage"))
            yield from self._read_foreign_calls(_mapping(chunk.get("delta")))
            self._end(_mapping(chunk.get("delta")))
        elif kind == "message_stop":
            self._is_early = False
        elif kind == "message":  # a server that ignores ``stream``
            yield from self._whole(chunk)

    def finish(self) -> Iterator[Late]:
        """Yield half surrogate pairs and arguments that were held back, the thinking that goes back with calls, and
        the sources."""
        yield from self._read_waiting(_MOST_CALLS)
        yield from super().finish()
        for number in range(self._call_count):
            yield from self._end_call(number)
        kept = tuple(each for each in self._thoughts.values() if any(each.get(name) for name in _KEPT))
        if self._calls and (kept or self._kept_of_calls):
            yield ReasoningKept(kept, self._kept_of_calls)
        if self._sources.found:
            yield SourcesNamed(self._sources.found)

    def _whole(self, message: Mapping[str, Any]) -> Iterator[Delta]:
        yield from self._add_reasoning(text_field(first_of(message, *_THOUGHTS)))
        for index, block in enumerate(_blocks_of(message)):
            yield from self._start_block(index, _mapping(block))
        yield from self._read_foreign_calls({**message, "content": None})
        self._read_usage(message.get("usage"))
        self._end(message)

    def _read_waiting(self, index: object, *, with_it: bool = False) -> Iterator[Delta]:
        """Read the blocks of the first event that stand before ``index``, or the one there too, which goes on. One that
        begins by itself is read only so."""
        if not self._waiting or not isinstance(index, int):
            return
        if not with_it:
            self._waiting.pop(index, None)
        for place in [each for each in self._waiting if each < index + with_it]:
            yield from self._start_block(place, _mapping(self._waiting.pop(place)))

    def _start_block(self, index: object, block: Mapping[str, Any]) -> Iterator[Delta]:
        kind = block.get("type")
        self._thinking = index if kind in ("thinking", "reasoning") else None
        if kind in CALL_KINDS:
            yield from self._end_call(self._calls.pop(index, None) if isinstance(index, int) else None)
            number = self._number_of(index)
            call_id, name, given = parts_of(block)
            self._inputs[number] = (read_object(given) or given) if isinstance(given, str) else given
            kept = own_fields(block)
            if kept:
                self._kept_of_calls[number] = kept
            yield ToolCallDelta(number, call_id or None, name or None, "")
        elif kind in ("text", "output_text"):
            yield from self._add_text(text_field(block.get("text")))
            self._sources.read_message(block)
        elif kind in ("thinking", "reasoning"):
            self._thought_of(index).update(block, thinking="")
            yield from self._think(index, text_field(first_of(block, *_THOUGHTS, "text")))
        elif kind == "image":
            source = _mapping(block.get("source"))
            if source.get("type") == "base64":
                self.has_text = True
                yield PictureDelta(f"image-{index}", f"data:image/png;base64,{text_field(source.get('data'))}")
        elif kind == "redacted_thinking":
            self._thoughts[index] = dict(block)
        else:  # calls and results of the vendor's own tools
            self._foreign.add(index if isinstance(index, int | str) else None)
            self._sources.read_results(block)

    def _read_foreign_calls(self, holder: Mapping[str, Any]) -> Iterator[Delta]:
        """Read the calls that a message or a delta has in the form of chat completions."""
        for place, call in enumerate(calls_of(holder)):
            row = call if isinstance(call, Mapping) else {"arguments": call}
            yield from self._start_block(parts_of(row)[0] or f"call {place}", {**row, "type": "tool_use"})

    def _grow(self, index: object, delta: Mapping[str, Any]) -> Iterator[Delta]:
        is_thought = "think" in str(delta.get("type")) or (index is not None and index == self._thinking)
        thought = first_of(delta, *_THOUGHTS, *(("text",) if is_thought else ()))
        if thought is not None:
            yield from self._think(index, text_field(thought))
        if not is_thought:
            yield from self._add_text(text_field(delta.get("text")))
        yield from self._read_foreign_calls(delta)
        if delta.get("signature") is not None:
            block = self._thought_of(index)
            block["signature"] = text_field(block.get("signature")) + text_field(delta["signature"])
        if delta.get("citation") is not None:
            self._sources.read_message({"annotations": [delta["citation"]]})
        if delta.get("partial_json") is not None and index not in self._foreign:
            yield from self._add_arguments(self._number_of(index), as_arguments(delta["partial_json"]))

    def _number_of(self, index: object) -> int:
        """Return the number of the call in a block."""
        place = index if isinstance(index, int | str) else None
        if place not in self._calls:
            if self._call_count >= _MOST_CALLS:
                raise WrongShapeError("calls")
            self._calls[place] = self._call_count
            self._call_count += 1
        return self._calls[place]

    def _add_arguments(self, number: int, text: str) -> Iterator[Delta]:
        if text:
            self._pieces.setdefault(number, []).append(text)
            yield ToolCallDelta(number, None, None, text)

    def _end_call(self, number: int | None) -> Iterator[Delta]:
        """Yield the arguments with which a call began, where none came in pieces. Where both came and differ, both are
        given, which no reader takes: a call runs with what the model wrote, or not at all."""
        given = None if number is None else self._inputs.pop(number, None)
        if number is None or given is None:
            return
        pieces = self._pieces.get(number)
        if pieces is None or (given and read_object("".join(pieces)) != given):
            yield from self._add_arguments(number, as_arguments(given))

    def _thought_of(self, index: object) -> dict[str, Any]:
        place = index if isinstance(index, int | str) else None
        return self._thoughts.setdefault(place, {"type": "thinking", "thinking": ""})

    def _think(self, index: object, raw: str) -> Iterator[Delta]:
        block = self._thought_of(index)
        block["thinking"] = text_field(block.get("thinking")) + raw  # with its half characters, as it was signed
        yield from self._add_reasoning(raw)

    def _read_usage(self, figures: object) -> None:
        """Merge usage figures: the first event counts the tokens read, the last those written; newer values win."""
        if not isinstance(figures, Mapping):
            return
        self._figures |= {name: value for name, value in figures.items() if value is not None}
        cached = self._figures.get("cache_read_input_tokens")
        into_cache = self._figures.get("cache_creation_input_tokens")
        parts = [count_of(each) for each in (self._figures.get("input_tokens"), cached, into_cache)]
        numbers = [each for each in parts if each is not None]
        read = sum(numbers) if len(numbers) == len(parts) else "absurd"
        by_life = self._figures.get("cache_creation")
        self.usage = usage_of(
            read,
            self._figures.get("output_tokens"),
            cached=cached,
            into_cache=into_cache,
            for_hour=by_life.get("ephemeral_1h_input_tokens") if isinstance(by_life, Mapping) else None,
        )

    def _end(self, ended: Mapping[str, Any]) -> None:
        reason, details = ended.get("stop_reason"), ended.get("stop_details")
        if reason is None:
            return
        if not isinstance(reason, str):
            raise WrongShapeError("stop_reason")
        ended_by = reason_of(reason)
        why = details.get("explanation") if isinstance(details, Mapping) else None
        if ended_by is None:
            raise ErrorInAnswer(ended.get("error") or {"code": reason, "message": reason})
        if ended_by is FinishReason.CONTENT_FILTER and why:
            raise ErrorInAnswer({"code": "content_filter", "message": why})
        self.finish_reason = ended_by


def _blocks_of(message: Mapping[str, Any]) -> list[object]:
    blocks = message.get("content")
    if isinstance(blocks, str):
        return [{"type": "text", "text": blocks}]
    return blocks if isinstance(blocks, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongShapeError("object")
    return value
