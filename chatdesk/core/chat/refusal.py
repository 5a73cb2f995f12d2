"""A provider that only says why no request could be made, so that this ends a turn like any other failure."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.providers.base import ChatRequest, ListedModel, Provider, StreamEvent

_NOTHING: tuple[StreamEvent, ...] = ()


class Refusal:
    """Stands in for ``provider`` in one turn."""

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
        """Raises the reason; nothing is sent."""
        for event in _NOTHING:
            yield event
        raise self._reason

    async def wire_body(self, request: ChatRequest) -> bytes:
        raise self._reason

    async def close(self) -> None:
        """The provider belongs to others."""
