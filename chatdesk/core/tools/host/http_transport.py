"""Connects to servers over HTTP, and bounds their answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, Final, cast

import httpx2
import mcp_types as types
from mcp.client.streamable_http import streamable_http_client
from pydantic_core import from_json

from chatdesk.core.settings.system_proxy import refusal_text, system_proxy, unusable_text
from chatdesk.core.texts import Sentences, Text, size_text
from chatdesk.core.tools.host.message_bounds import TooManyValues, within_bounds
from chatdesk.core.tools.host.redirect_receiver import RedirectReceiver
from chatdesk.core.tools.host.session_streams import Observer
from chatdesk.core.tools.host.sign_in import MARK, SignIn
from chatdesk.core.tools.host.stdio import LONGEST_LINE_BYTES
from chatdesk.core.tools.host.unasked import Unasked
from chatdesk.core.tools.host.written_messages import answer_in, messages_in, written

CONNECT_S: Final = 30.0
SESSION_ID: Final = "mcp-session-id"
# The code of a local error for a request that the server refused because its session had ended.
LOST_SESSION: Final = -1
_SESSION_NOT_FOUND: Final = -32001
_LOST: Final = Text("It no longer knows the session.")
_LATE: Final = Text("It did not answer in time.")
_TOO_LARGE: Final = Text("It sent more than {most} in one message.", most=size_text(LONGEST_LINE_BYTES))
_ENDED: Final = Text("The connection ended before it answered.")
_MALFORMED: Final = Text("Its answer does not follow the protocol.")
_DATA: Final = b"data:"
_OPENED_LINES: Final = 150
_LONGEST_REASON_BYTES: Final = 4_000
_UNAUTHORIZED: Final = 401
_BAD_GATEWAY: Final = 502
# Headers of an answer that are about the form of its body.
_OF_THE_BODY: Final = ("content-type", "content-length", "transfer-encoding")
_SIGN_IN_BYTES: Final = 256 * 1024

# Reports to ChatDesk: a kind and its values.
Report = Callable[..., None]


class HttpFaults(Observer):
    """Keeps the faults of answers over HTTP by their requests, and writes them into the errors that the SDK makes.
    ``has_session``: the last request named one."""

    def __init__(self) -> None:
        self._faults: dict[Any, types.ErrorData] = {}
        self.has_session = False

    def received(self, message: types.JSONRPCMessage) -> bool:
        """Write the fault of a request into the error that answers it."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            fault = self._faults.pop(message.id, None)
            if isinstance(message, types.JSONRPCError):
                said = message.error
                is_lost = self.has_session and said.code == _SESSION_NOT_FOUND and "session" in said.message.lower()
                message.error = fault or (_own_error(LOST_SESSION, _LOST) if is_lost else said)
        return True

    def failed(self, request: httpx2.Request, sentence: Text = _ENDED) -> None:
        """Remember why a request has no answer."""
        self._faults[_id_of(request)] = _own_error(types.INTERNAL_ERROR, sentence)

    def mended(self, request: httpx2.Request, response: httpx2.Response, body: bytes) -> httpx2.Response:
        """Return the answer to a request as a message that the SDK reads, or remember its fault."""
        id_, status, kind = _id_of(request), response.status_code, _kind_of(response)
        if id_ is None or response.has_redirect_location:
            return response
        self._faults.pop(id_, None)  # of the same request before it was signed in
        answer = answer_in(body, id_)
        if self.has_session and _means_lost(status, body):
            self._faults[id_] = _own_error(LOST_SESSION, _LOST)
        elif answer is not None and status != _UNAUTHORIZED:
            own = {name: value for name, value in response.headers.items() if name not in _OF_THE_BODY}
            headers = {**own, "Content-Type": "application/json"}
            return httpx2.Response(status, headers=headers, content=written(answer), request=request)
        elif status >= 400:
            self.failed(request, _status_text(request, status))
            return response
        elif status == 202 or kind == "application/json":
            self.failed(request, _MALFORMED)
        else:
            words = Text(
                "It answered with {kind}, not with a message of the protocol. Is its address right?",
                kind=kind or Text("something"),
            )
            self.failed(request, words)
        return httpx2.Response(_BAD_GATEWAY, request=request)


def _id_of(request: httpx2.Request) -> Any:
    """Return the id of the message that a request carries; None for one that wants no answer."""
    message = _json(request.content)
    return message.get("id") if "method" in message else None


