"""Sends requests of Anthropic's protocol over ChatDesk's HTTP client. Import this in a worker thread only, as that
client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from chatdesk import __version__
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.failures import RefusedRequestError
from chatdesk.core.providers.http_client import guarded_http_client, warm_up
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.providers.wire import wire_bytes

_VERSION = "2026-10-21"
_MODELS_PAGE = 1000


class AnthropicClient:
    """Sends requests to one server, without retries and read deadlines: the provider has its own. An answer other than
    success raises ``RefusedRequestError``."""

    def __init__(self, endpoint: Endpoint, limits: StreamLimits) -> None:
        self._http = guarded_http_client(endpoint, limits)
        self._http.headers = _headers(endpoint)
        self._query = dict(endpoint.query)
        self._root = "{0.scheme}://{0.netloc}".format(urlsplit(endpoint.base_url))
        self._base = endpoint.base_url.removesuffix("/v1") + "/v1"
        warm_up()

    async def send(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> httpx2.Response:
        """Send a request for an answer; return the response as soon as its headers are there. Close it when it is
        read."""
        return await self._send("POST", f"{self._base}/messages", body, headers)

    async def list_models(self) -> bytes:
        """Return the list of models."""
        return await _read(await self._send("GET", f"{self._base}/models?limit={_MODELS_PAGE}"))

    async def ask_root(self, path: str, body: Mapping[str, Any] | None) -> bytes:
        """Return the answer of ``path`` at the root of the server, asked with ``body`` or without."""
        return await _read(await self._send("GET" if body is None else "POST", self._root + path, body))

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        content = None if body is None else await asyncio.to_thread(wire_bytes, body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        request = self._http.build_request(
            method, httpx2.URL(url).copy_merge_params(self._query), content=content, headers={**kind, **(headers or {})}
        )
        response = await self._http.send(request, stream=True)
        if response.is_success:
            return response
        await _read(response)
        raise RefusedRequestError(response)


async def _read(response: httpx2.Response) -> bytes:
    """Return the whole body of ``response``, and close it."""
    try:
        return await response.aread()
    finally:
        await response.aclose()


def _headers(endpoint: Endpoint) -> dict[str, str]:
    headers = {
        "User-Agent": f"ChatDesk/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "anthropic-version": _VERSION,
    }
    if endpoint.api_key is not None:
        headers["Authorization"] = f"Bearer {endpoint.api_key}"
    own = {name.lower() for name in endpoint.headers}
    return {name: value for name, value in headers.items() if name.lower() not in own} | dict(endpoint.headers)
