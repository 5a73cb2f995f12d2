"""Responses and Anthropic's messages: the same events, failures and limits as in chat completions."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.anthropic import provider as anthropic_provider
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    ReasoningDelta,
    RequestMessage,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.providers.chat.answer_reader import ErrorInAnswer, WrongShapeError
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.readers.anthropic_reader import AnthropicReader
from chatdesk.core.providers.readers.responses_reader import ResponsesReader
from chatdesk.core.providers.responses.provider import ResponsesProvider
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from tests.helpers.fault_server import Exchange, FaultServer, Script, status
from tests.helpers.waiting import PATIENCE_S

PNG = "data:image/png;base64,AAAA"
MESSAGES = (
    RequestMessage(Role.SYSTEM, "Be brief."),
    RequestMessage(Role.USER, "What is it?", images=(PNG,)),
    RequestMessage(Role.ASSISTANT, "I look.", tool_calls=(ToolCall("call-1", "look", '{"at": 1}'),)),
    RequestMessage(Role.TOOL, "a cat", tool_call_id="call-1"),
    RequestMessage(Role.USER, "Really?"),
)
KINDS: tuple[type[OpenAICompatibleProvider], ...] = (ResponsesProvider, AnthropicProvider)


def made(kind: type[OpenAICompatibleProvider], url: str, **limits: float) -> OpenAICompatibleProvider:
    return kind(
        "test",
        "Testhost",
        Endpoint.of(url, "sk-test-0123456789"),
        timeouts=StreamLimits(**limits),  # type: ignore[arg-type]
        retry=RetryPolicy(longest_wait_s=1, first_wait_s=0.01),
    )


def sse(*events: dict[str, object], end: bool = True) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for event in events:
            await exchange.event(event, name=str(event["type"]))
        if end:
            await exchange.end()
        else:
            await exchange.hang()

    return script


def responses_answer(**end: object) -> list[dict[str, object]]:
    usage = {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 5},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
    }
    return [
        {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
        {"type": "response.reasoning_summary_part.added"},
        {"type": "response.reasoning_summary_text.delta", "delta": "Hm."},
        {"type": "response.reasoning_summary_part.added"},
        {"type": "response.reasoning_summary_text.delta", "delta": "So."},
        {"type": "response.output_text.delta", "delta": "A "},
        {"type": "response.output_text.delta", "delta": "cat."},
        {"type": "response.unheard_of", "delta": 5},
        {"type": "response.completed", "response": {"status": "completed", "usage": usage, **end}},
    ]


def anthropic_answer(reason: str = "end_turn") -> list[dict[str, object]]:
    read = {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 5, "output_tokens": 1}
    return [
        {"type": "message_start", "message": {"usage": read}},
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm.\n\nSo."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "x"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "A cat."}},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]


ANSWERS = {ResponsesProvider: responses_answer, AnthropicProvider: anthropic_answer}


async def ask(provider: OpenAICompatibleProvider, request: ChatRequest | None = None) -> list[StreamEvent]:
    try:
        return [event async for event in provider.stream(request or ChatRequest("m", MESSAGES))]
    finally:
        await provider.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_comes_as_our_events(kind: type[OpenAICompatibleProvider]) -> None:
    async with FaultServer(sse(*ANSWERS[kind]())) as server:
        events = await ask(made(kind, server.base_url))
        await server.wait_until_closed()
    assert "".join(each.text for each in events if isinstance(each, TextDelta)) == "A cat."
    assert "".join(each.text for each in events if isinstance(each, ReasoningDelta)) == "Hm.\n\nSo."
    (usage,) = [each.usage for each in events if isinstance(each, UsageReported)]
    reasoning = 4 if kind is ResponsesProvider else 0
    written = 5 if kind is AnthropicProvider else 0
    assert usage == Usage(20, 9, cached_tokens=5, reasoning_tokens=reasoning, written_tokens=written)
    assert events[-1] == StreamFinished(FinishReason.STOP)
    path = "/v1/responses" if kind is ResponsesProvider else "/v1/messages"
    assert server.requests[0].path == path


async def test_what_responses_are_sent() -> None:
    async with FaultServer(sse(*responses_answer())) as server:
        provider = made(ResponsesProvider, server.base_url)
        request = ChatRequest("m", MESSAGES, "half", max_output_tokens=9, temperature=0.5, reasoning_effort="low")
        wire = await provider.wire_body(request)
        await ask(provider, request)
    sent = server.requests[0].json
    assert sent["input"][:5] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": PNG},
            ],
        },
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "call-1", "name": "look", "arguments": '{"at": 1}'},
        {"type": "function_call_output", "call_id": "call-1", "output": "a cat"},
    ]
    assert sent["input"][-2] == {"role": "assistant", "content": "half"}
    assert (sent["stream"], sent["store"], sent["max_output_tokens"], sent["temperature"]) == (True, False, 9, 0.5)
    assert sent["reasoning"] == {"effort": "low", "summary": "auto"}
    assert b'"half"' in wire


async def test_what_anthropic_is_sent() -> None:
    async with FaultServer(sse(*anthropic_answer())) as server:
        request = ChatRequest("m", MESSAGES, "half ", stop=("END",), reasoning_effort="high", top_p=0.9)
        await ask(made(AnthropicProvider, server.base_url), request)
    sent, headers = server.requests[0].json, server.requests[0].headers
    assert sent["system"] == "Be brief."
    assert sent["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "text", "text": "What is it?"},
    ]
    assert sent["messages"][1]["content"][1] == {"type": "tool_use", "id": "call-1", "name": "look", "input": {"at": 1}}
    assert sent["messages"][2]["content"][0]["type"] == "tool_result"
    assert sent["messages"][-2] == {"role": "assistant", "content": [{"type": "text", "text": "half "}]}
    assert (sent["stop_sequences"], sent["output_config"], sent["max_tokens"]) == (["END"], {"effort": "high"}, 32_000)
    assert headers["authorization"] == "Bearer sk-test-0123456789"
    assert "thinking" not in str(sent["messages"])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_field_that_is_refused_is_left_out(kind: type[OpenAICompatibleProvider]) -> None:
    refusal = status(400, {"error": {"message": "temperature is not supported with this model"}})
    async with FaultServer(refusal, sse(*ANSWERS[kind]())) as server:
        events = await ask(made(kind, server.base_url), ChatRequest("m", MESSAGES, temperature=0.1))
    assert isinstance(events[-1], StreamFinished)
    assert "temperature" in server.requests[0].json
    assert "temperature" not in server.requests[1].json


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (status(401, {"type": "error", "error": {"type": "authentication_error", "message": "no"}}), Kind.UNAUTHORISED),
        (status(404, {"error": {"message": "model: nope not found"}}), Kind.MODEL_NOT_FOUND),
        (status(429, {"error": {"message": "slow down"}}, headers=[("retry-after", "3600")]), Kind.RATE_LIMITED),
        (sse({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}), Kind.SERVER),
        (sse({"type": "ping"}), Kind.INCOMPLETE),
        (status(200, "<html>", content_type="text/html"), Kind.NOT_A_STREAM),
        (status(200, {"hello": 1}), Kind.NOT_A_STREAM),
        (status(302, "", headers=[("location", "http://elsewhere.example/")]), Kind.REDIRECT),
    ],
)
async def test_failures_have_their_kinds(kind: type[OpenAICompatibleProvider], script: Script, expected: Kind) -> None:
    async with FaultServer(script) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(made(kind, server.base_url))
        await server.wait_until_closed()
    assert caught.value.kind in {expected, Kind.EMPTY_ANSWER if expected is Kind.INCOMPLETE else expected}
    assert "sk-test" not in caught.value.sentence


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_that_is_cut_keeps_its_part(kind: type[OpenAICompatibleProvider]) -> None:
    async with FaultServer(sse(*ANSWERS[kind]()[:-2])) as server:
        provider = made(kind, server.base_url)
        got: list[StreamEvent] = []

        async def read() -> None:
            async for event in provider.stream(ChatRequest("m", MESSAGES)):
                got.append(event)

        with pytest.raises(ProviderError) as caught:
            await read()
        await provider.close()
    assert any(isinstance(each, TextDelta) for each in got)
    assert caught.value.kind is Kind.INCOMPLETE
    assert "the part of the answer" in caught.value.safe


@pytest.mark.parametrize("kind", KINDS)
async def test_stopping_closes_the_connection(kind: type[OpenAICompatibleProvider]) -> None:
    async with FaultServer(sse(*ANSWERS[kind]()[:-2], end=False)) as server:
        provider = made(kind, server.base_url)
        async with aclosing(provider.stream(ChatRequest("m", MESSAGES))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        await server.wait_until_closed()
        await provider.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_silence_is_noticed_and_the_end_is_not_waited_for(kind: type[OpenAICompatibleProvider]) -> None:
    async with FaultServer(sse(*ANSWERS[kind]()[:-2], end=False)) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(made(kind, server.base_url, silence_s=0.2))
    assert caught.value.kind is Kind.SILENCE
    async with FaultServer(sse(*ANSWERS[kind](), end=False)) as server, asyncio.timeout(PATIENCE_S / 2):
        events = await ask(made(kind, server.base_url, after_finish_s=0.1))
    assert events[-1] == StreamFinished(FinishReason.STOP)


@pytest.mark.parametrize("kind", KINDS)
async def test_models_are_listed(kind: type[OpenAICompatibleProvider]) -> None:
    rows = [{"type": "model", "id": "claude-x", "display_name": "Claude X", "max_input_tokens": 200_000}]
    async with FaultServer(status(200, {"data": rows, "has_more": False})) as server:
        provider = made(kind, server.base_url)
        (model,) = await provider.list_models()
        await provider.close()
    assert (model.id, model.label, model.context_window) == ("claude-x", "Claude X", 200_000)


async def test_loading_a_library_does_not_count_as_waiting_for_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    build = anthropic_provider.AnthropicClient
    loop = asyncio.get_running_loop()
    clock, passed_s = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: clock() + passed_s)

    def slowly_built(*arguments: Any) -> Any:
        nonlocal passed_s
        passed_s = 2.1  # more than the server may take
        return build(*arguments)

    monkeypatch.setattr(anthropic_provider, "AnthropicClient", slowly_built)
    async with FaultServer(status(200, {"data": [{"type": "model", "id": "claude-x"}]})) as server:
        provider = made(AnthropicProvider, server.base_url, list_models_s=2.0)
        (model,) = await provider.list_models()
        await provider.close()
    assert (model.id, passed_s) == ("claude-x", 2.1)


def test_calls_of_tools_are_put_together() -> None:
    reader = ResponsesReader()
    events = [
        *reader.feed(
            {
                "type": "response.output_item.added",
                "item": {"type": "function_call", "id": "i1", "call_id": "c1", "name": "f"},
            }
        ),
        *reader.feed({"type": "response.function_call_arguments.delta", "item_id": "i1", "delta": '{"a":'}),
        *reader.feed({"type": "response.function_call_arguments.delta", "item_id": "i1", "delta": "1}"}),
        *reader.feed({"type": "response.completed", "response": {"status": "completed"}}),
    ]
    assert events[0] == ToolCallDelta(0, "c1", "f", "")
    assert "".join(each.arguments for each in events if isinstance(each, ToolCallDelta)) == '{"a":1}'
    assert reader.finish_reason is FinishReason.TOOL_CALLS
    other = AnthropicReader()
    block = {"type": "tool_use", "id": "c1", "name": "f"}
    delta = {"type": "input_json_delta", "partial_json": '{"a":1}'}
    events = [
        *other.feed({"type": "content_block_start", "index": 3, "content_block": block}),
        *other.feed({"type": "content_block_delta", "index": 3, "delta": delta}),
        *other.feed({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}),
        *other.finish(),
    ]
    assert events == [ToolCallDelta(0, "c1", "f", ""), ToolCallDelta(0, None, None, '{"a":1}')]
    assert other.has_tool_calls
    assert other.finish_reason is FinishReason.TOOL_CALLS


def test_whole_answers_of_servers_that_do_not_stream_are_read() -> None:
    reader = ResponsesReader()
    output = [
        {"type": "reasoning"},
        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]
    events = list(reader.feed({"object": "response", "status": "completed", "output": output}))
    assert TextDelta("Hi") in events
    assert reader.finish_reason is FinishReason.TOOL_CALLS
    other = AnthropicReader()
    message = {"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "max_tokens"}
    assert list(other.feed(message)) == [TextDelta("Hi")]
    assert other.finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize(
    "chunk",
    [
        5,
        {"type": "response.output_text.delta", "delta": True},
        {"type": "response.completed", "response": 5},
        {"type": "response.output_item.added", "item": []},
    ],
)
def test_wrong_shapes_of_responses_are_errors(chunk: object) -> None:
    with pytest.raises(WrongShapeError):
        list(ResponsesReader().feed(chunk))


@pytest.mark.parametrize(
    "chunk",
    [
        [],
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": True}},
        {"type": "message_delta", "delta": {"stop_reason": 5}},
        {"type": "message_start", "message": []},
    ],
)
def test_wrong_shapes_of_anthropic_are_errors(chunk: object) -> None:
    with pytest.raises(WrongShapeError):
        list(AnthropicReader().feed(chunk))


def test_failed_and_incomplete_responses_say_why() -> None:
    with pytest.raises(ErrorInAnswer):
        list(ResponsesReader().feed({"type": "response.failed", "response": {"status": "failed"}}))
    for why, reason in (("max_output_tokens", FinishReason.LENGTH), ("content_filter", FinishReason.CONTENT_FILTER)):
        reader = ResponsesReader()
        response = {"status": "incomplete", "incomplete_details": {"reason": why}}
        list(reader.feed({"type": "response.incomplete", "response": response}))
        assert reader.finish_reason is reason


@pytest.mark.parametrize("figures", [{"input_tokens": -1}, {"input_tokens": "x"}, {"input_tokens": 10**12}, {}])
def test_absurd_usage_is_none(figures: dict[str, object]) -> None:
    reader = ResponsesReader()
    list(reader.feed({"type": "response.completed", "response": {"usage": figures}}))
    assert reader.usage is None
    other = AnthropicReader()
    list(other.feed({"type": "message_delta", "delta": {}, "usage": figures}))
    assert other.usage is None
