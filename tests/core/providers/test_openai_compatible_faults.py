"""Every fault of a server, wherever it can happen: the kind, the partial answer, the retries, the sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import (
    ChatRequest,
    LibraryLoaded,
    ReasoningDelta,
    RequestMessage,
    RetryScheduled,
    StreamEvent,
    StreamFinished,
    TextDelta,
)
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.failure_texts import KEPT_PARTIAL
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from tests.helpers.fault_cases import queued
from tests.helpers.fault_server import Exchange, FaultServer, Script, answer, chunk, status

KEY = "sk-canary-0123456789abcdefghij"
# The deadlines are beyond what a busy machine needs; a fault that one of them has to end sets it (``_limits``).
LIMITS = StreamLimits(
    after_finish_s=0.2,
    error_body_s=0.5,
    longest_wait_s=2.0,
    event_bytes=64 * 1024,
    error_bytes=16 * 1024,
    answer_bytes=256 * 1024,
    answer_characters=100_000,
)
QUESTION = ChatRequest("m", [RequestMessage(Role.USER, "secret question")])


def provider_for(server: FaultServer, **changes: Any) -> OpenAICompatibleProvider:
    settings: dict[str, Any] = {
        "timeouts": LIMITS,
        "retry": RetryPolicy(longest_wait_s=LIMITS.longest_wait_s, first_wait_s=0.01),
    }
    return OpenAICompatibleProvider("test", "Testhost", Endpoint.of(server.base_url, KEY), **(settings | changes))


async def collect(provider: OpenAICompatibleProvider, request: ChatRequest = QUESTION) -> tuple[list[StreamEvent], Any]:
    """All events and the error that ended them, if one did."""
    events: list[StreamEvent] = []
    try:
        async for event in provider.stream(request):
            events.append(event)
    except ProviderError as error:
        return events, error
    return events, None


def text_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def body(*pieces: bytes | str, then: str = "end", headers: tuple[tuple[str, str], ...] = (), **start: Any) -> Script:
    """A 200 with these bytes, then: end, close, reset or hang."""

    async def script(exchange: Exchange) -> None:
        await exchange.start(headers=headers, **start)
        for piece in pieces:
            await exchange.send(piece)
        ending = getattr(exchange, then)()
        if ending is not None:
            await ending

    return script


def sse(payload: object) -> str:
    return f"data: {json.dumps(payload)}\n\n"


HELLO = sse(chunk({"content": "Hello"}))
STOP = sse(chunk({}, "stop"))
DONE = "data: [DONE]\n\n"


async def silent(exchange: Exchange) -> None:
    await exchange.hang()


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def close(exchange: Exchange) -> None:
    exchange.close()


async def garbage(exchange: Exchange) -> None:
    await exchange.send_raw(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    exchange.close()


def forever(piece: str, before: str = "") -> Script:
    """The same bytes every 20 ms until the client gives up."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        if before:
            await exchange.send(before)
        while True:
            await exchange.send(piece)
            try:
                async with asyncio.timeout(0.02):
                    await exchange.hang()
                    return
            except TimeoutError:
                pass

    return script


def flood(piece: str, count: int, before: str = "") -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.send(before or ":\n")
        for _ in range(count):
            await exchange.send(piece)
        await exchange.hang()

    return script


def silent_after(code: int) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.start(code, content_type="application/json", length=100)
        await exchange.hang()

    return script


@dataclass(frozen=True)
class Fault:
    name: str
    script: Script
    kind: Kind
    partial: str = ""
    attempts: int = 1


