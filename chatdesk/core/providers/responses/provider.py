"""Speaks OpenAI's Responses protocol, for the servers that have it, and yields the same events as other protocols.

Nothing is stored at the vendor (``store`` false). Reasoning is read and shown; with calls of tools it is sent back
encrypted, as it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import ChatRequest, RequestMessage
from chatdesk.core.providers.extra_fields import for_responses
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.text_repair import repair
from chatdesk.core.providers.wire import said, sendable_arguments

if TYPE_CHECKING:  # a large package, loaded when it is used
    import httpx2

_ROLES = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant"}
# Names of the image tool in a server's refusal.
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

    def _body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        messages = said(request, model, self.dialect)
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
        if self._offers_image_tool(request, model):
            body["tools"] = [*body.get("tools", ()), {"type": "image_generation", "partial_images": 1}]
        return body | {name: value for name, value in wanted.items() if name not in self._refused[model]}

    def _optional_fields_of(self, request: ChatRequest, model: str) -> frozenset[str]:
        fields = super()._optional_fields_of(request, model)
        return fields | _IMAGE_TOOL if self._offers_image_tool(request, model) else fields

    def _offers_image_tool(self, request: ChatRequest, model: str) -> bool:
        return self._has_image_tool and request.may_draw and not self._refused[model] & _IMAGE_TOOL


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
            **call.kept_for(origin),
            "type": "function_call",
            "call_id": repair(call.id),
            "name": repair(call.name),
            "arguments": sendable_arguments(call.arguments),
        }
