"""The provider for Anthropic and for every server that speaks its Messages protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.anthropic.client import AnthropicClient
from chatdesk.core.providers.anthropic.requests import is_sendable, messages_body
from chatdesk.core.providers.base import ChatRequest, EmbeddingRequest, Embeddings
from chatdesk.core.providers.embeddings import NO_EMBEDDINGS
from chatdesk.core.providers.extra_fields import for_anthropic
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.wire import said

if TYPE_CHECKING:  # a large package, loaded when it is used
    import httpx2


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
        body = messages_body(request, messages, model, self._kept_origin(), is_cached=self._marks_cache(request, model))
        refused = self.optional_fields & self._refused[model]
        return {name: value for name, value in body.items() if name not in refused}
