"""Writes answers as responses: whole ones, and event by event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Final, Literal, TypeVar

from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.providers.base import FinishReason, PictureDelta, ReasoningDelta, TextDelta, ToolCallDelta
from chatdesk.service.openai_protocol.pieces import Ended, Head, Piece, Whole
from chatdesk.service.openai_protocol.response_requests import ResponseWanted
from chatdesk.service.problems import openai_error_of

_AnyItem = TypeVar("_AnyItem", bound="_Item")
_Event = tuple[str, dict[str, Any]]
_Status = Literal["in_progress", "completed", "incomplete", "failed"]
# Why a response is not complete, by the reason for which an answer ended.
_INCOMPLETE: Final = {
    FinishReason.LENGTH.value: "max_output_tokens",
    FinishReason.CONTENT_FILTER.value: "content_filter",
}


@dataclass(frozen=True, slots=True)
class ResponseShown:
    """A response. ``store`` says whether a thread keeps it."""

    id: str
    created_at: int
    status: _Status
    model: str
    output: list[dict[str, Any]]
    error: dict[str, Any] | None
    incomplete_details: dict[str, Any] | None
    usage: dict[str, Any] | None
    instructions: str | None
    previous_response_id: str | None
    store: bool
    max_output_tokens: int | None
    temperature: float | None
    top_p: float | None
    reasoning: dict[str, Any]
    text: dict[str, Any]
    tools: list[dict[str, Any]]
    tool_choice: str | dict[str, Any]
    parallel_tool_calls: bool
    metadata: dict[str, Any]
    truncation: Literal["disabled"] = "disabled"
    background: Literal[False] = False
    object: Literal["response"] = "response"


@dataclass(slots=True)
class _Item:
    """An item of the output while it is written: a message here, other kinds in subclasses."""

    index: int
    id: str
    parts: list[str] = field(default_factory=list)

    # The event of a piece, and its fields besides the place.
    delta: ClassVar[str] = "response.output_text.delta"
    more: ClassVar[dict[str, Any]] = {"content_index": 0, "logprobs": []}
    part: ClassVar[str] = "response.content_part"
    position: ClassVar[dict[str, Any]] = {"content_index": 0}

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index}

    def shown(self, status: _Status) -> dict[str, Any]:
        content = [self.shown_part(self.text)] if self.parts else []
        return {"id": self.id, "type": "message", "role": "assistant", "status": status, "content": content}

    def shown_part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def start(self) -> Iterator[_Event]:
        yield "response.output_item.added", {"output_index": self.index, "item": self.shown("in_progress")}
        if self.part:
            yield f"{self.part}.added", {**self.place, **self.position, "part": self.shown_part("")}

    def end(self, status: _Status) -> Iterator[_Event]:
        yield self.delta.removesuffix("delta") + "done", {**self.place, **self.more, **self.done()}
        if self.part:
            yield f"{self.part}.done", {**self.place, **self.position, "part": self.shown_part(self.text)}
        yield "response.output_item.done", {"output_index": self.index, "item": self.shown(status)}

    def done(self) -> dict[str, Any]:
        """Return the fields with the whole text of the pieces."""
        return {"text": self.text}


class _Reasoning(_Item):
    """The thoughts before an answer."""

    delta = "response.reasoning_summary_text.delta"
    more: ClassVar[dict[str, Any]] = {"summary_index": 0}
    part = "response.reasoning_summary_part"
    position: ClassVar[dict[str, Any]] = {"summary_index": 0}

    def shown(self, status: _Status) -> dict[str, Any]:
        summary = [self.shown_part(self.text)] if self.parts else []
        return {"id": self.id, "type": "reasoning", "status": status, "summary": summary}

    def shown_part(self, text: str) -> dict[str, Any]:
        return {"type": "summary_text", "text": text}


class _Call(_Item):
    """A call of a function."""

    delta = "response.function_call_arguments.delta"
    more: ClassVar[dict[str, Any]] = {}
    part = ""
    call_id = ""
    name = ""

    def shown(self, status: _Status) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": self.call_id or self.id,
            "name": self.name,
            "arguments": self.text,
        }

    def done(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": self.text}


class _Picture(_Item):
    """A picture, as the image tool of the protocol gives it."""

    def shown(self, status: _Status) -> dict[str, Any]:
        return {"id": self.id, "type": "image_generation_call", "status": status, "result": self.text or None}

    def start(self) -> Iterator[_Event]:
        yield "response.output_item.added", {"output_index": self.index, "item": self.shown("in_progress")}

    def end(self, status: _Status) -> Iterator[_Event]:
        yield "response.image_generation_call.completed", self.place
        yield "response.output_item.done", {"output_index": self.index, "item": self.shown(status)}


class ResponseWriter:
    """Writes one answer as a response: as events piece by piece, or as a whole."""

    def __init__(self, head: Head, wanted: ResponseWanted) -> None:
        self._head = head
        self._wanted = wanted
        self._number = 0
        self._items: list[_Item] = []
        self._calls: dict[int, _Call] = {}
        self._open: _Item | None = None

    def encode(self, piece: Piece) -> bytes:
        """Return a piece as server-sent events; the first one begins the response, and the last one ends it."""
        begun = () if self._number else self._start()
        return b"".join([self._encoded(*each) for each in (*begun, *self._events(piece))])

    def response(self, whole: Whole) -> ResponseShown:
        """Return a whole answer."""
        *pieces, end = whole.pieces
        for piece in pieces:
            for _event in self._events(piece):
                pass
        assert isinstance(end, Ended)  # a failure was raised
        return self._ended(end)

    def _encoded(self, kind: str, data: dict[str, Any]) -> bytes:
        numbered = {"type": kind, "sequence_number": self._number, **data}
        self._number += 1
        text = json.dumps(numbered, ensure_ascii=True, separators=(",", ":"))
        return f"event: {kind}\ndata: {text}\n\n".encode()

    def _start(self) -> tuple[_Event, ...]:
        begun = {"response": asdict(self._shown("in_progress"))}
        return ("response.created", begun), ("response.in_progress", begun)

    def _events(self, piece: Piece) -> Iterator[_Event]:
        match piece:
            case TextDelta():
                yield from self._grow(_Item, "msg", piece.text)
            case ReasoningDelta():
                yield from self._grow(_Reasoning, "rs", piece.text)
            case PictureDelta():
                yield from self._close(self._open)
                self._open = None
                picture = self._made(_Picture, "ig")
                yield from picture.start()
                picture.parts.append(piece.url.partition(",")[2])
                yield from picture.end("completed")
            case ToolCallDelta():
                yield from self._call(piece)
            case Ended():
                shown = self._ended(piece)
                yield from self._close(self._open)
                for call in self._calls.values():
                    yield from self._close(call)
                yield f"response.{shown.status}", {"response": asdict(shown)}
            case ChatDeskError():
                error = openai_error_of(piece, self._head.request_id)[1]["error"]
                failed = self._shown("failed", error={"code": error["code"], "message": error["message"]})
                yield "response.failed", {"response": asdict(failed)}

    def _grow(self, kind: type[_Item], prefix: str, text: str) -> Iterator[_Event]:
        item = self._open
        if item is None or type(item) is not kind:
            yield from self._close(item)
            item = self._open = self._made(kind, prefix)
            yield from item.start()
        item.parts.append(text)
        yield item.delta, {**item.place, **item.more, "delta": text}

    def _call(self, piece: ToolCallDelta) -> Iterator[_Event]:
        yield from self._close(self._open)
        self._open = None
        call = self._calls.get(piece.index)
        is_new = call is None
        if call is None:
            call = self._calls[piece.index] = self._made(_Call, "fc")
        call.call_id = piece.call_id or call.call_id
        call.name = piece.name or call.name
        if is_new:
            yield from call.start()
        if piece.arguments:
            call.parts.append(piece.arguments)
            yield call.delta, {**call.place, "delta": piece.arguments}

    def _made(self, kind: type[_AnyItem], prefix: str) -> _AnyItem:
        item = kind(len(self._items), f"{prefix}_{self._head.request_id}_{len(self._items)}")
        self._items.append(item)
        return item

    def _close(self, item: _Item | None) -> Iterator[_Event]:
        if item is not None:
            yield from item.end("completed")

    def _ended(self, end: Ended) -> ResponseShown:
        reason = _INCOMPLETE.get(end.reason)
        return self._shown("completed" if reason is None else "incomplete", reason=reason, end=end)

    def _shown(
        self,
        status: _Status,
        *,
        error: dict[str, Any] | None = None,
        reason: str | None = None,
        end: Ended | None = None,
    ) -> ResponseShown:
        head, wanted = self._head, self._wanted
        return ResponseShown(
            head.id,
            head.created,
            status,
            head.model,
            [item.shown("incomplete" if status == "failed" else "completed") for item in self._items],
            error,
            None if reason is None else {"reason": reason},
            None if end is None or end.usage is None else _usage(end.usage, end.cost_usd),
            wanted.instructions,
            wanted.previous_response_id,
            bool(head.thread_id),
            wanted.max_output_tokens,
            wanted.temperature,
            wanted.top_p,
            {"effort": wanted.reasoning.effort if wanted.reasoning else None, "summary": None},
            {"format": (wanted.text and wanted.text.format) or {"type": "text"}},
            wanted.tools or [],
            wanted.tool_choice or "auto",
            wanted.parallel_tool_calls is not False,
            wanted.metadata or {},
        )


def _usage(usage: Usage, cost_usd: float | None) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.written_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
        "cost_usd": cost_usd,
    }
