"""Builds the SDK's client over ChatDesk's HTTP client. Importing this takes over a second: do it in a worker thread
only. The SDK retries by itself; that is turned off here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import httpx2
from openai import AsyncOpenAI, Omit

from chatdesk import __version__
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.http_client import client_to_nowhere, guarded_http_client, warm_up
from chatdesk.core.providers.stream_guard import StreamLimits

_NO_KEY = "none"


def build_client(endpoint: Endpoint, limits: StreamLimits) -> AsyncOpenAI:
    """Return a client without retries and read deadlines: the provider has its own."""
    http_client = guarded_http_client(endpoint, limits)
    http_client.event_hooks = {**http_client.event_hooks, "request": [partial(_remove_placeholder_key, endpoint)]}
    headers: dict[str, Any] = {"User-Agent": f"ChatDesk/{__version__}", "Accept-Encoding": "identity"}
    if not endpoint.is_openai:
        # The SDK reads these from the environment; they must not reach a server.
        headers |= {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
    own = {"OpenAI-Organization": endpoint.connection.organisation, "OpenAI-Project": endpoint.connection.project}
    headers |= {name: value for name, value in own.items() if value}
    headers |= dict(endpoint.headers)
    client = AsyncOpenAI(
        api_key=endpoint.api_key or _NO_KEY,
        admin_api_key="",
        webhook_secret="",
        base_url=endpoint.base_url,
        default_query=dict(endpoint.query),
        default_headers=headers,
        max_retries=0,
        timeout=http_client.timeout,
        http_client=http_client,
    )
    _warm_up()
    return client


async def _remove_placeholder_key(endpoint: Endpoint, request: httpx2.Request) -> None:
    # The SDK insists on a key; servers that need none should not see a made-up one.
    if endpoint.api_key is None and request.headers.get("authorization") == f"Bearer {_NO_KEY}":
        del request.headers["authorization"]


async def ask_root(client: AsyncOpenAI, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None) -> bytes:
    """Return the answer of ``path`` at the root of the server, asked with ``body`` or without. Raises what the SDK
    does."""
    parts = urlsplit(endpoint.base_url)
    url = f"{parts.scheme}://{parts.netloc}{path}"
    if body is not None:
        return await post(client, url, body)
    response = await client.get(url, cast_to=httpx2.Response)
    return await response.aread()


async def post(client: AsyncOpenAI, url: str, body: Mapping[str, Any]) -> bytes:
    """Return the answer to a request without a stream. Raises the SDK's exceptions."""
    response = await client.post(url, cast_to=httpx2.Response, body=dict(body))
    return await response.aread()


@cache
def _warm_up() -> None:
    """Send one request to nowhere, here in the worker thread and once: the SDK loads and compiles the rest
    of itself at the first request, which would hold up the window for over 100 ms.
    """

    async def ask() -> None:
        async with AsyncOpenAI(api_key=_NO_KEY, base_url="http://localhost", http_client=client_to_nowhere()) as client:
            create = client.chat.completions.with_streaming_response.create
            messages: Any = [{"role": "user", "content": "-"}]
            async with create(model="-", messages=messages, stream=True, stream_options={"include_usage": True}) as got:
                await got.http_response.aread()
            _ = client.models.with_streaming_response

    warm_up()
    asyncio.run(ask())
