"""Answers of nothing but calls, in each protocol: whole where the request offers tools, none where it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.base import ChatRequest, FinishReason, RequestMessage, StreamFinished
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.responses.provider import ResponsesProvider
from tests.helpers.fault_server import Exchange, FaultServer, Script, chunk

Events = list[dict[str, Any]]


def _completions(arguments: str, text: str) -> Events:
    call = {"index": 0, "id": "c1", "function": {"name": "look", "arguments": arguments}}
    return [chunk({"content": text}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls")]


def _responses(arguments: str, text: str) -> Events:
    item = {"type": "function_call", "id": "i1", "call_id": "c1", "name": "look"}
    return [
        {"type": "response.output_text.delta", "delta": text},
        {"type": "response.output_item.added", "item": item},
        {"type": "response.function_call_arguments.delta", "item_id": "i1", "delta": arguments},
        {"type": "response.completed", "response": {"status": "completed"}},
    ]


def _anthropic(arguments: str, text: str) -> Events:
    block = {"type": "tool_use", "id": "c1", "name": "look"}
    return [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_start", "index": 1, "content_block": block},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": arguments}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ]


def _whole_completion(arguments: str, text: str) -> Events:
    call = {"id": "c1", "function": {"name": "look", "arguments": arguments}}
    message = {"content": text, "tool_calls": [call]}
    return [{"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}]


def _whole_response(arguments: str, text: str) -> Events:
    said = {"type": "message", "content": [{"type": "output_text", "text": text}]}
    call = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": arguments}
    return [{"object": "response", "status": "completed", "output": [said, call]}]


PROTOCOLS: Mapping[str, tuple[type[OpenAICompatibleProvider], Callable[[str, str], Events]]] = {
    "completions": (OpenAICompatibleProvider, _completions),
    "completions, not streamed": (OpenAICompatibleProvider, _whole_completion),
    "responses": (ResponsesProvider, _responses),
    "responses, not streamed": (ResponsesProvider, _whole_response),
    "anthropic": (AnthropicProvider, _anthropic),
}
TOOLS = [{"type": "function", "function": {"name": "look"}}]
REQUESTS: Mapping[str, dict[str, Any]] = {
    "nothing": {},
    "an empty list of tools": {"tools": []},
    "tools that may not be called": {"tools": TOOLS, "tool_choice": "none"},
    "tools": {"tools": TOOLS},
    "tools that have to be called": {"tools": TOOLS, "tool_choice": "required"},
}


def _sent(events: Events) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for event in events:
            await exchange.send(f"data: {json.dumps(event)}\n\n")
        await exchange.end()

    return script


@pytest.mark.parametrize(
    ("arguments", "text"),
    [("", ""), ('{"pa', ""), ('{"path": 1}', ""), ('{"path": 1}', "I look.")],
    ids=["no arguments", "half the arguments", "all arguments", "after a text"],
)
@pytest.mark.parametrize("offer", REQUESTS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_unanswered_calls_are_not_an_answer(protocol: str, offer: str, arguments: str, text: str) -> None:
    kind, answer = PROTOCOLS[protocol]
    request = ChatRequest("m", [RequestMessage(Role.USER, "Hi")], extra_fields=REQUESTS[offer])
    async with FaultServer(_sent(answer(arguments, text))) as server:
        provider = kind("test", "Testhost", Endpoint.of(server.base_url, "sk-test-0123456789"))
        try:
            if text or offer in ("tools", "tools that have to be called"):
                events = [event async for event in provider.stream(request)]
                assert events[-1] == StreamFinished(FinishReason.TOOL_CALLS)
                return
            with pytest.raises(ProviderError) as caught:
                _ = [event async for event in provider.stream(request)]
        finally:
            await provider.close()
    assert caught.value.kind is Kind.EMPTY_ANSWER
    assert "called a tool that it was not offered" in caught.value.what
    assert "the part of the answer that arrived" not in caught.value.sentence


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_call_in_the_rest_of_an_answer_leaves_it_whole(protocol: str) -> None:
    kind, answer = PROTOCOLS[protocol]
    request = ChatRequest("m", [RequestMessage(Role.USER, "Hi")], continue_text="A begun answer")
    async with FaultServer(_sent(answer("{}", ""))) as server:
        provider = kind("test", "Testhost", Endpoint.of(server.base_url, "sk-test-0123456789"))
        try:
            assert isinstance([event async for event in provider.stream(request)][-1], StreamFinished)
        finally:
            await provider.close()
