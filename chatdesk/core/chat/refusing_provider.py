"""A provider that only raises the reason why no request could be made, so that the turn ends like any failed one."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.providers.base import (
    ChatRequest,
    EmbeddingRequest,
    Embeddings,
    ListedModel,
    Provider,
    StreamEvent,
)

_NOTHING: tuple[StreamEvent, ...] = ()


class RefusingProvider:
    """A provider that replaces ``provider`` for one turn and raises ``reason`` when it is asked."""

    def __init__(self, provider: Provider, reason: ChatDeskError) -> None:
        self._provider = provider
        self._reason = reason

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def label(self) -> str:
        return self._provider.label

    async def list_models(self) -> tuple[ListedModel, ...]:
        return await self._provider.list_models()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Raise the reason; nothing is sent."""
        for event in _NOTHING:
            yield event
        raise self._reason

    def lacks(self, request: ChatRequest) -> list[str]:
        return self._provider.lacks(request)

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        raise self._reason

    async def wire_body(self, request: ChatRequest) -> bytes:
        raise self._reason

    async def close(self) -> None:
        """Do nothing: the real provider belongs to others."""
