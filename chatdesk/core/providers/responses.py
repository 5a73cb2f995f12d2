"""Speaks OpenAI's Responses protocol, for the servers that have it, and yields the same events as other protocols.

Nothing is stored at the vendor (``store`` false). Reasoning is read and shown; within a loop of tools it is sent back
encrypted, as it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    PictureDelta,
    ReasoningKept,
    RequestMessage,
    SourcesNamed,
    ToolCallDelta,
)
from chatdesk.core.providers.chat.answer_reader import ErrorInAnswer, WrongShapeError, text_field
from chatdesk.core.providers.chat.content import read_content
from chatdesk.core.providers.chat.sources import NamedSources
from chatdesk.core.providers.extra_fields import for_responses
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.reader import Delta, Late, Reader, VendorReader
from chatdesk.core.providers.text_repair import ReceivedText, repair
from chatdesk.core.providers.token_figures import usage_of
from chatdesk.core.providers.turn_order import in_turns
from chatdesk.core.providers.wire import continued, sendable_arguments

if TYPE_CHECKING:
    import httpx2

_ROLES = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant"}
_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})
_REASONING = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_ENDS = frozenset(f"response.{each}" for each in ("completed", "incomplete", "failed", "cancelled", "done"))
_MOST_CALLS = 1000
_PICTURE = "image_generation_call"
# What a server may name when it refuses the image tool.
_IMAGE_TOOL = frozenset({"image_generation", "tools"})


class ResponsesProvider(OpenAICompatibleProvider):
    """A provider that speaks OpenAI's Responses protocol. With ``has_image_tool``, models are offered the image tool
    of their vendor, unless it refuses it."""

    protocol = "responses"
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
        messages = in_turns(continued(request))
        items = [item for message in messages for item in _items(message, self._kept_origin())]
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
    """Turns the events of one response into provider events. A server that ignores ``stream`` sends it as one chunk.

    Text and arguments may come in pieces, when their item begins, when it ends, or in the whole response at the end:
    what came already is compared, what did not come counts.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[str, int] = {}
        self._arguments: list[ReceivedText] = []
        self._has_summary_part = False
        self._has_thought = False
        self._thoughts: dict[str, Mapping[str, Any]] = {}
        self._pictures: set[str] = set()
        self._sources = NamedSources()

    @property
    def has_tool_calls(self) -> bool:
        return bool(self._arguments)

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
        elif kind == "response.output_text.annotation.added":
            self._sources.read_message({"annotations": [chunk.get("annotation")]})
        elif kind == "response.image_generation_call.partial_image":
            yield from self._read_picture(text_field(chunk.get("item_id")), chunk, "partial_image_b64", is_partial=True)
        elif kind in _REASONING or kind == "response.reasoning_summary_part.added":
            yield from self._read_reasoning(chunk)
        elif kind in ("response.output_item.added", "response.output_item.done"):
            yield from self._read_item(_mapping(chunk.get("item")), is_done=kind == "response.output_item.done")
        elif kind == "response.function_call_arguments.delta":
            index = self._call_of(text_field(chunk.get("item_id")))
            yield from self._grown(index, text_field(chunk.get("delta")))
        elif kind == "response.function_call_arguments.done":
            yield from self._completed(self._call_of(text_field(chunk.get("item_id"))), chunk.get("arguments"))
        elif kind in _ENDS:
            yield from self._whole(_mapping(chunk.get("response")))

    def finish(self) -> Iterator[Late]:
        """Yield half surrogate pairs that were held back, the reasoning that goes back with calls, and sources."""
        yield from super().finish()
        for index, arguments in enumerate(self._arguments):
            tail = arguments.finish()
            if tail:
                yield ToolCallDelta(index, None, None, tail)
        if self._thoughts and self._calls:
            yield ReasoningKept(tuple(self._thoughts.values()))
        if self._sources.found:
            yield SourcesNamed(self._sources.found)

    def _whole(self, response: Mapping[str, Any]) -> Iterator[Delta]:
        """Read a whole response: the only one, or the last event of a stream."""
        output = response.get("output")
        items = [each for each in output if isinstance(each, Mapping)] if isinstance(output, list) else []
        if not self._has_thought:
            yield from self._add_reasoning("\n\n".join(filter(None, map(_thought_of, items))))
        text = "".join(_text_of(each) for each in items if each.get("type") == "message")
        yield from self._add_text(self._text.missing(text, is_whole=self.has_text))
        calls = [each for each in items if each.get("type") == "function_call"]
        for place, item in enumerate(calls):
            # Gateways give items other ids in the end.
            is_known = not {text_field(item.get("id")), text_field(item.get("call_id"))}.isdisjoint(self._calls)
            if is_known or place >= len(self._arguments):
                yield from self._start_call(item)
                yield from self._completed(self._call_of(_name_of(item)), item.get("arguments"))
        for item in items:
            self._keep(item)
            if item.get("type") == _PICTURE and text_field(item.get("id")) not in self._pictures:
                yield from self._read_picture(text_field(item.get("id")), item, "result")
        self._end(response)

    def _read_reasoning(self, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        if chunk.get("type") in _REASONING:
            self._has_thought = True
            yield from self._add_reasoning(text_field(chunk.get("delta")))
            return
        if self._has_summary_part:
            yield from self._add_reasoning("\n\n")
        self._has_summary_part = True

    def _read_item(self, item: Mapping[str, Any], *, is_done: bool) -> Iterator[Delta]:
        kind = item.get("type")
        if kind == _PICTURE:
            yield from self._read_picture(text_field(item.get("id")), item, "result" if is_done else "")
        elif kind == "function_call":
            yield from self._start_call(item)
            yield from self._completed(self._call_of(_name_of(item)), item.get("arguments"))
        elif is_done:
            self._keep(item)

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
        """Keep an item of reasoning that can be sent back (without its encrypted content the vendor, which stores
        nothing, would not know it), and the sources of a text."""
        content = item.get("content")
        for piece in content if isinstance(content, list) else ():
            if isinstance(piece, Mapping):
                self._sources.read_message(piece)
        if item.get("type") != "reasoning" or not item.get("encrypted_content"):
            return
        if len(self._thoughts) >= _MOST_CALLS:
            raise WrongShapeError("reasoning")
        kept = {name: value for name, value in item.items() if name != "status"}
        self._thoughts[str(item.get("id") or item["encrypted_content"])] = {"summary": [], **kept}

    def _start_call(self, item: Mapping[str, Any]) -> Iterator[Delta]:
        call_id = repair(text_field(item.get("call_id")))
        index = self._call_of(text_field(item.get("id")), call_id)
        name = repair(text_field(item.get("name"))) or None
        yield ToolCallDelta(index, call_id or None, name, "")

    def _call_of(self, *names: str) -> int:
        """Return the number of the call that has one of these ids, a new one where none has."""
        index = next((self._calls[each] for each in names if each and each in self._calls), len(self._arguments))
        if index == len(self._arguments):
            if index >= _MOST_CALLS:
                raise WrongShapeError("calls")
            self._arguments.append(ReceivedText())
        self._calls |= {each: index for each in names if each and each not in self._calls}
        return index

    def _grown(self, index: int, arguments: str) -> Iterator[Delta]:
        text = self._arguments[index].feed(arguments)
        if text:
            yield ToolCallDelta(index, None, None, text)

    def _completed(self, index: int, arguments: object) -> Iterator[Delta]:
        """Read the whole arguments of a call. Where they are not what came in pieces, they are added, which makes them
        unreadable: a call runs with what the model wrote, or not at all."""
        whole = arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)
        came = self._arguments[index]
        if not whole or came.is_same(whole):
            return
        yield from self._grown(index, came.missing(whole, is_whole=False))

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


def _name_of(item: Mapping[str, Any]) -> str:
    return text_field(item.get("id")) or repair(text_field(item.get("call_id")))


def _text_of(item: Mapping[str, Any]) -> str:
    """Return the text of a message in the output of a response."""
    return read_content(item.get("content"))[1]


def _thought_of(item: Mapping[str, Any]) -> str:
    """Return the readable text of an item of reasoning."""
    if item.get("type") != "reasoning":
        return ""
    pieces = item.get("summary") or item.get("content")
    texts = ("".join(read_content(each)) for each in pieces) if isinstance(pieces, list) else ()
    return "\n\n".join(filter(None, texts))


def _items(message: RequestMessage, origin: str) -> Iterator[dict[str, Any]]:
    text = repair(message.full_text)
    if message.role is Role.TOOL:
        yield {"type": "function_call_output", "call_id": repair(message.tool_call_id), "output": text}
        return
    yield from map(dict, message.kept_for(origin))
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
            "arguments": sendable_arguments(call.arguments),
        }


def _mapping(value: object, *, is_needed: bool = True) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if is_needed:
        raise WrongShapeError("object")
    return {}
