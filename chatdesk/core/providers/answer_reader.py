"""Turns the JSON chunks of a chat completion stream into provider events; pure, and suspicious of every field.

Servers that call themselves compatible differ: reasoning comes as ``reasoning_content`` or ``reasoning``, content as
text or as a list of pieces, tool calls with or without ``index``. What is merely absent is ignored; what is of a wrong
type where text was due is an error, so that no part of an answer vanishes unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatdesk.core.providers.base import FinishReason, PictureDelta, TextDelta, ToolCallDelta
from chatdesk.core.providers.reader import Delta, Late, VendorReader
from chatdesk.core.providers.text_repair import SurrogateJoiner, repair
from chatdesk.core.providers.token_figures import usage_of
from chatdesk.core.rendering.safety import is_safe_link

_FINISH_REASONS = {
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "tool_use": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "safety": FinishReason.CONTENT_FILTER,
}
_MOST_PICTURES = 1000
_PLAIN_ADDRESS = re.compile(r"https?://[^\s<>\\]{1,2000}\Z")
_FAILED_REASONS = {"error", "insufficient_system_resource", "abort", "network_error"}


class WrongShapeError(ValueError):
    """A field that must hold text or an object holds something else."""


class ErrorInAnswer(Exception):
    """The stream carries an error object; ``error`` is what the vendor wrote."""

    def __init__(self, error: object) -> None:
        super().__init__("error in answer")
        self.error = error


class AnswerReader(VendorReader):
    """The state of one answer. Feed every decoded chunk; then read ``finish_reason`` and ``usage``."""

    def __init__(self) -> None:
        super().__init__()
        self._arguments: dict[int, SurrogateJoiner] = {}
        self._index_of_call: dict[str, int] = {}
        self._finished_id: object = None
        self._picture_count = 0

    @property
    def has_tool_calls(self) -> bool:
        return bool(self._arguments)

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        if not isinstance(chunk, Mapping):
            raise WrongShapeError("chunk")
        if chunk.get("error"):
            raise ErrorInAnswer(chunk["error"])
        self._read_usage(chunk.get("usage"))
        choices = chunk.get("choices")
        if choices is None:
            return
        if not isinstance(choices, list):
            raise WrongShapeError("choices")
        if self._is_of_another_answer(chunk):
            return
        for choice in choices:
            if not isinstance(choice, Mapping):
                raise WrongShapeError("choice")
            if choice.get("index") in {None, 0}:
                yield from self._read_choice(choice)
        if self.finish_reason is not None and self._finished_id is None:
            self._finished_id = chunk.get("id") or ""

    def finish(self) -> Iterator[Late]:
        """Yield a replacement character for each half surrogate pair that was still held back."""
        yield from super().finish()
        for index, joiner in self._arguments.items():
            tail = joiner.finish()
            if tail:
                yield ToolCallDelta(index, None, None, tail)

    def _is_of_another_answer(self, chunk: Mapping[str, Any]) -> bool:
        """Return whether ``chunk`` belongs to a second answer that the server began in the same stream."""
        other = chunk.get("id")
        return bool(self._finished_id) and bool(other) and other != self._finished_id

    def _read_choice(self, choice: Mapping[str, Any]) -> Iterator[Delta]:
        if choice.get("error"):
            raise ErrorInAnswer(choice["error"])
        # A server that ignores ``stream`` sends the whole answer as ``message``.
        delta = choice.get("delta") or choice.get("message")
        if delta is not None:
            if not isinstance(delta, Mapping):
                raise WrongShapeError("delta")
            yield from self._read_delta(delta)
        reason = choice.get("finish_reason")
        if reason is None:
            return
        if not isinstance(reason, str):
            raise WrongShapeError("finish_reason")
        if reason in _FAILED_REASONS:
            raise ErrorInAnswer({"code": reason})
        if reason:
            self.finish_reason = _FINISH_REASONS.get(reason, FinishReason.STOP)

    def _read_delta(self, delta: Mapping[str, Any]) -> Iterator[Delta]:
        thoughts, text = _content(delta.get("content"))
        plain_reasoning = delta.get("reasoning_content")
        if plain_reasoning is None:
            plain_reasoning = delta.get("reasoning")
        yield from self._add_reasoning(thoughts + _content(plain_reasoning)[1])
        yield from self._add_text(text + _content(delta.get("refusal"))[1])
        yield from self._read_pictures(delta.get("content"), delta.get("images"))
        calls = delta.get("tool_calls")
        if calls is not None:
            if not isinstance(calls, list):
                raise WrongShapeError("tool_calls")
            for call in calls:
                yield self._read_tool_call(call)

    def _read_pictures(self, *holders: object) -> Iterator[Delta]:
        """Yield pictures that come beside the text: among the pieces of the content, or as ``images``, which gateways
        send. One that only has an address is named in the text, where the reader may ask for it."""
        for each in (each for holder in holders if isinstance(holder, list) for each in holder):
            place = each.get("image_url") if isinstance(each, Mapping) else None
            url = place.get("url") if isinstance(place, Mapping) else place
            if not isinstance(url, str):
                continue
            if url.startswith("data:"):
                self._picture_count += 1
                if self._picture_count > _MOST_PICTURES:
                    raise WrongShapeError("images")
                self.has_text = True
                yield PictureDelta(f"image-{self._picture_count}", url)
            elif is_safe_link(url) and _PLAIN_ADDRESS.match(url):
                self.has_text = True
                yield TextDelta(f"\n\n![Image](<{url}>)\n\n")

    def _read_tool_call(self, call: object) -> ToolCallDelta:
        if not isinstance(call, Mapping):
            raise WrongShapeError("tool_call")
        function = call.get("function")
        if function is None:
            function = {}
        if not isinstance(function, Mapping):
            raise WrongShapeError("function")
        call_id = _optional_text(call.get("id"), "tool_call.id")
        name = _optional_text(function.get("name"), "function.name")
        index = self._index_for(call.get("index"), call_id, name)
        joiner = self._arguments.setdefault(index, SurrogateJoiner())
        if call_id:
            self._index_of_call.setdefault(call_id, index)
        arguments = joiner.feed(_optional_text(function.get("arguments"), "function.arguments") or "")
        return ToolCallDelta(index, call_id or None, name or None, arguments)

    def _index_for(self, given: object, call_id: str | None, name: str | None) -> int:
        """Return the server's index of a tool call. Without one, a known id keeps its call, a new id or name begins the
        next call, and a bare fragment belongs to the newest.
        """
        if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 1000:
            return given
        if given is not None:
            raise WrongShapeError("tool_call.index")
        if call_id and call_id in self._index_of_call:
            return self._index_of_call[call_id]
        newest = max(self._arguments, default=-1)
        return newest + 1 if call_id or name or newest < 0 else newest

    def _read_usage(self, usage: object) -> None:
        """Remember the newest usage: servers send it once at the end, or a running total with every chunk. Figures that
        cannot be true are ignored: then the tokens are estimated, and no price or limit is reckoned from them.
        """
        if not isinstance(usage, Mapping):
            return
        details, thoughts = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
        found = usage_of(
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
            cached=_first(details, "cached_tokens") or _first(usage, "prompt_cache_hit_tokens", "cached_tokens"),
            reasoning=_first(thoughts, "reasoning_tokens"),
            into_cache=_first(details, "cache_write_tokens") or _first(usage, "cache_creation_input_tokens"),
        )
        self.usage = found or self.usage


def _content(value: object) -> tuple[str, str]:
    """Return (thoughts, text) of a content field, which holds text, nothing, or a list of typed pieces."""
    if value is None:
        return "", ""
    if isinstance(value, str):
        return "", value
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise WrongShapeError("content")
    thoughts, text = "", ""
    for piece in value:
        if not isinstance(piece, Mapping):
            raise WrongShapeError("content piece")
        if piece.get("type") == "thinking":
            thoughts += _content(piece.get("thinking"))[1]
        else:
            text += _optional_text(piece.get("text"), "content piece") or ""
    return thoughts, text


def text_field(value: object) -> str:
    """Return the text of a field; empty where it is absent. Raises ``WrongShapeError``."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongShapeError("text")
    return value


def _optional_text(value: object, field: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise WrongShapeError(field)
    return value if field == "function.arguments" else repair(value)


def _first(holder: object, *names: str) -> object:
    """Return the first of these fields that is set: servers call the same figure by different names."""
    found = (holder.get(name) for name in names) if isinstance(holder, Mapping) else ()
    return next((value for value in found if value is not None), None)