FAULTS = [
    # Before (N1) the headers
    Fault("reset before headers", reset, Kind.RESET, attempts=3),
    Fault("close before headers", close, Kind.RESET, attempts=3),
    Fault("no headers", silent, Kind.FIRST_BYTE_TIMEOUT),
    Fault("no HTTP", garbage, Kind.MALFORMED),
    # between the headers and the first event
    Fault("reset after headers", body(then="reset"), Kind.RESET, attempts=3),
    Fault("silence after headers", body(then="hang"), Kind.FIRST_BYTE_TIMEOUT),
    Fault("drip for ever", forever("d"), Kind.FIRST_BYTE_TIMEOUT),
    Fault("role, then nothing", body(sse(chunk({"role": "assistant"})), then="hang"), Kind.SILENCE),
    # In (N2, N3) the middle
    Fault("reset mid-stream", body(HELLO, then="reset"), Kind.RESET, "Hello"),
    Fault("close mid-chunk", body(HELLO, then="close"), Kind.RESET, "Hello"),
    Fault("close mid-event", body(HELLO, 'data: {"cho', then="close", chunked=False), Kind.INCOMPLETE, "Hello"),
    Fault("short content-length", body(HELLO, then="close", length=5000), Kind.RESET, "Hello"),
    Fault("ends without anything", body(HELLO), Kind.INCOMPLETE, "Hello"),
    Fault("done without finish reason", body(HELLO, DONE), Kind.INCOMPLETE, "Hello"),
    Fault("last event without blank line", body(HELLO.rstrip("\n")), Kind.INCOMPLETE, "Hello"),
    # Silence (N8, N9) in the middle
    Fault("stall", body(HELLO, then="hang"), Kind.SILENCE, "Hello"),
    Fault("comments mid-stream", forever(": ping\n\n", HELLO), Kind.SILENCE, "Hello"),
    Fault("empty deltas", forever(sse(chunk({"content": ""})), HELLO), Kind.SILENCE, "Hello"),
    Fault("drip mid-stream", forever("x", HELLO), Kind.SILENCE, "Hello"),
    Fault("bad JSON", body(HELLO, "data: {nope}\n\n"), Kind.MALFORMED, "Hello"),
    Fault("bad JSON first", body("data: {nope}\n\n"), Kind.MALFORMED),
    Fault("invalid UTF-8", body(HELLO, b'data: {"a": "\xff\xfe"}\n\n'), Kind.MALFORMED, "Hello"),
    Fault("deep JSON", body(HELLO, "data: " + "[" * 30_000 + "\n\n"), Kind.MALFORMED, "Hello"),
    Fault("huge integer", body(HELLO, 'data: {"usage": ' + "9" * 10_000 + "}\n\n"), Kind.MALFORMED, "Hello"),
    Fault("number", body(HELLO, "data: 42\n\n"), Kind.MALFORMED, "Hello"),
    Fault("string", body(HELLO, 'data: "s"\n\n'), Kind.MALFORMED, "Hello"),
    Fault("content is a truth value", body(HELLO, sse(chunk({"content": True}))), Kind.MALFORMED, "Hello"),
    Fault("delta is a list", body(HELLO, sse(chunk(["x"]))), Kind.MALFORMED, "Hello"),
    Fault("choices is text", body(HELLO, sse({"choices": "x"})), Kind.MALFORMED, "Hello"),
    Fault("choice is text", body(HELLO, sse({"choices": ["x"]})), Kind.MALFORMED, "Hello"),
    # Too much (N10)
    Fault("endless line", flood("x" * 20_000, 20, "data: "), Kind.TOO_LARGE),
    Fault("large delta", body(HELLO, sse(chunk({"content": "y" * 70_000}))), Kind.TOO_LARGE, "Hello"),
    Fault(
        "more words than an answer may have",
        body(HELLO, *[sse(chunk({"content": "y" * 40_000}))] * 3),
        Kind.TOO_LARGE,
        "Hello" + "y" * 80_000,
    ),
    Fault("endless comments", flood(":" + "x" * 20_000 + "\n", 40, HELLO), Kind.TOO_LARGE, "Hello"),
    Fault(
        "gzip bomb",
        body(gzip.compress(b"\0" * 10_000_000), headers=(("Content-Encoding", "gzip"),)),
        Kind.TOO_LARGE,
    ),
    Fault("a status whose words do not come", silent_after(503), Kind.SERVER, attempts=3),
    # Not (N11) what was asked for
    Fault("HTML", body("<html>Log in</html>", content_type="text/html; charset=utf-8"), Kind.NOT_A_STREAM),
    Fault("HTML called a stream", body("<html>\n<p>Log in</p>\n</html>\n"), Kind.NOT_A_STREAM),
    Fault("JSON that is no answer", body('{"ok": true}', content_type="application/json"), Kind.NOT_A_STREAM),
    Fault("JSON error", body('{"error": {"message": "no"}}', content_type="application/json"), Kind.SERVER, attempts=3),
    Fault("empty JSON", body("", content_type="application/json", length=0), Kind.EMPTY_ANSWER),
    Fault("empty body", body(), Kind.EMPTY_ANSWER),
    Fault("done at once", body(DONE), Kind.EMPTY_ANSWER),
    Fault("stop without text", body(STOP, DONE), Kind.EMPTY_ANSWER),
    Fault("length without text", body(sse(chunk({}, "length")), DONE), Kind.EMPTY_ANSWER),
    Fault("choices empty", body(sse({"choices": []})), Kind.INCOMPLETE),
    Fault("content filter", body(HELLO, sse(chunk({}, "content_filter")), DONE), Kind.CONTENT_FILTER, "Hello"),
    Fault("error in band", body(HELLO, sse({"error": {"message": "boom", "code": 500}})), Kind.SERVER, "Hello"),
    Fault("error event", body(HELLO, 'event: error\ndata: {"message": "boom"}\n\n'), Kind.SERVER, "Hello"),
    Fault("error event as text", body(HELLO, "event: error\ndata: boom\n\n"), Kind.SERVER, "Hello"),
    Fault("rate limit in band", body(sse({"error": {"message": "slow", "code": 429}})), Kind.RATE_LIMITED, attempts=3),
    Fault("error as finish reason", body(HELLO, sse(chunk({}, "error"))), Kind.SERVER, "Hello"),
    Fault(
        "error in the choice",
        body(HELLO, sse({"choices": [{"index": 0, "error": {"code": "context_length_exceeded"}}]})),
        Kind.CONTEXT_TOO_LONG,
        "Hello",
    ),
    Fault("400", status(400, {"error": {"message": "bad"}}), Kind.BAD_REQUEST),
    Fault("401", status(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}), Kind.UNAUTHORISED),
    Fault("402", status(402), Kind.PAYMENT),
    Fault("403", status(403), Kind.FORBIDDEN),
    Fault("404", status(404, {"error": {"message": "no model", "code": "model_not_found"}}), Kind.MODEL_NOT_FOUND),
    Fault("408", status(408), Kind.REQUEST_TIMEOUT, attempts=3),
    Fault("413", status(413), Kind.CONTEXT_TOO_LONG),
    Fault("400 context", status(400, {"error": {"code": "context_length_exceeded"}}), Kind.CONTEXT_TOO_LONG),
    Fault("400 filter", status(400, {"error": {"code": "content_filter"}}), Kind.CONTENT_FILTER),
    Fault("418", status(418), Kind.BAD_REQUEST),
    Fault("429", status(429), Kind.RATE_LIMITED, attempts=3),
    Fault("429 short", status(429, headers=[("Retry-After-Ms", "10")]), Kind.RATE_LIMITED, attempts=3),
    Fault("429 long", status(429, headers=[("Retry-After", "3600")]), Kind.RATE_LIMITED),
    Fault("429 quota", status(429, {"error": {"code": "insufficient_quota"}}), Kind.PAYMENT),
    Fault("500", status(500), Kind.SERVER, attempts=3),
    Fault(
        "502 page", status(502, "<html><h1>Bad gateway</h1></html>", content_type="text/html"), Kind.SERVER, attempts=3
    ),
    Fault("503", status(503), Kind.SERVER, attempts=3),
    Fault("redirect elsewhere", status(307, headers=[("Location", "http://127.0.0.2:1/v1")]), Kind.REDIRECT),
    Fault("redirect to GET", status(302, headers=[("Location", "/elsewhere")]), Kind.REDIRECT),
    Fault("redirect to nowhere", status(307, headers=[("Location", "http://[bad")]), Kind.REDIRECT),
    Fault("redirect loop", status(307, headers=[("Location", "/v1/chat/completions")]), Kind.REDIRECT, attempts=4),
]


