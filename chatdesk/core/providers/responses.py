"""Speaks OpenAI's Responses protocol, for the servers that have it, and yields the same events as other protocols.

Nothing is stored at the vendor (``store`` false). Reasoning is read and shown; within a loop of tools it is sent back
encrypted, as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.answer_reader import ErrorInAnswer, WrongShapeError, text_field
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    PictureDelta,
    ReasoningKept,
    RequestMessage,
    ToolCallDelta,
)
from chatdesk.core.providers.extra_fields import for_responses
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.reader import Delta, Late, Reader, VendorReader
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.token_figures import usage_of
from chatdesk.core.providers.wire import CONTINUE_INSTRUCTION

if TYPE_CHECKING:
    import httpx2

_ROLES = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant"}
_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})
_REASONING = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_MOST_CALLS = 1000
_PICTURE = "image_generation_call"
# What a server may name when it refuses the image tool.
_IMAGE_TOOL = frozenset({"image_generation", "tools"})


class ResponsesProvider(OpenAICompatibleProvider):
    """A provider that speaks OpenAI's Responses protocol. With ``has_image_tool``, models are offered the image tool
    of their vendor, unless it refuses it."""

    optional_fields = frozenset({"max_output_tokens", "temperature", "top_p", "reasoning", "store", "include"})

    def __init__(self, *of_any: Any, has_image_tool: bool = False, **more: Any) -> None:
        super().__init__(*of_any, **more)
        self._has_image_tool = has_image_tool

    def lacks(self, request: ChatRequest) -> list[str]:
        return [*for_responses(request.extra_fields)[1], *(["stop"] if request.stop else [])]

    async def _send(self, client: Any, model: str, body: dict[str, Any], headers: dict[str, str]) -> httpx2.Response:
        sending = client.responses.with_streaming_response.create(
            model=model, input=(), stream=True, extra_body=body, extra_headers=headers
        )
        response: httpx2.Response = (await sending.__aenter__()).http_response
        return response

    def _reader(self) -> Reader:
        return ResponsesReader()

    def _is_chunk(self, chunk: Mapping[str, Any]) -> bool:
        kind = chunk.get("type")
        return chunk.get("object") == "response" or (isinstance(kind, str) and kind.startswith("response."))

    def _is_answer(self, chunk: Mapping[str, Any]) -> bool:
        return self._is_chunk(chunk)

    def _body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        items = [item for message in request.messages for item in _items(message)]
        if request.continue_text:
            items.append({"role": "assistant", "content": repair(request.continue_text)})
            items.append({"role": "user", "content": CONTINUE_INSTRUCTION})
        extra_fields, _lacking = for_responses(request.extra_fields)
        body: dict[str, Any] = {**extra_fields, "model": model, "input": items, "stream": True}
        wishes: dict[str, Any] = {
            "store": False,
            "max_output_tokens": request.max_output_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "include": ["reasoning.encrypted_content"] if extra_fields.get("tools") else None,
            "reasoning": {"effort": request.reasoning_effort, "summary": "auto"} if request.reasoning_effort else None,
        }
        wanted = {name: value for name, value in wishes.items() if value is not None}
        if self._offers_image_tool(request):
            body["tools"] = [*body.get("tools", ()), {"type": "image_generation", "partial_images": 1}]
        return body | {name: value for name, value in wanted.items() if name not in self._refused_fields}

    def _optional_fields_of(self, request: ChatRequest, model: str) -> frozenset[str]:
        fields = super()._optional_fields_of(request, model)
        return fields | _IMAGE_TOOL if self._offers_image_tool(request) else fields

    def _offers_image_tool(self, request: ChatRequest) -> bool:
        return self._has_image_tool and request.may_draw and not self._refused_fields & _IMAGE_TOOL


class ResponsesReader(VendorReader):
    """Turns the events of one response into provider events. A server that ignores ``stream`` sends it as one chunk."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[str, int] = {}
        self._has_summary_part = False
        self._thoughts: list[Mapping[str, Any]] = []
        self._pictures: set[str] = set()

    @property
    def has_tool_calls(self) -> bool:
        return bool(self._calls)

    def feed(self, chunk: object) -> Iterator[Delta]:
        """Yield the events of one chunk. Raises ``WrongShapeError`` and ``ErrorInAnswer``."""
        if not isinstance(chunk, Mapping):
            raise WrongShapeError("chunk")
        kind = chunk.get("type")
        if chunk.get("object") == "response":
            yield from self._whole(chunk)
        elif kind == "error" or (kind is None and chunk.get("error")):
            raise ErrorInAnswer(chunk.get("error") or chunk)
        elif kind in _TEXT:
            yield from self._add_text(text_field(chunk.get("delta")))
        elif kind == "response.image_generation_call.partial_image":
            yield from self._read_picture(text_field(chunk.get("item_id")), chunk, "partial_image_b64", is_partial=True)
        elif kind in _REASONING or kind == "response.reasoning_summary_part.added":
            yield from self._read_reasoning(chunk)
        elif kind in ("response.output_item.added", "response.output_item.done"):
            yield from self._read_item(_mapping(chunk.get("item")), is_done=kind == "response.output_item.done")
        elif kind == "response.function_call_arguments.delta":
            index = self._calls.get(text_field(chunk.get("item_id")))
            if index is None:
                raise WrongShapeError("item_id")
            yield ToolCallDelta(index, None, None, text_field(chunk.get("delta")))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self._end(_mapping(chunk.get("response")))

    def finish(self) -> Iterator[Late]:
        """Yield a replacement character for each half surrogate pair that was still held back."""
        yield from super().finish()
        if self._thoughts and self._calls:
            yield ReasoningKept(tuple(self._thoughts))

    def _whole(self, response: Mapping[str, Any]) -> Iterator[Delta]:
        output = response.get("output")
        for item in output if isinstance(output, list) else ():
            row = _mapping(item)
            self._keep(row)
            for piece in row.get("content") or () if row.get("type") == "message" else ():
                words = _mapping(piece)
                yield from self._add_text(text_field(words.get("text", words.get("refusal"))))
            if row.get("type") == _PICTURE:
                yield from self._read_picture(text_field(row.get("id")), row, "result")
            if row.get("type") == "function_call":
                yield from self._start_call(row)
                index = self._calls[text_field(row.get("id")) or text_field(row.get("call_id"))]
                yield ToolCallDelta(index, None, None, text_field(row.get("arguments")))
        self._end(response)

    def _read_reasoning(self, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        if chunk.get("type") in _REASONING:
            yield from self._add_reasoning(text_field(chunk.get("delta")))
            return
        if self._has_summary_part:
            yield from self._add_reasoning("\n\n")
        self._has_summary_part = True

    def _read_item(self, item: Mapping[str, Any], *, is_done: bool) -> Iterator[Delta]:
        if item.get("type") == _PICTURE:
            yield from self._read_picture(text_field(item.get("id")), item, "result" if is_done else "")
        elif is_done:
            self._keep(item)
        else:
            yield from self._start_call(item)

    def _read_picture(
        self, item: str, holder: Mapping[str, Any], field: str, *, is_partial: bool = False
    ) -> Iterator[Delta]:
        """Yield a picture of the image tool; without a ``field``, a mark that it has started."""
        self._pictures.add(item)
        if len(self._pictures) > _MOST_CALLS:
            raise WrongShapeError("pictures")
        letters = text_field(holder.get(field)) if field else ""
        if field and not letters:
            return  # it failed, and the answer says why
        self.has_text = self.has_text or bool(letters)
        yield PictureDelta(item, f"data:image/png;base64,{letters}" if letters else "", is_partial=is_partial)

    def _keep(self, item: Mapping[str, Any]) -> None:
        """Keep an item of reasoning that can be sent back: without its encrypted content the vendor, which stores
        nothing, would not know it."""
        if item.get("type") != "reasoning" or not item.get("encrypted_content"):
            return
        if len(self._thoughts) >= _MOST_CALLS:
            raise WrongShapeError("reasoning")
        names = ("type", "id", "summary", "encrypted_content")
        self._thoughts.append({"summary": [], **{name: item[name] for name in names if name in item}})

    def _start_call(self, item: Mapping[str, Any]) -> Iterator[Delta]:
        if item.get("type") != "function_call":
            return
        if len(self._calls) >= _MOST_CALLS:
            raise WrongShapeError("calls")
        call_id = repair(text_field(item.get("call_id")))
        index = self._calls.setdefault(text_field(item.get("id")) or call_id, len(self._calls))
        yield ToolCallDelta(index, call_id or None, repair(text_field(item.get("name"))) or None, "")

    def _end(self, response: Mapping[str, Any]) -> None:
        figures = response.get("usage")
        if isinstance(figures, Mapping):
            self.usage = usage_of(
                figures.get("input_tokens"),
                figures.get("output_tokens"),
                cached=_mapping(figures.get("input_tokens_details"), is_needed=False).get("cached_tokens"),
                reasoning=_mapping(figures.get("output_tokens_details"), is_needed=False).get("reasoning_tokens"),
            )
        status = response.get("status")
        if status in ("failed", "cancelled"):
            raise ErrorInAnswer(response.get("error") or {"code": "server_error"})
        if status == "incomplete":
            why = _mapping(response.get("incomplete_details"), is_needed=False).get("reason")
            self.finish_reason = FinishReason.CONTENT_FILTER if why == "content_filter" else FinishReason.LENGTH
        else:
            self.finish_reason = FinishReason.TOOL_CALLS if self._calls else FinishReason.STOP


def _items(message: RequestMessage) -> Iterator[dict[str, Any]]:
    text = repair(message.full_text)
    if message.role is Role.TOOL:
        yield {"type": "function_call_output", "call_id": repair(message.tool_call_id), "output": text}
        return
    yield from map(dict, message.reasoning)
    role = _ROLES[message.role]
    if message.images:
        pieces: list[dict[str, Any]] = [{"type": "input_text", "text": text}] if text else []
        pieces += [{"type": "input_image", "image_url": url} for url in message.images]
        yield {"role": role, "content": pieces}
    elif text or not message.tool_calls:
        yield {"role": role, "content": text}
    for call in message.tool_calls:
        yield {
            "type": "function_call",
            "call_id": repair(call.id),
            "name": repair(call.name),
            "arguments": repair(call.arguments),
        }


def _mapping(value: object, *, is_needed: bool = True) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if is_needed:
        raise WrongShapeError("object")
    return {}
