"""Every way in which a server misbehaves, with what has to come of it: tests play them, docs/failures.md lists them."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.stream_guard import StreamLimits
from tests.helpers.fault_server import USAGE, Exchange, Script, answer, chunk, status
from tests.helpers.fault_world import LIMITS, SHORT_LIMITS

HALF = "Half of it"
FLOOD = 50_000
_TOO_LATE = (Kind.CONNECT_TIMEOUT, Kind.FIRST_BYTE_TIMEOUT, Kind.SILENCE)


@dataclass(frozen=True)
class Case:
    """``does`` completes "The server …". ``kind`` None: the answer is complete all the same. ``text``: what of it is
    kept. ``how``: what is in the way besides scripts: away, unreachable, or the name of a bad certificate.
    ``asks``: the waiting time that the server asks for, in words. ``has_to_wait``: so does the next message.
    """

    group: str
    does: str
    scripts: Sequence[Script] = ()
    kind: Kind | None = None
    text: str = ""
    attempts: int = 1
    how: str = ""
    asks: str = ""
    has_to_wait: bool = False

    @property
    def limits(self) -> StreamLimits:
        return SHORT_LIMITS if self.kind in _TOO_LATE else LIMITS

    @property
    def name(self) -> str:
        return f"{self.group}: {self.does}"


def sse(payload: object) -> str:
    return f"data: {json.dumps(payload)}\n\n"


GOOD_HEAD = sse(chunk({"role": "assistant", "content": ""}))
SOME = sse(chunk({"content": HALF}))
STOP = sse(chunk({}, "stop"))
DONE = "data: [DONE]\n\n"
WHOLE = GOOD_HEAD + SOME + STOP + DONE


def body(*pieces: bytes | str, then: str = "end", **start: object) -> Script:
    """A 200 with these bytes, then: end, close, reset or hang."""

    async def script(exchange: Exchange) -> None:
        await exchange.start(**start)  # type: ignore[arg-type]
        for piece in pieces:
            await exchange.send(piece)
        ending = getattr(exchange, then)()
        if ending is not None:
            await ending

    return script


def tool_calls(*fragments: dict[str, object]) -> Script:
    events = [sse(chunk({"tool_calls": [fragment]})) for fragment in fragments]
    return body(GOOD_HEAD, *events, sse(chunk({}, "tool_calls")), DONE)


def failing(code: int, text: str = "", **headers: str) -> Script:
    """An error as vendors send it, with words of theirs."""
    payload = {"error": {"message": text}} if text else {}
    return status(code, payload, headers=[(name.replace("_", "-"), value) for name, value in headers.items()])


def in_seconds(seconds: int) -> str:
    """An HTTP date."""
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


def too_many_until_a_date() -> Script:
    async def script(exchange: Exchange) -> None:
        await failing(429, Retry_After=in_seconds(1))(exchange)

    return script


async def hang(exchange: Exchange) -> None:
    await exchange.hang()


async def reset_at_once(exchange: Exchange) -> None:
    exchange.reset()


def queued(count: int, *, pause_s: float) -> Script:
    """Comments with pauses between them, then a good answer."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        for _ in range(count):
            await exchange.send(": queued\n\n")
            await asyncio.sleep(pause_s)
        await exchange.delta(content="Hello")
        await exchange.finish()

    return script