def _limits(kind: Kind) -> StreamLimits:
    """Only the deadline that ends this kind is short, so that no other can come first."""
    if kind is Kind.FIRST_BYTE_TIMEOUT:
        return replace(LIMITS, first_byte_s=0.5)
    if kind is Kind.SILENCE:
        return replace(LIMITS, silence_s=0.5)
    return LIMITS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_has_its_kind_and_keeps_the_partial_answer(fault: Fault) -> None:
    async with FaultServer(fault.script) as server:
        provider = provider_for(server, timeouts=_limits(fault.kind))
        events, error = await collect(provider)
        assert error is not None, events
        assert error.kind is fault.kind, error.sentence
        assert text_of(events) == fault.partial
        assert len(server.requests) == fault.attempts
        assert error.what.endswith((".", "”"))
        assert error.next_step
        assert not any(isinstance(event, StreamFinished) for event in events)
        if fault.partial:
            assert error.safe == KEPT_PARTIAL
        _assert_nothing_leaks(error)
        if fault.kind is not Kind.REDIRECT:
            assert len({request.headers["x-client-request-id"] for request in server.requests}) == 1
            assert len([event for event in events if isinstance(event, RetryScheduled)]) == fault.attempts - 1
        await provider.close()
        await server.wait_until_closed()
        assert not server.errors


