"""Connects to servers that are reached over HTTP, and bounds what they answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, cast

import httpx2
import mcp_types as types
from mcp.client.streamable_http import streamable_http_client
from pydantic_core import from_json

from chatdesk.core.settings.system_proxy import refusal_text, system_proxy, unusable_text
from chatdesk.core.texts import Sentences, Text
from chatdesk.core.tools.host.message_bounds import TooManyValues, within_bounds
from chatdesk.core.tools.host.redirect_receiver import RedirectReceiver
from chatdesk.core.tools.host.session_streams import Observer
from chatdesk.core.tools.host.sign_in import MARK, SignIn
from chatdesk.core.tools.host.stdio import LONGEST_LINE_BYTES
from chatdesk.core.tools.host.unasked import Unasked

CONNECT_S: Final = 30.0
SESSION_ID: Final = "mcp-session-id"
# The code of a local error for a request that the server refused because its session had ended.
LOST_SESSION: Final = -1
_SESSION_NOT_FOUND: Final = -32001
_LOST: Final = Text("It no longer knows the session.")
_DATA: Final = b"data:"
_OPENED_LINES: Final = 150
_SIGN_IN_BYTES: Final = 256 * 1024

# Reports to ChatDesk: a kind and its values.
Report = Callable[..., None]


class HttpFaults(Observer):
    """Keeps the faults of answers over HTTP by their requests, and writes them into the errors that the SDK makes."""

    def __init__(self) -> None:
        self._faults: dict[Any, types.ErrorData] = {}

    def received(self, message: types.JSONRPCMessage) -> bool:
        """Write the fault of a request into the error that answers it."""
        if isinstance(message, types.JSONRPCError):
            message.error = self._faults.pop(message.id, message.error)
        return True

    async def look_at(self, request: httpx2.Request, response: httpx2.Response) -> None:
        """Remember the fault of an HTTP answer that the SDK would not report."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_message = kind in ("application/json", "text/event-stream")
        if request.method != "POST" or response.status_code in (202, 401) or response.has_redirect_location:
            return
        if response.status_code < 400 and is_message:
            return
        body = await response.aread() if kind == "application/json" else b""
        said = _json(body).get("error")
        said = said if isinstance(said, dict) else {}
        if SESSION_ID in request.headers and _means_lost(response.status_code, said):
            error = _own_error(LOST_SESSION, _LOST)
        elif said:
            return
        elif response.status_code >= 400:
            error = _own_error(types.INTERNAL_ERROR, _status_text(request, response.status_code))
        else:
            kinds = kind or Text("something")
            words = Text(
                "It answered with {kind}, not with a message of the protocol. Is its address right?", kind=kinds
            )
            error = _own_error(types.INTERNAL_ERROR, words)
        self._faults[_json(request.content).get("id")] = error


def _own_error(code: int, sentence: Text) -> types.ErrorData:
    """Return an error that ChatDesk itself words. A ``Text`` as its data is never a server's, which sends JSON."""
    return types.ErrorData(code=code, message=sentence, data=sentence)


def _means_lost(status: int, error: Mapping[str, Any]) -> bool:
    """Return whether a server does not know the session of a request any more. The standard has 404 for it; some
    answer 400."""
    is_said = error.get("code") == _SESSION_NOT_FOUND or "session" in str(error.get("message", "")).lower()
    return status == 404 or (status == 400 and is_said)


def _status_text(request: httpx2.Request, status: int) -> Text:
    is_old = request.url.path.rstrip("/").endswith("/sse") or status == 405
    answered = Text("It answered with status {status}.", status=str(status))
    if not is_old:
        return answered
    return Sentences.of(
        answered,
        Text("ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?"),
    )


def _json(data: bytes) -> dict[str, Any]:
    try:
        read = from_json(data)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


@asynccontextmanager
async def over_http(
    server_id: str, spec: Mapping[str, Any], report: Report, faults: HttpFaults, unasked: Unasked
) -> AsyncGenerator[tuple[Any, Any, asyncio.Future[str]], None]:
    """Yield the streams of a session over streamable HTTP. The SDK follows redirects within their origin only."""
    broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def notify(problem: str) -> None:
        if not broken.done():
            broken.set_result(problem)

    try:
        async with _signed_in(server_id, spec, report, notify) as auth:
            client = httpx2.AsyncClient(
                # A compressed body has no known size before it is unpacked.
                headers={**spec["headers"], "Accept-Encoding": "identity"},
                auth=auth,
                transport=_CappedTransport(ProxiedTransport(notify), faults, unasked),
                timeout=httpx2.Timeout(CONNECT_S, read=300.0),
                follow_redirects=False,
            )
            async with client, streamable_http_client(spec["address"], http_client=client) as (read, write):
                yield read, write, broken
    finally:
        broken.cancel()