async def comments_for_ever(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.send(SOME)
    while True:
        await exchange.send(": still here\n\n")
        await asyncio.sleep(0.02)


async def tiny_events(exchange: Exchange) -> None:
    await exchange.start()
    event = sse(chunk({"content": "x"})).encode()
    for _ in range(FLOOD // 1000):
        await exchange.send(event * 1000)
    await exchange.finish()


async def packed_nothing(exchange: Exchange) -> None:
    await body(gzip.compress(b"\0" * 100_000_000), headers=(("Content-Encoding", "gzip"),))(exchange)


async def large_event(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.send(SOME)
    await exchange.send(sse(chunk({"content": "y" * 10_000_000})))
    await exchange.finish()


async def old_protocol(exchange: Exchange) -> None:
    await exchange.start(version="1.0")
    await exchange.send(WHOLE)
    exchange.close()


async def old_protocol_cut(exchange: Exchange) -> None:
    await exchange.start(version="1.0")
    await exchange.send(SOME)
    exchange.close()


async def status_and_nothing_more(exchange: Exchange) -> None:
    await exchange.start(500, content_type="application/json", length=100)
    await exchange.hang()


def _pointing(code: int, *location: str) -> Script:
    return status(code, headers=[("Location", each) for each in location])


def _usage(usage: object) -> Script:
    return body(GOOD_HEAD, SOME, STOP, sse({"choices": [], "usage": usage}), DONE)


_PAGE = "<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_WEATHER = {"index": 0, "id": "call-0", "function": {"name": "weather", "arguments": '{"city": '}}
_CLOCK = {"index": 1, "id": "call-1", "function": {"name": "clock", "arguments": "{"}}
_UTF8 = (GOOD_HEAD + sse(chunk({"content": "x"})).replace('"x"', '"é😀 – ok"') + STOP + DONE).encode()
_SPLIT = _UTF8.index("😀".encode()) + 2
_TRUST = Kind.TLS

_CONNECTING = [
    Case("Connecting", "refuses the connection", kind=Kind.REFUSED, attempts=3, how="away"),
    Case("Connecting", "takes no connection at all", kind=Kind.CONNECT_TIMEOUT, attempts=3, how="unreachable"),
    Case("Connecting", "has a self-signed certificate", kind=_TRUST, how="self-signed"),
    Case("Connecting", "has a certificate of an authority that is not trusted", kind=_TRUST, how="untrusted"),
    Case("Connecting", "has a certificate for another address", kind=_TRUST, how="wrong address"),
    Case("Connecting", "has a certificate that has expired", kind=_TRUST, how="expired"),
    Case("Connecting", "closes the connection instead of answering", [reset_at_once], Kind.RESET, attempts=3),
    Case("Connecting", "sends no headers", [hang], Kind.FIRST_BYTE_TIMEOUT),
    Case("Connecting", "sends headers and nothing after them", [body(then="hang")], Kind.FIRST_BYTE_TIMEOUT),
    Case(
        "Connecting",
        "redirects to another address",
        [status(307, headers=[("Location", "https://127.0.0.2:1/v1/chat/completions")])],
        Kind.REDIRECT,
    ),
    Case("Connecting", "redirects without saying where to", [_pointing(307)], Kind.REDIRECT),
    Case("Connecting", "redirects to a file", [_pointing(307, "file:///etc/passwd")], Kind.REDIRECT),
    Case(
        "Connecting",
        "redirects to something that is not an address",
        [_pointing(308, "http://[nowhere/v1")],
        Kind.REDIRECT,
    ),
    Case("Connecting", "redirects to a page of its own", [_pointing(302, "/login")], Kind.REDIRECT),
    Case(
        "Connecting",
        "redirects to itself for ever",
        [status(308, headers=[("Location", "/v1/chat/completions")])],
        Kind.REDIRECT,
        attempts=4,
    ),
]
_STREAM = [
    Case("In the middle", "stops sending", [body(SOME, then="hang")], Kind.SILENCE, HALF),
    Case("In the middle", "sends comments for ever and nothing else", [comments_for_ever], Kind.SILENCE, HALF),
    Case("In the middle", "resets the connection", [body(SOME, then="reset")], Kind.RESET, HALF),
    Case("In the middle", "closes the connection", [body(SOME, then="close")], Kind.RESET, HALF),
    Case("In the middle", "ends without a finish reason and without [DONE]", [body(SOME)], Kind.INCOMPLETE, HALF),
    Case(
        "In the middle",
        "sends an error event",
        [body(SOME, 'event: error\ndata: {"message": "The machine is on fire."}\n\n')],
        Kind.SERVER,
        HALF,
    ),
    Case(
        "In the middle",
        "sends an error object as data",
        [body(SOME, sse({"error": {"message": "Out of memory", "code": 500}}))],
        Kind.SERVER,
        HALF,
    ),
    Case("In the middle", "sends invalid JSON", [body(SOME, "data: {nope}\n\n")], Kind.MALFORMED, HALF),
    Case(
        "In the middle",
        "sends bytes that are no UTF-8",
        [body(SOME, b'data: {"a": "\xff\xfe"}\n\n')],
        Kind.MALFORMED,
        HALF,
    ),
    Case("In the middle", "sends an event of 10 MB", [large_event], Kind.TOO_LARGE, HALF),
    Case(
        "In the middle",
        "stops for its content filter",
        [body(SOME, sse(chunk({}, "content_filter")), DONE)],
        Kind.CONTENT_FILTER,
        HALF,
    ),
]
_ODD = [
    Case("Odd but whole", "cuts a UTF-8 character in two", [body(_UTF8[:_SPLIT], _UTF8[_SPLIT:])], text="é😀 – ok"),
    Case(
        "Odd but whole",
        "sends one byte at a time",
        [body(*[_UTF8[at : at + 1] for at in range(len(_UTF8))])],
        text="é😀 – ok",
    ),
    Case(
        "Odd but whole",
        "sends 50,000 tiny events as fast as they are taken",
        [tiny_events],
        text="x" * FLOOD,
    ),
    Case("Odd but whole", "leaves [DONE] out", [body(GOOD_HEAD, SOME, STOP)], text=HALF),
    Case(
        "Odd but whole",
        "sends an error after the finish reason",
        [body(SOME, STOP, sse({"error": {"message": "Out of memory", "code": 500}}), DONE)],
        text=HALF,
    ),
    Case("Odd but whole", "sends invalid JSON after the finish reason", [body(SOME, STOP, "data: {no\n\n")], text=HALF),
    Case("Odd but whole", "sends nothing more after the finish reason", [body(SOME, STOP, then="hang")], text=HALF),
    Case(
        "Odd but whole",
        "leaves out `choices`, or sends null fields",
        [body(sse({"id": "c-1"}), sse({"choices": None}), sse(chunk(None)), sse(chunk({"content": None})), WHOLE)],
        text=HALF,
    ),
    Case(
        "Odd but whole",
        "sends two answers side by side",
        [body(SOME, sse({"choices": [{"index": 1, "delta": {"content": "Another"}}]}), STOP, DONE)],
        text=HALF,
    ),
    Case(
        "Odd but whole",
        "gives each piece an id and a finish reason of its own",
        [body(*(sse({**chunk({"content": each}, "stop"), "id": each}) for each in HALF), DONE)],
        text=HALF,
    ),
    Case(
        "Odd but whole",
        "packs the answer with gzip without being asked",
        [body(gzip.compress(WHOLE.encode()), headers=(("Content-Encoding", "gzip"),))],
        text=HALF,
    ),
    Case("Odd but whole", "speaks HTTP/1.0", [old_protocol], text=HALF),
    Case(
        "Odd but whole",
        "calls the stream plain text",
        [body(WHOLE, content_type="text/plain; charset=utf-8")],
        text=HALF,
    ),
    Case(
        "Odd but whole",
        "sends the whole answer at once, as JSON",
        [
            body(
                json.dumps({"choices": [{"message": {"content": HALF}, "finish_reason": "stop"}]}),
                content_type="application/json",
            )
        ],
        text=HALF,
    ),
    Case("Odd but whole", "says nothing of usage", [answer(HALF, usage=False)], text=HALF),
    Case(
        "Odd but whole",
        "says absurd things of usage",
        [_usage({"prompt_tokens": -5, "completion_tokens": 10**30, "total_tokens": "many"})],
        text=HALF,
    ),
]
_WRONG = [
    Case(
        "Something else",
        "sends a web page with status 200",
        [body("<html>Log in</html>", content_type="text/html")],
        Kind.NOT_A_STREAM,
    ),
    Case("Something else", "sends a web page and calls it a stream", [body(_PAGE + "\n")], Kind.NOT_A_STREAM),
    Case(
        "Something else",
        "sends a picture",
        [body(b"\x89PNG\r\n\x1a\n", content_type="image/png")],
        Kind.NOT_A_STREAM,
    ),
    Case(
        "Something else",
        "calls tools it was not offered, in fragments out of order",
        [
            tool_calls(
                _CLOCK,
                _WEATHER,
                {"index": 1, "function": {"arguments": "}"}},
                {"index": 0, "function": {"arguments": '"Oslo"}'}},
            )
        ],
        Kind.EMPTY_ANSWER,
    ),
    Case(
        "Something else",
        "calls a tool it was not offered, with arguments that are no JSON",
        [tool_calls(_WEATHER, {"index": 0, "function": {"arguments": "Oslo"}})],
        Kind.EMPTY_ANSWER,
    ),
    Case("Something else", "sends nothing at all with status 200", [body()], Kind.EMPTY_ANSWER),
    Case(
        "Something else",
        "sends its usage and no answer",
        [body(sse({"choices": [], "usage": USAGE}), DONE)],
        Kind.EMPTY_ANSWER,
    ),
    Case("Something else", "ends at once with [DONE]", [body(DONE)], Kind.EMPTY_ANSWER),
    Case("Something else", "sends a finish reason and no text", [body(STOP, DONE)], Kind.EMPTY_ANSWER),
    Case(
        "Something else",
        "packs the answer in a way that is not known",
        [body(WHOLE, headers=(("Content-Encoding", "br"),))],
        Kind.MALFORMED,
    ),
    Case(
        "Something else",
        "packs 100 MB of nothing with gzip",
        [packed_nothing],
        Kind.TOO_LARGE,
    ),
    Case("Something else", "speaks HTTP/1.0 and stops in the middle", [old_protocol_cut], Kind.INCOMPLETE, HALF),
]
_STATUSES = [
    Case("Statuses", "says 400", [failing(400, "messages: field required")], Kind.BAD_REQUEST),
    Case("Statuses", "says 401", [failing(401, "Incorrect API key provided")], Kind.UNAUTHORISED),
    Case("Statuses", "says 402", [failing(402, "Insufficient credits")], Kind.PAYMENT),
    Case("Statuses", "says 403", [failing(403, "Not in your country")], Kind.FORBIDDEN),
    Case("Statuses", "says 404", [failing(404, "The model m does not exist")], Kind.MODEL_NOT_FOUND),
    Case("Statuses", "says 408", [failing(408)], Kind.REQUEST_TIMEOUT, attempts=3),
    Case("Statuses", "says 409", [failing(409, "Locked")], Kind.CONFLICT, attempts=3),
    Case("Statuses", "says 413", [failing(413, "Payload too large")], Kind.CONTEXT_TOO_LONG),
    Case("Statuses", "says 422", [failing(422, "temperature: must be at most 2")], Kind.BAD_REQUEST),
    Case("Statuses", "says 429", [failing(429, "Slow down")], Kind.RATE_LIMITED, attempts=3),
    Case(
        "Statuses",
        "says 429 once, with a Retry-After in seconds",
        [failing(429, Retry_After="1"), answer(HALF)],
        text=HALF,
        attempts=2,
        asks="1 second",
    ),
    Case(
        "Statuses",
        "says 429 once, with a Retry-After as a date",
        [too_many_until_a_date(), answer(HALF)],
        text=HALF,
        attempts=2,
        asks="until that date",
    ),
    Case(
        "Statuses",
        "says 429 with a Retry-After of an hour",
        [failing(429, Retry_After="3600")],
        Kind.RATE_LIMITED,
        has_to_wait=True,
    ),
    Case("Statuses", "says 500", [failing(500)], Kind.SERVER, attempts=3),
    Case("Statuses", "says 500 and then nothing more", [status_and_nothing_more], Kind.SERVER, attempts=3),
    Case(
        "Statuses",
        "says 502 with a web page",
        [status(502, _PAGE, content_type="text/html")],
        Kind.SERVER,
        attempts=3,
    ),
    Case("Statuses", "says 503", [failing(503)], Kind.SERVER, attempts=3),
    Case(
        "Statuses",
        "says 503 once, with a Retry-After in seconds",
        [failing(503, Retry_After="1"), answer(HALF)],
        text=HALF,
        attempts=2,
        asks="1 second",
    ),
    Case("Statuses", "says 529", [failing(529, "Overloaded")], Kind.SERVER, attempts=3),
]
CASES: tuple[Case, ...] = (*_CONNECTING, *_STREAM, *_ODD, *_WRONG, *_STATUSES)