def _assert_nothing_leaks(error: ProviderError) -> None:
    seen = f"{error!s} {error!r} {error.sentence} {error.details}"
    assert KEY not in seen
    assert "secret question" not in seen
    assert error.__cause__ is None
    assert error.__context__ is None
    assert set(error.details) <= {"status", "request_id", "code"}
    json.dumps(error.details)


LONG = "word " * 4_000
LONG_WHOLE = {"choices": [{"message": {"content": LONG}, "finish_reason": "stop"}]}
GOOD: list[tuple[str, Script, str]] = [
    ("plain", answer("Hello there"), "Hello there"),
    ("byte order mark", body(b"\xef\xbb\xbf", HELLO, STOP, DONE), "Hello"),
    ("CRLF", body((HELLO + STOP + DONE).replace("\n", "\r\n")), "Hello"),
    ("CR", body((HELLO + STOP + DONE).replace("\n", "\r")), "Hello"),
    ("no DONE", body(HELLO, STOP), "Hello"),
    ("hang after stop", body(HELLO, STOP, then="hang"), "Hello"),
    ("hang after DONE", body(HELLO, STOP, DONE, then="hang"), "Hello"),
    ("reset after stop", body(HELLO, STOP, then="reset"), "Hello"),
    ("unknown events", body("event: execute\ndata: {}\n\n", HELLO, "event: ping\ndata: ping\n\n", STOP, DONE), "Hello"),
    ("choices null", body(sse({"choices": None}), HELLO, sse({}), STOP, DONE), "Hello"),
    ("delta null", body(sse(chunk(None)), HELLO, STOP, DONE), "Hello"),
    ("other choice", body(HELLO, sse({"choices": [{"index": 1, "delta": {"content": "no"}}]}), STOP, DONE), "Hello"),
    ("split pair", body(sse(chunk({"content": "a\ud83d"})), sse(chunk({"content": "\ude00b"})), STOP, DONE), "a😀b"),
    ("lone surrogate", body(sse(chunk({"content": "a\ud83d"})), STOP, DONE), "a\ufffd"),
    ("NUL", body(sse(chunk({"content": "a\0b"})), STOP, DONE), "a\ufffdb"),
    ("line separators", body('data: {"choices":[{"delta":{"content":"a\u2028\u0085b"}}]}\n\n', STOP), "a\u2028\u0085b"),
    ("content in pieces", body(sse(chunk({"content": [{"type": "text", "text": "Hi"}]})), STOP, DONE), "Hi"),
    (
        "whole answer",
        body('{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}', content_type="application/json"),
        "Hi",
    ),
    ("long whole answer", body(json.dumps(LONG_WHOLE, indent=1)), LONG),
    ("long whole answer in a line", body(json.dumps(LONG_WHOLE), content_type="application/json"), LONG),
    ("no content type", body(HELLO, STOP, DONE, content_type=None), "Hello"),
    (
        "bytes one by one",
        body(*[bytes([byte]) for byte in (sse(chunk({"content": "x"})).replace("x", "é😀") + STOP).encode()]),
        "é😀",
    ),
    ("last event without blank line", body(HELLO, STOP.rstrip("\n"), then="close", chunked=False), "Hello"),
]


@pytest.mark.parametrize(("script", "text"), [pytest.param(*row[1:], id=row[0]) for row in GOOD])
async def test_an_odd_but_whole_answer_is_complete(script: Script, text: str) -> None:
    async with FaultServer(script) as server:
        provider = provider_for(server)
        events, error = await collect(provider)
        assert error is None
        assert text_of(events) == text
        assert isinstance(events[-1], StreamFinished)
        await provider.close()
        await server.wait_until_closed()


