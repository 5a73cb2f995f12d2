"""Connects to servers that are reached over HTTP, and bounds what they answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, cast

import httpx2
from mcp.client.streamable_http import streamable_http_client

from chatdesk.core.tools.host.message_bounds import TooManyValues, within_bounds
from chatdesk.core.tools.host.redirect_receiver import RedirectReceiver
from chatdesk.core.tools.host.sign_in import MARK, SignIn
from chatdesk.core.tools.host.stdio import LONGEST_LINE_BYTES

CONNECT_S: Final = 30.0
_SIGN_IN_BYTES: Final = 256 * 1024

# What the process tells ChatDesk: a kind and its values.
Report = Callable[..., None]


@asynccontextmanager
async def over_http(
    server_id: str, spec: Mapping[str, Any], report: Report
) -> AsyncGenerator[tuple[Any, Any, asyncio.Future[str]], None]:
    """Yield the streams of a session over streamable HTTP. The SDK follows redirects within their origin only."""
    broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def notify(problem: str) -> None:
        if not broken.done():
            broken.set_result(problem)

    try:
        async with _signed_in(server_id, spec, report, notify) as auth:
            client = httpx2.AsyncClient(
                # What is packed has no bound until it is unpacked.
                headers={**spec["headers"], "Accept-Encoding": "identity"},
                auth=auth,
                transport=_CappedTransport(httpx2.AsyncHTTPTransport()),
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


class _CappedTransport(httpx2.AsyncBaseTransport):
    """Bounds answers that are not streams of events, those about signing in more than others, and refuses what is
    packed. The SDK bounds events by itself."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.ReadError("packed, which was not asked for")
        is_sign_in = MARK in request.extensions
        if is_sign_in or not response.headers.get("content-type", "").startswith("text/event-stream"):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            room = _SIGN_IN_BYTES if is_sign_in else LONGEST_LINE_BYTES
            response.stream = _CappedStream(response.stream, room)
        return response

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
            raise httpx2.ReadError(str(error)) from None

    async def aclose(self) -> None:
        await self._inner.aclose()
