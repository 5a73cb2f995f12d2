"""Against a real server: what it says of its limits reaches the turn, and a 402 is shown with what it wants."""

from __future__ import annotations

import json

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.usage import RateReport
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import (
    ChatRequest,
    LibraryLoaded,
    RateReported,
    RequestMessage,
    StreamEvent,
    TextDelta,
)
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from tests.helpers.fault_server import SSE, Exchange, FaultServer, Script, chunk

_REQUEST = ChatRequest("m", (RequestMessage(Role.USER, "Hello"),))
_KEY = "sk-canary-0123456789abcdefghij"


async def _ask(script: Script) -> list[StreamEvent]:
    async with FaultServer(script) as server:
        provider = OpenAICompatibleProvider("test", "Test", Endpoint.of(server.base_url, _KEY))
        try:
            return [event async for event in provider.stream(_REQUEST)]
        finally:
            await provider.close()


def _says(status: int, body: bytes, *headers: tuple[str, str], content_type: str = "application/json") -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.start(status, content_type=content_type, headers=headers, chunked=False, length=len(body))
        exchange.writer.write(body)
        await exchange.writer.drain()

    return script


def _answer(*headers: tuple[str, str]) -> Script:
    events = (chunk({"content": "Hi"}), chunk({}, "stop"))
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    return _says(200, body, *headers, content_type=SSE)


async def test_what_is_left_is_reported_before_the_answer() -> None:
    events = await _ask(_answer(("x-ratelimit-remaining-requests", "7"), ("x-ratelimit-reset-requests", "6m0s")))
    assert next(each for each in events if not isinstance(each, LibraryLoaded)) == RateReported(RateReport(7, 360))
    assert TextDelta("Hi") in events


async def test_a_server_that_says_nothing_reports_nothing() -> None:
    assert not any(isinstance(event, RateReported) for event in await _ask(_answer()))


async def test_a_server_that_wants_to_be_paid_is_quoted() -> None:
    body = json.dumps({"x402Version": 1, "error": "Pay at https://gate.example/top-up", "accepts": []}).encode()
    with pytest.raises(ProviderError) as caught:
        await _ask(_says(402, body))
    assert caught.value.kind is Kind.PAYMENT
    assert "no credit left" in caught.value.sentence
    assert "https://gate.example/top-up" in caught.value.sentence


@pytest.mark.parametrize("body", [b'{"error": {"message": "no"}}', b"<html>pay</html>", b"[" * 50_000, b"x" * 2**20])
async def test_a_402_without_details_is_told_as_before(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        await _ask(_says(402, body))
    assert caught.value.kind is Kind.PAYMENT
    assert "no credit left" in caught.value.sentence


async def test_an_echoed_key_is_not_shown() -> None:
    with pytest.raises(ProviderError) as caught:
        await _ask(_says(402, json.dumps({"error": f"{_KEY} has no credit"}).encode()))
    assert _KEY not in caught.value.sentence + str(caught.value.details)