async def test_a_long_answer_is_stopped_at_the_total_deadline() -> None:
    async with FaultServer(forever(HELLO, before=HELLO * 2)) as server:
        provider = provider_for(server, timeouts=StreamLimits(total_s=1.0))
        events, error = await collect(provider)
        assert error.kind is Kind.REQUEST_TIMEOUT
        assert text_of(events).startswith("HelloHello")
        await provider.close()


async def test_comments_before_an_answer_extend_the_wait_but_not_the_whole_time() -> None:
    patience = replace(LIMITS, first_byte_s=0.35)
    async with FaultServer(queued(6, pause_s=0.1), forever(": queued\n\n")) as server:
        provider = provider_for(server, timeouts=patience)
        events, error = await collect(provider)
        assert (text_of(events), error) == ("Hello", None)
        impatient = provider_for(server, timeouts=replace(patience, total_s=0.8))
        _, error = await collect(impatient)
        assert error is not None and error.kind is Kind.REQUEST_TIMEOUT
        await provider.close()
        await impatient.close()


async def test_a_redirect_does_not_carry_the_question_elsewhere() -> None:
    elsewhere = FaultServer(answer())
    async with elsewhere as other, FaultServer(_redirect_to(elsewhere)) as server:
        provider = provider_for(server)
        _, error = await collect(provider)
        assert error.kind is Kind.REDIRECT
        assert other.total_connections == 0
        await provider.close()


def _redirect_to(target: FaultServer) -> Script:
    async def script(exchange: Exchange) -> None:
        await status(307, headers=[("Location", f"{target.base_url}/chat/completions")])(exchange)

    return script


async def test_a_redirect_on_the_same_server_is_followed() -> None:
    async with FaultServer(status(308, headers=[("Location", "/v2/chat")]), answer("Hi")) as server:
        provider = provider_for(server)
        events, error = await collect(provider)
        assert (text_of(events), error) == ("Hi", None)
        assert server.requests[1].path == "/v2/chat"
        await provider.close()


@pytest.mark.parametrize("delay", ["0.05", "0"])
async def test_too_many_requests_is_waited_for_and_said(delay: str) -> None:
    async with FaultServer(status(429, headers=[("Retry-After", delay)]), answer("Hi")) as server:
        provider = provider_for(server)
        events, error = await collect(provider)
        assert error is None
        waited = next(event for event in events if not isinstance(event, LibraryLoaded))
        assert isinstance(waited, RetryScheduled)
        assert (waited.attempt, waited.delay_s) == (1, float(delay))
        assert waited.reason == "Testhost is receiving too many requests."
        assert text_of(events) == "Hi"
        assert server.requests[0].headers["idempotency-key"] == server.requests[1].headers["idempotency-key"]
        await provider.close()


async def test_a_long_wait_is_told_instead_of_waited() -> None:
    async with FaultServer(status(429, headers=[("Retry-After", "3600")])) as server:
        provider = provider_for(server)
        _, error = await collect(provider)
        assert error.next_step == "Try again in 1 hour."
        assert error.retry_after_s == 3600
        await provider.close()


async def test_vendor_words_are_short_and_plain() -> None:
    words = "<p>Bad \x1b[31m\u202e gateway</p>" + " x" * 1000 + KEY
    async with FaultServer(status(500, words, content_type="text/html", headers=[("x-request-id", "r1")])) as server:
        provider = provider_for(server, retry=RetryPolicy(longest_wait_s=0, max_attempts=1))
        _, error = await collect(provider)
        assert "<p>" not in error.what
        assert "\x1b" not in error.what
        assert "\u202e" not in error.what
        assert "Bad [31m gateway" in error.what
        assert len(error.what) < 400
        assert error.details == {"status": 500, "request_id": "r1"}
        await provider.close()


async def test_reasoning_is_apart_from_text() -> None:
    thoughts = [{"reasoning_content": "hm "}, {"reasoning": "so"}, {"content": [{"type": "thinking", "thinking": "!"}]}]
    async with FaultServer(body(*[sse(chunk(delta)) for delta in thoughts], HELLO, STOP, DONE)) as server:
        provider = provider_for(server)
        events, error = await collect(provider)
        assert error is None
        assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "hm so!"
        assert text_of(events) == "Hello"
        await provider.close()
