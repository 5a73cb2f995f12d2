"""TrashService empties the trash: on request, and after some days."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from chatdesk.core.domain.library import DeletedMessage
from chatdesk.core.events import EventBus, ThreadDeleted, ThreadsChanged
from chatdesk.core.storage.repositories import Repositories

MOST_LISTED: Final = 500
MOST_PUBLISHED: Final = 500  # beyond this many changed threads, one event stands for all
_MS_PER_DAY: Final = 24 * 3600 * 1000
_PREVIEW: Final = 200


class TrashService:
    """The use cases of the trash; ``LibraryService.trash`` exposes it. Events are published once a change is
    durable."""

    def __init__(self, repositories: Repositories, bus: EventBus) -> None:
        self._trash = repositories.trash
        self._prompts = repositories.prompts
        self._library = repositories.library
        self._bus = bus
        self._purging = asyncio.Lock()

    async def list_messages(self) -> tuple[DeletedMessage, ...]:
        """Return deleted messages of threads that are not in the trash, the latest first, at most ``MOST_LISTED``."""
        return await self._library.deleted_messages(limit=MOST_LISTED, preview=_PREVIEW)

    async def delete_for_good(self, thread_ids: Sequence[str]) -> int:
        """Delete threads of the trash for good, all or none, and return how many. They are gone when this returns;
        their rows are removed a few at a time afterwards."""
        count = await self._library.mark_gone(thread_ids)
        if len(thread_ids) > MOST_PUBLISHED:
            self._bus.publish(ThreadsChanged(None))
        else:
            for thread_id in thread_ids:
                self._bus.publish(ThreadDeleted(thread_id, is_purged=True))
        return count

    async def empty(self) -> int:
        """Delete all threads of the trash for good, in every project. Returns how many."""
        count = await self._library.mark_gone(None)
        self._bus.publish(ThreadsChanged(None))
        return count

    async def sweep(self, *, trash_days: int, archive_days: int = 0) -> int:
        """Delete for good what has been in the trash for ``trash_days``, deleted prompts included; before that, move
        threads there that have been archived for ``archive_days`` (0: never). A clock that was set forward removes
        nothing at first (``TrustedTime``). Works in small steps and may be cancelled between any two. Returns how many
        threads and messages are gone."""
        async with self._purging:
            now = await self._trash.trusted_now_ms()
            await self._prompts.purge_deleted(now - trash_days * _MS_PER_DAY)
            if archive_days and await self._trash.trash_archived(now - archive_days * _MS_PER_DAY):
                self._bus.publish(ThreadsChanged(None))
            gone = await self._trash.purge_expired(now - trash_days * _MS_PER_DAY)
            if gone:
                self._bus.publish(ThreadsChanged(None))
            return gone
