"""Erases threads and messages of shared projects for everybody."""

from __future__ import annotations

from chatdesk.core.domain.sharing.team import Erasure
from chatdesk.core.events import ContextChanged, EventBus, PathChanged, ThreadDeleted
from chatdesk.core.storage.repositories import Repositories


class Erasing:
    """Erases threads and messages for everybody. They go to the trash at once; their text is removed when the server
    has accepted the change. Raises ``NotPossible``, ``SharedReadOnly``, ``SharedNotOwn``, ``StorageError``."""

    def __init__(self, repositories: Repositories, bus: EventBus) -> None:
        self._erasures = repositories.erasures
        self._messages = repositories.messages
        self._bus = bus

    async def of_thread(self, thread_id: str) -> Erasure:
        """Return the extent of ``erase_thread``; nothing is changed."""
        return await self._erasures.of_thread(thread_id)

    async def of_message(self, message_id: str) -> Erasure:
        """Return the extent of ``erase_message``; nothing is changed."""
        return await self._erasures.of_message(message_id)

    async def erase_thread(self, thread_id: str) -> Erasure:
        found = await self._erasures.erase_thread(thread_id)
        self._bus.publish(ThreadDeleted(thread_id))
        return found

    async def erase_message(self, message_id: str) -> Erasure:
        thread_id = (await self._messages.get(message_id)).thread_id
        found = await self._erasures.erase_message(message_id)
        self._bus.publish(PathChanged(thread_id, None))
        self._bus.publish(ContextChanged(thread_id))
        return found

    async def set_retention(self, project_id: str, days: int | None) -> None:
        """Set after how many days a shared project's content is erased, about once a day; None keeps it."""
        await self._erasures.set_retention(project_id, days)

    async def retention(self, project_id: str) -> int | None:
        return await self._erasures.retention(project_id)