def _kind_of(response: httpx2.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _own_error(code: int, sentence: Text) -> types.ErrorData:
    """Return an error that ChatDesk itself words. A ``Text`` as its data is never a server's, which sends JSON."""
    return types.ErrorData(code=code, message=sentence, data=sentence)


def _means_lost(status: int, body: bytes) -> bool:
    """Return whether a server does not know the session of a request any more. The standard has 404 for it; some
    answer 400, with words."""
    return status in (404, 410) or (status == 400 and b"session" in body[:_LONGEST_REASON_BYTES].lower())


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
            async with (
                client,
                streamable_http_client(spec["address"], http_client=client, max_sse_event_size=None) as (read, write),
            ):
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
    """Bounds the size of answers, more tightly for those about signing in, and refuses compressed ones. A fault of one
    request is that of its answer: an exception would end the session."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, faults: HttpFaults, unasked: Unasked) -> None:
        self._inner = inner
        self._faults = faults
        self._unasked = unasked

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._answer(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError):
            raise  # nobody is there
        except httpx2.TransportError as error:
            if request.method != "POST" or MARK in request.extensions:
                raise
            self._faults.failed(request, _sentence_of(error))
            return httpx2.Response(_BAD_GATEWAY, request=request)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self._faults.has_session = SESSION_ID in request.headers
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.ReadError("packed, which was not asked for")
        is_sign_in, is_asked = MARK in request.extensions, request.method == "POST"
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        if not is_sign_in and response.status_code < 400 and _kind_of(response) == "text/event-stream":
            response.stream = _Events(
                response.stream, self._unasked, 0 if is_asked else _OPENED_LINES, partial(self._faults.failed, request)
            )
            return response
        response.stream = _CappedStream(response.stream, _SIGN_IN_BYTES if is_sign_in else LONGEST_LINE_BYTES)
        if is_sign_in or not is_asked:
            return response
        try:
            return self._faults.mended(request, response, await response.aread())
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        await self._inner.aclose()


def _sentence_of(error: Exception) -> Text:
    """Return why a request has no answer: in the words of this module, which are a ``Text``, or of the failure."""
    said = error.args[0] if error.args else ""
    if isinstance(said, Text):
        return said
    return _LATE if isinstance(error, httpx2.TimeoutException) else _ENDED


class _Events(httpx2.AsyncByteStream):
    """Passes the messages in a stream of events on, each within its bounds, and leaves out what is none, as between the
    messages of a program. Lines that are not data are counted: comments, other fields and blank lines. ``opened``: what
    its beginning counts, because a server may end each stream at once and have it opened again. ``failed`` is called
    where the stream ends before it is left."""

    def __init__(
        self, inner: httpx2.AsyncByteStream, unasked: Unasked, opened: int, failed: Callable[[Text], None]
    ) -> None:
        self._inner = inner
        self._unasked = unasked
        self._opened = opened
        self._failed = failed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        begun, size, data, others = bytearray(), 0, list[bytes](), [b""] * self._opened
        try:
            async with aclosing(cast(AsyncGenerator[bytes, None], aiter(self._inner))) as pieces:
                async for piece in pieces:
                    begun += piece
                    size += len(piece)
                    if size > LONGEST_LINE_BYTES:
                        raise httpx2.ReadError(_TOO_LARGE)
                    if b"\n" not in piece and b"\r" not in piece:
                        continue
                    lines = bytes(begun).splitlines(keepends=True)
                    begun = bytearray(b"" if lines[-1].endswith(b"\n") else lines.pop())
                    passed: list[bytes] = []
                    for line in (each.rstrip(b"\r\n") for each in lines):
                        if line.startswith(_DATA) and len(line) > len(_DATA):
                            data.append(line.removeprefix(_DATA))
                            continue
                        if not line:
                            passed += self._messages(data, others)
                            data, size = [], len(begun)
                        others.append(line)
                        passed.append(line)
                    if not self._unasked.streamed(len(others), sum(len(line) + 1 for line in others)):
                        raise httpx2.ReadError("too much that nobody asked for")
                    others = []
                    yield b"".join(line + b"\n" for line in passed)
        except httpx2.TransportError as error:
            self._failed(_sentence_of(error))
            raise
        self._failed(_ENDED)

    def _messages(self, data: list[bytes], others: list[bytes]) -> Iterator[bytes]:
        """Yield the lines of the messages in an event; one without any is counted among ``others``."""
        joined = b"\n".join(data)
        try:
            for place, each in enumerate(messages_in(joined) if data else ()):
                if place:
                    yield b""
                yield _DATA + written(each)
        except TooManyValues as error:
            raise httpx2.ReadError(error.sentence) from None
        except ValueError:
            others.append(joined)

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
                    raise httpx2.ReadError(_TOO_LARGE)
        try:
            yield within_bounds(bytes(read))
        except TooManyValues as error:
            raise httpx2.ReadError(error.sentence) from None

    async def aclose(self) -> None:
        await self._inner.aclose()
