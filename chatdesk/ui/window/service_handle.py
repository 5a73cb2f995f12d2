"""The services, which come a moment after the window: whoever needs one awaits it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatdesk.core.chat.service import ChatService
    from chatdesk.services.services import Services


class ServiceHandle:
    """Filled once, by the start-up task. Until then callers wait; when start-up failed they get its error."""

    def __init__(self) -> None:
        self._services: asyncio.Future[Services] = asyncio.get_running_loop().create_future()
        self.open_thread_id: str | None = None

    def provide(self, services: Services) -> None:
        self._services.set_result(services)

    def fail(self, error: Exception) -> None:
        if not self._services.done():
            self._services.set_exception(error)
            self._services.exception()  # taken: it has been shown, asyncio need not report it again

    @property
    def is_ready(self) -> bool:
        return self._services.done() and not self._services.cancelled() and self._services.exception() is None

    def now(self) -> Services | None:
        return self._services.result() if self.is_ready else None

    async def services(self) -> Services:
        return await asyncio.shield(self._services)

    async def chat(self) -> ChatService:
        """Return the service that has the open thread: a temporary one has its own."""
        return await self.chat_of(self.open_thread_id)

    async def chat_of(self, thread_id: str | None) -> ChatService:
        return (await self.services()).chat_of(thread_id)

    def is_temporary(self, thread_id: str | None) -> bool:
        services = self.now()
        return services is not None and services.is_temporary(thread_id)
