"""Implements the provider for Anthropic and other servers of its Messages protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from chatdesk import __version__
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.anthropic.requests import is_sendable, messages_body
from chatdesk.core.providers.base import ChatRequest, EmbeddingRequest, Embeddings
from chatdesk.core.providers.embeddings import NO_EMBEDDINGS
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.extra_fields import for_anthropic
from chatdesk.core.providers.failures import RefusedRequestError
from chatdesk.core.providers.http_client import guarded_http_client, warm_up
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.providers.wire import said, wire_bytes


class AnthropicProvider(OpenAICompatibleProvider):
    """A provider that speaks Anthropic's Messages protocol."""

    protocol = "anthropic"
    optional_fields = frozenset({"temperature", "top_p", "thinking", "output_config", "stop_sequences"})

    def lacks(self, request: ChatRequest) -> list[str]:
        images = [url for message in request.messages for url in message.images]
        return [*for_anthropic(request.extra_fields)[1], *([] if all(map(is_sendable, images)) else ["image_url"])]

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        raise self._failures.make(Kind.BAD_REQUEST, what=NO_EMBEDDINGS)

    def _takes_marks(self, _model: str) -> bool:
        return True

    def _make_client(self) -> AnthropicClient:
        return AnthropicClient(self._endpoint, self._limits)

    async def _list(self, client: AnthropicClient) -> bytes:
        return await client.list_models()

    async def _ask_root(self, client: AnthropicClient, path: str, body: Mapping[str, Any] | None) -> bytes:
        return await client.ask_root(path, body)

    async def _send(
        self, client: AnthropicClient, model: str, body: dict[str, Any], headers: dict[str, str]
    ) -> httpx2.Response:
        return await client.send(body, headers)

    def _body(self, request: ChatRequest, model: str) -> dict[str, Any]:
        messages = said(request, model, self.dialect)
        is_cached = self._marks_cache(request, model)
        body = messages_body(request, messages, model, self._kept_origin(), self.dialect, is_cached=is_cached)
        refused = self.optional_fields & self._refused[model]
        return {name: value for name, value in body.items() if name not in refused}


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
