"""Builds the SDK's client with our guards in it. Importing this module costs over a second: only a worker thread may.

The SDK follows redirects with the request body, unpacks any amount of data and retries by itself; all three are turned
off here. The guards sit in a response hook, not in a transport, so that proxies from the environment go on working.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import anyio
import httpx2
from openai import AsyncOpenAI, Omit

from chatdesk import __version__
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.failures import RefusedRedirectError
from chatdesk.core.providers.stream_guard import ByteCapError, StreamLimits
from chatdesk.core.providers.unpacking import unpack

_MAX_REDIRECTS = 3
_NO_KEY = "none"


class _CappedStream(httpx2.AsyncByteStream):
    """Gives at most ``limit`` bytes of another stream; then it ends (errors) or fails (answers)."""

    def __init__(self, inner: Any, limit: int, *, is_error: bool) -> None:
        self._inner = inner
        self._limit = limit
        self._is_error = is_error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self._inner:
            seen += len(chunk)
            if seen > self._limit:
                if self._is_error:
                    yield chunk[: len(chunk) - (seen - self._limit)]
                    return
                raise ByteCapError("answer")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def guarded_http_client(endpoint: Endpoint, limits: StreamLimits) -> httpx2.AsyncClient:
    """What any SDK sends through: bounded, unpacking nothing, leaving no origin, by the way that the endpoint says."""

    async def guard(response: httpx2.Response) -> None:
        if response.has_redirect_location and not _stays(response):
            raise RefusedRedirectError
        is_error = response.status_code >= 300
        unpack(response, is_error=is_error)
        limit = limits.error_bytes if is_error else limits.answer_bytes
        response.stream = _CappedStream(response.stream, limit, is_error=is_error)

    async def leave_out_key(request: httpx2.Request) -> None:
        # The SDK insists on a key; servers that need none should not see a made-up one.
        if endpoint.api_key is None and request.headers.get("authorization") == f"Bearer {_NO_KEY}":
            del request.headers["authorization"]

    return httpx2.AsyncClient(
        event_hooks={"request": [leave_out_key], "response": [guard]},
        follow_redirects=True,
        max_redirects=_MAX_REDIRECTS,
        timeout=httpx2.Timeout(None, connect=limits.connect_s, pool=limits.connect_s),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=30.0),
        trust_env=endpoint.uses_system_proxy,
        proxy=endpoint.own_proxy,
        verify=_trust(endpoint.way.ca_file),
    )


def build_client(endpoint: Endpoint, limits: StreamLimits) -> AsyncOpenAI:
    """A client without retries and without read deadlines of its own: the provider keeps better ones."""
    http_client = guarded_http_client(endpoint, limits)
    headers: dict[str, Any] = {"User-Agent": f"ChatDesk/{__version__}", "Accept-Encoding": "identity"}
    if not endpoint.is_openai:
        # The SDK takes these from the environment; they are nobody else's business.
        headers |= {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
    own = {"OpenAI-Organization": endpoint.way.organisation, "OpenAI-Project": endpoint.way.project}
    headers |= {name: value for name, value in own.items() if value}
    headers |= dict(endpoint.headers)
    client = AsyncOpenAI(
        api_key=endpoint.api_key or _NO_KEY,
        admin_api_key="",
        webhook_secret="",
        base_url=endpoint.base_url,
        default_headers=headers,
        max_retries=0,
        timeout=http_client.timeout,
        http_client=http_client,
    )
    _warm_up()
    return client


def _trust(ca_file: str) -> ssl.SSLContext | bool:
    """The system's certificates, and those of the person's own file besides."""
    if not ca_file:
        return True
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=ca_file)
    return context


def _warm_up() -> None:
    """Send one request to nowhere, here in the worker thread: the SDK and its libraries load and compile the rest of
    themselves at the first request, which would hold up the window for over 100 ms.
    """

    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: [DONE]\n\n")

    async def ask() -> None:
        http_client = httpx2.AsyncClient(transport=httpx2.MockTransport(reply))
        # Loads the network backend; the port is closed, and nothing is sent.
        with suppress(OSError):
            await anyio.connect_tcp("127.0.0.1", 0)
        async with AsyncOpenAI(api_key=_NO_KEY, base_url="http://localhost", http_client=http_client) as client:
            create = client.chat.completions.with_streaming_response.create
            messages: Any = [{"role": "user", "content": "-"}]
            async with create(model="-", messages=messages, stream=True, stream_options={"include_usage": True}) as got:
                await got.http_response.aread()
            _ = client.models.with_streaming_response

    asyncio.run(ask())


def _stays(response: httpx2.Response) -> bool:
    """Whether a redirect keeps the method and the origin, so that nothing is told to anyone new."""
    if response.status_code not in {307, 308}:
        return False
    try:
        target = response.request.url.join(response.headers["location"])
    except httpx2.InvalidURL:
        return False
    origin = response.request.url
    return (target.scheme, target.host, target.port) == (origin.scheme, origin.host, origin.port)
