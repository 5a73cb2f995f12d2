"""Reasoning inside the loop of tools: it goes back to its vendor signed or encrypted, as it came, and nowhere else. The
servers refuse what the real ones refuse."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.tool_calls.loop import Place, ToolLoop
from chatdesk.core.chat.tool_calls.port import Equipment, ToolLimits
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.tools import Answer, ToolResult
from chatdesk.core.ids import new_id
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.base import (
    CallChanged,
    ChatRequest,
    ReasoningKept,
    RequestMessage,
    StoreNow,
    StreamEvent,
    TextDelta,
)
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.responses.provider import ResponsesProvider
from chatdesk.core.providers.stream_guard import StreamLimits
from tests.helpers.fault_server import Exchange, FaultServer, Script
from tests.helpers.tools_world import ToolWorld, tool_world

THOUGHT = {"type": "thinking", "thinking": "I should look.", "signature": "sig-1"}
REDACTED = {"type": "redacted_thinking", "data": "AAAA"}
ITEM = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
USER = RequestMessage(Role.USER, "What is there?")


async def _refuse(exchange: Exchange, why: str) -> None:
    data = f'{{"error": {{"type": "invalid_request_error", "message": "{why}"}}}}'.encode()
    await exchange.start(400, content_type="application/json", length=len(data))
    await exchange.send_raw(data)


def _anthropic(*thoughts: dict[str, Any]) -> Script:
    """Think as ``thoughts``, call a tool, and answer when both come back."""

    async def script(exchange: Exchange) -> None:
        messages = exchange.request.json["messages"]
        is_thinking = "thinking" in exchange.request.json
        if len(messages) == 1:
            await exchange.start()
            for place, thought in enumerate(thoughts):
                begin = {**thought, "thinking": "", "signature": ""} if "thinking" in thought else thought
                await _event(exchange, "content_block_start", index=place, content_block=begin)
                if "thinking" in thought:
                    for kind, name in (("thinking_delta", "thinking"), ("signature_delta", "signature")):
                        whole = thought[name]
                        for piece in (whole[:3], whole[3:]):
                            await _event(
                                exchange, "content_block_delta", index=place, delta={"type": kind, name: piece}
                            )
            block = {"type": "tool_use", "id": "c1", "name": "notes__echo"}
            await _event(exchange, "content_block_start", index=9, content_block=block)
            delta = {"type": "input_json_delta", "partial_json": '{"text": "42"}'}
            await _event(exchange, "content_block_delta", index=9, delta=delta)
            await _event(exchange, "message_delta", delta={"stop_reason": "tool_use"})
            await exchange.end()
            return
        before = messages[1]["content"][: len(thoughts)]
        if is_thinking and (before != list(thoughts) or not thoughts):
            await _refuse(exchange, "a final assistant message must start with a thinking block")
            return
        await exchange.start()
        said = "thinking" if is_thinking else "plain"
        await _event(exchange, "content_block_start", index=0, content_block={"type": "text", "text": said})
        await _event(exchange, "message_delta", delta={"stop_reason": "end_turn"})
        await exchange.end()

    return script


async def _event(exchange: Exchange, kind: str, **values: object) -> None:
    await exchange.event({"type": kind, **values}, name=kind)


async def _responses(exchange: Exchange) -> None:
    body = exchange.request.json
    if "reasoning.encrypted_content" not in body.get("include", ()):
        await _refuse(exchange, "not stored")
        return
    given = [each for each in body["input"] if each.get("type") == "function_call_output"]
    if given and ITEM not in body["input"]:
        await _refuse(exchange, "function_call was provided without its required reasoning item")
        return
    await exchange.start()
    if not given:
        await _event(exchange, "response.output_item.added", item={"type": "reasoning", "id": "rs_1"})
        await _event(exchange, "response.output_item.done", item={**ITEM, "status": "completed"})
        call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "notes__echo"}
        await _event(exchange, "response.output_item.added", item=call)
        await _event(exchange, "response.function_call_arguments.delta", item_id="fc_1", delta='{"text": "42"}')
    else:
        places = [each.get("type") for each in body["input"]]
        assert places.index("reasoning") < places.index("function_call") < places.index("function_call_output")
        await _event(exchange, "response.output_text.delta", delta="thinking")
    await _event(exchange, "response.completed", response={"status": "completed"})
    await exchange.end()


async def _played(
    world: ToolWorld, kind: type[OpenAICompatibleProvider], server: FaultServer, **more: Any
) -> list[StreamEvent]:
    provider = kind("test", "Test", Endpoint.of(server.base_url, "sk-test-0123456789"), timeouts=StreamLimits())
    approvals = world.chat.chat.tools.approvals
    place = Place(new_id(), new_id(), new_id())
    equipment = Equipment(world.tools.servers, world.tools)
    loop = ToolLoop(provider, equipment, approvals, place, clock=Clock(), limits=ToolLimits())

    async def allow() -> None:
        world.answer(await world.asked(), Answer.ONCE)

    allowing = asyncio.ensure_future(allow())
    events: list[StreamEvent] = []
    try:
        async for event in loop.stream(ChatRequest("m", (USER,), **more)):
            events.append(event)
            if isinstance(event, StoreNow):
                event.stored()
        return events
    finally:
        await allowing
        await provider.close()


def _text(events: list[StreamEvent]) -> str:
    return "".join(each.text for each in events if isinstance(each, TextDelta))


@pytest.mark.parametrize("thoughts", [(THOUGHT,), (THOUGHT, REDACTED)])
async def test_signed_thinking_goes_back_with_the_results(tmp_path: Path, thoughts: tuple[dict[str, Any], ...]) -> None:
    async with tool_world(tmp_path) as world, FaultServer(_anthropic(*thoughts)) as server:
        events = await _played(world, AnthropicProvider, server, reasoning_effort="high")
    assert _text(events) == "thinking"
    assert not any(isinstance(each, ReasoningKept) for each in events), "nobody else gets it"
    assert [request.json["thinking"] for request in server.requests] == [
        {"type": "adaptive", "display": "summarized"}
    ] * 2


async def test_an_answer_that_did_not_think_goes_on_without(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world, FaultServer(_anthropic()) as server:
        events = await _played(world, AnthropicProvider, server, reasoning_effort="high")
    assert _text(events) == "plain" and "thinking" not in server.requests[1].json


async def test_encrypted_reasoning_goes_back_with_the_results(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world, FaultServer(_responses) as server:
        events = await _played(world, ResponsesProvider, server)
    assert _text(events) == "thinking" and len(server.requests) == 2


async def test_a_mistake_of_the_port_costs_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tool_world(tmp_path) as world, FaultServer(_anthropic(THOUGHT)) as server:

        async def call(*_values: object, **_more: object) -> ToolResult:
            raise KeyError("server")

        monkeypatch.setattr(world.tools, "call", call)
        events = await _played(world, AnthropicProvider, server, reasoning_effort="high")
    assert _text(events) == "thinking"
    states = [each.content for each in events if isinstance(each, CallChanged)]
    assert states[-1]["status"] == "failed" and "Nobody knows what it did" in states[-1]["error"]