@asynccontextmanager
async def _signed_in(
    server_id: str, spec: Mapping[str, Any], report: Report, notify: Callable[[str], None]
) -> AsyncGenerator[SignIn | None, None]:
    """Yield the authentication of a server's requests, and listen for the browser while a person is asked."""
    known = spec.get("sign_in")
    if known is None:
        yield None
        return

    def keep(kept: str) -> None:
        report("kept", server_id, kept)

    if not known.get("asks"):
        yield SignIn(spec["address"], known, keep=keep, notify=notify)
        return
    receiver = RedirectReceiver()
    async with receiver.listening():
        yield SignIn(
            spec["address"],
            known,
            keep=keep,
            notify=notify,
            browse=lambda page: report("browse", server_id, page),
            receive=receiver.receive,
            redirect=receiver.address,
        )


class ProxiedTransport(httpx2.AsyncBaseTransport):
    """Sends each request by the proxy that the system names for its address, or directly. ``notify`` is called with a
    sentence where a proxy lets nothing through."""

    def __init__(self, notify: Callable[[str], object]) -> None:
        self._notify = notify
        self._transports: dict[str | None, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        proxy = system_proxy(str(request.url))
        if proxy is not None and not proxy.is_usable:
            self._notify(unusable_text(proxy))
            raise httpx2.ProxyError("of another kind")
        address = None if proxy is None else proxy.address
        if address not in self._transports:
            self._transports[address] = httpx2.AsyncHTTPTransport(proxy=address, trust_env=False)
        try:
            return await self._transports[address].handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
            if proxy is not None and not isinstance(error.__cause__, ssl.SSLError):
                self._notify(refusal_text(proxy.shown, str(error) if isinstance(error, httpx2.ProxyError) else "")[0])
            raise

    async def aclose(self) -> None:
        for each in self._transports.values():
            await each.aclose()


class _CappedTransport(httpx2.AsyncBaseTransport):
    """Bounds the size of answers, more tightly for those about signing in, and refuses compressed ones. The SDK
    bounds each event itself, so many events may pass."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, faults: HttpFaults, unasked: Unasked) -> None:
        self._inner = inner
        self._faults = faults
        self._unasked = unasked

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.ReadError("packed, which was not asked for")
        is_sign_in = MARK in request.extensions
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        if not is_sign_in and response.headers.get("content-type", "").startswith("text/event-stream"):
            opened = _OPENED_LINES if request.method == "GET" else 0
            response.stream = _CountedEvents(response.stream, self._unasked, opened)
        else:
            room = _SIGN_IN_BYTES if is_sign_in else LONGEST_LINE_BYTES
            response.stream = _CappedStream(response.stream, room)
        if not is_sign_in:
            await self._faults.look_at(request, response)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _CountedEvents(httpx2.AsyncByteStream):
    """Passes a stream of events on, and counts the lines that are not data: comments, other fields and blank lines.
    ``opened``: what its beginning counts, because a server may end each stream at once and have it opened again."""

    def __init__(self, inner: httpx2.AsyncByteStream, unasked: Unasked, opened: int) -> None:
        self._inner = inner
        self._unasked = unasked
        self._opened = opened

    async def __aiter__(self) -> AsyncIterator[bytes]:
        begun, lines = b"", [b""] * self._opened
        async with aclosing(cast(AsyncGenerator[bytes, None], aiter(self._inner))) as pieces:
            async for piece in pieces:
                lines += (begun + piece).splitlines()
                begun = b"" if piece.endswith((b"\n", b"\r")) else lines.pop()[: len(_DATA) + 2]
                sizes = [len(line) + 1 for line in lines if not line.startswith(_DATA) or len(line) <= len(_DATA) + 1]
                if not self._unasked.streamed(len(sizes), sum(sizes)):
                    raise httpx2.ReadError("too much that nobody asked for")
                lines = []
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class _CappedStream(httpx2.AsyncByteStream):
    """Reads an answer as a whole, which the SDK does too: up to ``room`` bytes, within the bounds of a message."""

    def __init__(self, inner: httpx2.AsyncByteStream, room: int) -> None:
        self._inner = inner
        self._room = room

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = bytearray()
        async with aclosing(cast(AsyncGenerator[bytes, None], aiter(self._inner))) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > self._room:
                    raise httpx2.ReadError("larger than allowed")
        try:
            yield within_bounds(bytes(read))
        except TooManyValues as error:
            raise httpx2.ReadError(error.sentence) from None

    async def aclose(self) -> None:
        await self._inner.aclose()
