"""Anthropic's messages over real HTTP: what is sent, what comes back, and how it fails. No library of the vendor."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    Kept,
    ReasoningKept,
    RequestMessage,
    RetryScheduled,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.retry import RetryPolicy
from tests.helpers.fault_server import Exchange, FaultServer, Script, status

KEY = "sk-ant-test-0123456789"
ASKED = (RequestMessage(Role.USER, "What is it?"),)
START = {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}
TEXT: list[dict[str, Any]] = [
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A cat."}},
]


def made(url: str, key: str | None = KEY, headers: Mapping[str, str] | None = None) -> AnthropicProvider:
    retry = RetryPolicy(longest_wait_s=5, first_wait_s=0.01)
    return AnthropicProvider("test", "Testhost", Endpoint.of(url, key, headers), retry=retry)


def ended(reason: str) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9}}


def answered(*events: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.start(headers=headers)
        for event in events:
            await exchange.event(event, name=event["type"])
        await exchange.end()

    return script


GOOD = answered(START, *TEXT, ended("end_turn"))


async def ask(provider: AnthropicProvider, request: ChatRequest | None = None) -> list[StreamEvent]:
    try:
        return [event async for event in provider.stream(request or ChatRequest("m", ASKED))]
    finally:
        await provider.close()


async def failed(*scripts: Script) -> tuple[ProviderError, FaultServer]:
    async with FaultServer(*scripts) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(made(server.base_url))
    return caught.value, server


async def test_a_request_has_the_headers_of_the_protocol_and_none_about_this_computer() -> None:
    async with FaultServer(GOOD) as server:
        await ask(made(server.base_url))
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["anthropic-version"] == "2026-10-21"
    assert request.headers["user-agent"].startswith("ChatDesk/")
    assert request.headers["idempotency-key"] == request.headers["x-client-request-id"]
    known = {"host", "connection", "accept", "accept-encoding", "content-length"}
    ours = {"authorization", "content-type", "anthropic-version", "user-agent", "idempotency-key"}
    assert request.headers.keys() == known | ours | {"x-client-request-id"}


async def test_without_a_key_none_is_made_up() -> None:
    async with FaultServer(GOOD) as server:
        await ask(made(server.base_url, None))
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("name", "value"), [("Authorization", "Basic eHg="), ("ANTHROPIC-VERSION", "2023-06-01"), ("x-api-key", "mine")]
)
async def test_headers_that_a_person_entered_replace_ours(name: str, value: str) -> None:
    async with FaultServer(GOOD) as server:
        await ask(made(server.base_url, headers={name: value}))
    assert server.requests[0].headers[name.lower()] == value


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_an_address_is_known_with_the_version_and_without(ending: str) -> None:
    async with FaultServer(GOOD) as server:
        await ask(made(server.base_url.removesuffix("/v1") + ending))
    assert server.requests[0].path == "/v1/messages"


async def test_what_is_sent_is_what_is_shown_as_sent() -> None:
    async with FaultServer(GOOD) as server:
        provider = made(server.base_url)
        request = ChatRequest("m", (RequestMessage(Role.USER, "Grüße, 猫 \N{CAT FACE} \ud83d"),), temperature=0.1)
        wire = await provider.wire_body(request)
        await ask(provider, request)
    assert server.requests[0].body == wire


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        (400, "invalid_request_error", Kind.BAD_REQUEST),
        (401, "authentication_error", Kind.UNAUTHORISED),
        (402, "billing_error", Kind.PAYMENT),
        (403, "permission_error", Kind.FORBIDDEN),
        (404, "not_found_error", Kind.MODEL_NOT_FOUND),
        (413, "request_too_large", Kind.CONTEXT_TOO_LONG),
        (429, "rate_limit_error", Kind.RATE_LIMITED),
        (500, "api_error", Kind.SERVER),
        (504, "timeout_error", Kind.SERVER),
        (529, "overloaded_error", Kind.SERVER),
    ],
)
async def test_a_refusal_has_its_kind_its_words_and_its_number(code: int, kind: str, expected: Kind) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "Something was wrong here."}, "request_id": "req_7"}
    failure, server = await failed(status(code, body, headers=[("request-id", "req_7"), ("retry-after", "3600")]))
    assert failure.kind is expected
    assert failure.details["status"] == code
    assert failure.details["code"] == kind
    assert failure.details["request_id"] == "req_7"
    assert "Something was wrong here." in failure.what or expected is Kind.PAYMENT
    assert len(server.requests) == 1, "what asks to wait for an hour is not asked again"
    assert KEY not in failure.sentence
    assert ("is overloaded" in failure.what) is (code == 529)


@pytest.mark.parametrize("body", ["", "<h1>Bad gateway</h1>", "[" * 100_000, '{"error":', '"gone"', "\x00\xff"])
async def test_a_refusal_in_any_words_is_a_refusal(body: str) -> None:
    failure, server = await failed(status(502, body))
    assert failure.kind is Kind.SERVER
    assert len(server.requests) == 3


async def test_an_overloaded_server_is_asked_again_when_it_says() -> None:
    busy = status(529, {"type": "error", "error": {"type": "overloaded_error"}}, headers=[("retry-after", "0.02")])
    async with FaultServer(busy, busy, GOOD) as server:
        events = await ask(made(server.base_url))
    assert [each.delay_s for each in events if isinstance(each, RetryScheduled)] == [0.02, 0.02]
    assert events[-1] == StreamFinished(FinishReason.STOP)
    assert len({each.headers["idempotency-key"] for each in server.requests}) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", Kind.SERVER),
        ("api_error", Kind.SERVER),
        ("rate_limit_error", Kind.RATE_LIMITED),
        ("authentication_error", Kind.UNAUTHORISED),
        ("billing_error", Kind.PAYMENT),
    ],
)
@pytest.mark.parametrize("before", [[], [START, {"type": "ping"}], [START, *TEXT]])
async def test_an_error_amid_the_answer_has_its_kind(kind: str, expected: Kind, before: list[dict[str, Any]]) -> None:
    error = {"type": "error", "error": {"type": kind, "message": "It broke."}, "request_id": "req_8"}
    failure, server = await failed(answered(*before, error, headers=(("request-id", "req_8"),)))
    assert failure.kind is expected
    assert "It broke." in failure.what
    assert ("is overloaded" in failure.what) is (kind == "overloaded_error")
    assert (failure.details["code"], failure.details["request_id"]) == (kind, "req_8")
    has_part = len(before) > 2
    assert ("the part of the answer" in failure.safe) is has_part
    is_asked_again = not has_part and expected in (Kind.SERVER, Kind.RATE_LIMITED)
    assert len(server.requests) == (3 if is_asked_again else 1)


async def test_pings_anywhere_change_nothing() -> None:
    ping = {"type": "ping"}
    events = [ping, START, ping, TEXT[0], ping, ping, TEXT[1], ping, ended("end_turn"), ping, {"type": "message_stop"}]
    async with FaultServer(answered(*events)) as server:
        found = await ask(made(server.base_url))
    assert [each.text for each in found if isinstance(each, TextDelta)] == ["A cat."]
    assert found[-1] == StreamFinished(FinishReason.STOP)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("pause_turn", FinishReason.LENGTH),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
    ],
)
async def test_why_an_answer_ends(reason: str, expected: FinishReason) -> None:
    async with FaultServer(answered(START, *TEXT, ended(reason))) as server:
        events = await ask(made(server.base_url))
    assert events[-1] == StreamFinished(expected)


async def test_an_unknown_stop_reason_is_a_failure() -> None:
    failure, _server = await failed(answered(START, *TEXT, ended("not_heard_of")))
    assert "not_heard_of" in failure.sentence


async def test_a_refused_answer_says_so() -> None:
    failure, _server = await failed(answered(START, ended("refusal")))
    assert failure.kind is Kind.CONTENT_FILTER


LOOK = {"tools": [{"type": "function", "function": {"name": "look"}}]}


async def test_thoughts_come_back_with_their_signatures_between_calls_of_tools() -> None:
    block = {"type": "tool_use", "id": "call-1", "name": "look", "input": {}}
    events: list[dict[str, Any]] = [
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "H"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "m."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig=="}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "hidden"}},
        {"type": "content_block_start", "index": 2, "content_block": block},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"at"'}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ":1}"}},
        ended("tool_use"),
    ]
    async with FaultServer(answered(*events), GOOD) as server:
        provider = made(server.base_url)
        found = [
            each async for each in provider.stream(ChatRequest("m", ASKED, reasoning_effort="high", extra_fields=LOOK))
        ]
        (kept,) = [Kept(each.origin, {}, each.blocks) for each in found if isinstance(each, ReasoningKept)]
        arguments = "".join(each.arguments for each in found if isinstance(each, ToolCallDelta))
        call = RequestMessage(Role.ASSISTANT, "", tool_calls=(ToolCall("call-1", "look", arguments, kept),))
        result = RequestMessage(Role.TOOL, "a cat", tool_call_id="call-1")
        await ask(provider, ChatRequest("m", (*ASKED, call, result), reasoning_effort="high"))
    sent = server.requests[1].json
    assert sent["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "hidden"},
        {"type": "tool_use", "id": "call-1", "name": "look", "input": {"at": 1}},
    ]
    assert sent["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "call-1", "content": "a cat"}]
    assert sent["thinking"] == {"type": "adaptive", "display": "summarized"}


async def test_a_local_server_behind_the_protocol_is_asked_for_details() -> None:
    async def script(exchange: Exchange) -> None:
        listed = {"data": [{"id": "small", "owned_by": "library"}, {"id": "vectors", "owned_by": "library"}]}
        if exchange.request.path == "/v1/models?limit=1000":
            await status(200, listed)(exchange)
            return
        assert (exchange.request.method, exchange.request.path) == ("POST", "/api/show")
        is_small = exchange.request.json["model"] == "small"
        details = {"capabilities": ["completion", "vision"] if is_small else ["embedding"]}
        await status(200, details)(exchange)

    async with FaultServer(script) as server:
        provider = made(server.base_url)
        models = await provider.list_models()
        await provider.close()
    assert [(each.id, each.sees_images) for each in models] == [("small", True)]


async def test_a_list_that_is_refused_is_told() -> None:
    async with FaultServer(status(401, {"error": {"type": "authentication_error", "message": "no"}})) as server:
        provider = made(server.base_url)
        with pytest.raises(ProviderError) as caught:
            await provider.list_models()
        await provider.close()
    assert caught.value.kind is Kind.UNAUTHORISED


def test_it_needs_no_library_of_a_vendor() -> None:
    script = (
        "import asyncio, sys\n"
        "sys.modules['openai'] = sys.modules['anthropic'] = None\n"
        "from tests.core.providers.anthropic.test_anthropic_on_the_wire import *\n"
        "async def main():\n"
        "    async with FaultServer(status(400, {'error': {'message': 'no temperature'}}), GOOD) as server:\n"
        "        events = await ask(made(server.base_url), ChatRequest('m', ASKED, temperature=0.5))\n"
        "        assert isinstance(events[-1], StreamFinished), events\n"
        "    error, _ = await failed(status(401, {}))\n"
        "    assert error.kind is Kind.UNAUTHORISED\n"
        "asyncio.run(main())\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
